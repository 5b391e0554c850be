package transfertest

import (
	"strings"
	"testing"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/store/storetest/internal/suite"
)

func olderTokens() []testCase {
	return []testCase{
		{"tokens of each generation are found", olderFound},
		{"the case of hex matters as it did", olderCase},
		{"two tokens with one prefix", olderPrefix},
		{"an older token moves, and ends for good", olderEnds},
		{"logout-all ends older tokens too", olderAllEnd},
		{"older digests beside native ones", twins},
	}
}

func generations() []core.LegacyFormat {
	return []core.LegacyFormat{core.Knox41, core.Knox42, core.Knox5}
}

func olderFound(t *testing.T, m transferPair) {
	ann := m.Add(t, suite.NewUser("ann"))
	for i, g := range generations() {
		text := hexToken(i)
		token := olderOf(t, ann, g, text)
		m.Issue(t, token)
		suite.WantFound(t, m.B, text, bare(token), ann)
		_, _, err := m.B.FindToken(t.Context(), "inner", core.Presented(text))
		suite.WantError(t, "find in another realm", err, core.ErrNotFound)
		for _, other := range []string{text + "0", text[1:], text[:63], text[:15], text[:8], "", text[:63] + "\x00", text[:62] + "\xff\xfe"} {
			suite.WantGone(t, m.B, other)
		}
	}
	prefixed := "pré_" + hexToken(9)
	token := olderOf(t, ann, core.Knox5, prefixed)
	suite.WantSame(t, "prefix in characters", "pré_00000009000", token.Legacy.Prefix)
	m.Issue(t, token)
	suite.WantFound(t, m.B, prefixed, bare(token), ann)
}

func olderCase(t *testing.T, m transferPair) {
	ann := m.Add(t, suite.NewUser("ann"))
	text := "abcdef01" + strings.Repeat("ab", 28)
	for _, g := range generations() {
		token := olderOf(t, ann, g, text)
		m.Issue(t, token)
		shouted := text[:8] + strings.ToUpper(text[8:])
		if g == core.Knox5 {
			suite.WantGone(t, m.B, shouted)
		} else {
			suite.WantFound(t, m.B, shouted, bare(token), ann)
		}
		suite.WantGone(t, m.B, strings.ToUpper(text))
		if err := m.A.DeleteToken(t.Context(), token.Digest, nil); err != nil {
			t.Fatal(err)
		}
	}
}

func olderPrefix(t *testing.T, m transferPair) {
	ann, bob := m.Add(t, suite.NewUser("ann")), m.Add(t, suite.NewUser("bob"))
	for _, g := range generations() {
		one, two := strings.Repeat("ab", 31)+"01", strings.Repeat("ab", 31)+"02"
		first, second := olderOf(t, ann, g, one), olderOf(t, bob, g, two)
		m.Issue(t, first)
		m.Issue(t, second)
		suite.WantFound(t, m.B, one, bare(first), ann)
		suite.WantFound(t, m.B, two, bare(second), bob)
		for _, token := range []core.Token{first, second} {
			if err := m.A.DeleteToken(t.Context(), token.Digest, nil); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func olderEnds(t *testing.T, m transferPair) {
	ann := m.Add(t, suite.NewUser("ann"))
	for i, g := range generations() {
		text := hexToken(i)
		token := olderOf(t, ann, g, text)
		m.Issue(t, token)
		to := token.ExpiresAt.Add(time.Hour)
		m.Extend(t, token.Digest, to, suite.Noon())
		token.ExpiresAt = to
		suite.WantFound(t, m.B, text, bare(token), ann)
		if err := m.A.DeleteToken(t.Context(), token.Digest, nil); err != nil {
			t.Fatal(err)
		}
		suite.WantGone(t, m.B, text)
	}
}

func olderAllEnd(t *testing.T, m transferPair) {
	ann := m.Add(t, suite.NewUser("ann"))
	m.Issue(t, suite.TokenOf(ann, "native"))
	for i, g := range generations() {
		m.Issue(t, olderOf(t, ann, g, hexToken(i)))
	}
	n, err := m.A.DeleteUserTokens(t.Context(), ann.ID, suite.Realm, nil)
	if err != nil {
		t.Fatal(err)
	}
	suite.WantSame(t, "number", 4, n)
	for i := range generations() {
		suite.WantGone(t, m.B, hexToken(i))
	}
}

func twins(t *testing.T, m transferPair) {
	ann := m.Add(t, suite.NewUser("ann"))
	for i, g := range generations() {
		text := hexToken(i)
		token := suite.SlidingOf(ann, text, time.Hour)
		older, err := core.NewLegacy(g, zeros{}, text)
		if err != nil {
			t.Fatal(err)
		}
		token.Legacy = older
		m.Issue(t, token)
		suite.WantFound(t, m.B, text, bare(token), ann)
		given, err := m.to.ExportTokens(t.Context(), suite.Realm, core.Token{}, 10)
		if err != nil {
			t.Fatal(err)
		}
		suite.WantSame(t, "exported", []core.Token{token}, given)
		if err := m.A.DeleteToken(t.Context(), token.Digest, nil); err != nil {
			t.Fatal(err)
		}
		suite.WantGone(t, m.B, text)
	}
}
