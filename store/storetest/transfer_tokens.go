package storetest

import (
	"strings"
	"testing"
	"time"

	"github.com/authcompat/authcompat/core"
)

func olderTokens() []transferCase {
	return []transferCase{
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
	ann := m.add(t, newUser("ann"))
	for i, g := range generations() {
		text := hexToken(i)
		token := olderOf(t, ann, g, text)
		m.issue(t, token)
		wantFound(t, m.b, text, bare(token), ann)
		_, _, err := m.b.FindToken(t.Context(), "inner", core.Presented(text))
		wantError(t, "find in another realm", err, core.ErrNotFound)
		for _, other := range []string{text + "0", text[1:], text[:63], text[:15], text[:8], "", text[:63] + "\x00", text[:62] + "\xff\xfe"} {
			wantGone(t, m.b, other)
		}
	}
	prefixed := "pré_" + hexToken(9)
	token := olderOf(t, ann, core.Knox5, prefixed)
	wantSame(t, "prefix in characters", "pré_00000009000", token.Legacy.Prefix)
	m.issue(t, token)
	wantFound(t, m.b, prefixed, bare(token), ann)
}

func olderCase(t *testing.T, m transferPair) {
	ann := m.add(t, newUser("ann"))
	text := "abcdef01" + strings.Repeat("ab", 28)
	for _, g := range generations() {
		token := olderOf(t, ann, g, text)
		m.issue(t, token)
		shouted := text[:8] + strings.ToUpper(text[8:])
		if g == core.Knox5 {
			wantGone(t, m.b, shouted)
		} else {
			wantFound(t, m.b, shouted, bare(token), ann)
		}
		wantGone(t, m.b, strings.ToUpper(text))
		if err := m.a.DeleteToken(t.Context(), token.Digest, nil); err != nil {
			t.Fatal(err)
		}
	}
}

func olderPrefix(t *testing.T, m transferPair) {
	ann, bob := m.add(t, newUser("ann")), m.add(t, newUser("bob"))
	for _, g := range generations() {
		one, two := strings.Repeat("ab", 31)+"01", strings.Repeat("ab", 31)+"02"
		first, second := olderOf(t, ann, g, one), olderOf(t, bob, g, two)
		m.issue(t, first)
		m.issue(t, second)
		wantFound(t, m.b, one, bare(first), ann)
		wantFound(t, m.b, two, bare(second), bob)
		for _, token := range []core.Token{first, second} {
			if err := m.a.DeleteToken(t.Context(), token.Digest, nil); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func olderEnds(t *testing.T, m transferPair) {
	ann := m.add(t, newUser("ann"))
	for i, g := range generations() {
		text := hexToken(i)
		token := olderOf(t, ann, g, text)
		m.issue(t, token)
		to := token.ExpiresAt.Add(time.Hour)
		m.move(t, token.Digest, to, noon())
		token.ExpiresAt = to
		wantFound(t, m.b, text, bare(token), ann)
		if err := m.a.DeleteToken(t.Context(), token.Digest, nil); err != nil {
			t.Fatal(err)
		}
		wantGone(t, m.b, text)
	}
}

func olderAllEnd(t *testing.T, m transferPair) {
	ann := m.add(t, newUser("ann"))
	m.issue(t, tokenOf(ann, "native"))
	for i, g := range generations() {
		m.issue(t, olderOf(t, ann, g, hexToken(i)))
	}
	n, err := m.a.DeleteUserTokens(t.Context(), ann.ID, realm, nil)
	if err != nil {
		t.Fatal(err)
	}
	wantSame(t, "number", 4, n)
	for i := range generations() {
		wantGone(t, m.b, hexToken(i))
	}
}

func twins(t *testing.T, m transferPair) {
	ann := m.add(t, newUser("ann"))
	for i, g := range generations() {
		text := hexToken(i)
		token := slidingOf(ann, text, time.Hour)
		older, err := core.NewLegacy(g, zeros{}, text)
		if err != nil {
			t.Fatal(err)
		}
		token.Legacy = older
		m.issue(t, token)
		wantFound(t, m.b, text, bare(token), ann)
		given, err := m.to.ExportTokens(t.Context(), realm, core.Token{}, 10)
		if err != nil {
			t.Fatal(err)
		}
		wantSame(t, "exported", []core.Token{token}, given)
		if err := m.a.DeleteToken(t.Context(), token.Digest, nil); err != nil {
			t.Fatal(err)
		}
		wantGone(t, m.b, text)
	}
}
