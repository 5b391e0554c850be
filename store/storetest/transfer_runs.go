package storetest

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/transfer"
)

func importRuns() []transferCase {
	return []transferCase{
		{"a run that was cut off goes on at its place", runGoesOn},
		{"other options begin anew", runBeginsAnew},
		{"a batch is whole or not at all", batchWhole},
		{"tokens that ended at the source end here", endedAtSource},
		{"a token that was only not seen comes back", absentComesBack},
		{"tokens of tables that were not read go on", otherTables},
		{"another token is shown where the shown one ends", anotherIsShown},
		{"a run in part ends nothing", partEndsNothing},
	}
}

func runGoesOn(t *testing.T, m transferPair) {
	place := m.begin(t)
	wantSame(t, "first place", transfer.Checkpoint{Source: place.Source, Run: 1, Options: "options", Tables: []string{}}, place)
	place.Stage, place.Cursor = "users", "row 17"
	if _, err := m.from.ImportUsers(t.Context(), place, imported(account(17, "ann"))); err != nil {
		t.Fatal(err)
	}
	again, err := m.to.BeginImport(t.Context(), source, "options")
	if err != nil {
		t.Fatal(err)
	}
	wantSame(t, "place after a cut", place, again)
	m.finish(t, place)
	wantSame(t, "place after the end", transfer.Checkpoint{Source: place.Source, Run: 2, Options: "options", Tables: []string{}}, m.begin(t))
}

func runBeginsAnew(t *testing.T, m transferPair) {
	place := m.begin(t)
	m.users(t, place, account(1, "ann"))
	other, err := m.from.BeginImport(t.Context(), source, "other options")
	if err != nil {
		t.Fatal(err)
	}
	wantSame(t, "place", transfer.Checkpoint{Source: place.Source, Run: 2, Options: "other options", Tables: []string{}}, other)
	another, err := m.from.BeginImport(t.Context(), "elsewhere", "options")
	if err != nil {
		t.Fatal(err)
	}
	if another.Source == place.Source || another.Run != 1 {
		t.Errorf("place of another source is %+v", another)
	}
}

func batchWhole(t *testing.T, m transferPair) {
	place := m.begin(t)
	over, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := m.from.ImportUsers(over, place, imported(account(1, "ann"))); err == nil {
		t.Error("a batch went through with a context that is over")
	}
	wantNobody(t, m.pair, "ann")
	if _, err := m.from.ImportUsers(t.Context(), place, make([]transfer.ImportedUser, transfer.MaxImport+1)); err == nil {
		t.Error("a batch of more than MaxImport went through")
	}
	var all []core.Account
	for i := range transfer.MaxImport {
		all = append(all, account(int64(i+100), fmt.Sprint("user ", i)))
	}
	for i, r := range m.users(t, place, all...) {
		wantSame(t, fmt.Sprint("outcome of ", all[i].Username, ": ", r.Reason), transfer.ImportAdded, r.Outcome)
	}
	wantAccount(t, m.b, all[transfer.MaxImport-1])
}

func endedAtSource(t *testing.T, m transferPair) {
	place := m.begin(t)
	ann := account(1, "ann")
	m.users(t, place, ann)
	m.tokens(t, place, tokenOf(ann.User, "stays"), tokenOf(ann.User, "ends"), olderOf(t, ann.User, core.Knox42, hexToken(1)))
	m.finish(t, place)
	m.issue(t, tokenOf(ann.User, "native"))
	place = m.begin(t)
	m.users(t, place, ann)
	m.tokens(t, place, tokenOf(ann.User, "stays"))
	wantSame(t, "ended", 2, m.finish(t, place))
	wantGone(t, m.b, "ends")
	wantGone(t, m.b, hexToken(1))
	wantFound(t, m.b, "stays", tokenOf(ann.User, "stays"), ann.User)
	wantFound(t, m.b, "native", tokenOf(ann.User, "native"), ann.User)
}

func absentComesBack(t *testing.T, m transferPair) {
	ann := account(1, "ann")
	place := m.begin(t)
	m.users(t, place, ann)
	m.tokens(t, place, tokenOf(ann.User, "absent"), tokenOf(ann.User, "logged out"))
	m.finish(t, place)
	if err := m.a.DeleteToken(t.Context(), tokenOf(ann.User, "logged out").Digest, nil); err != nil {
		t.Fatal(err)
	}
	place = m.begin(t)
	place.Stage = "tokens"
	here, unseen, err := m.to.CountImported(t.Context(), place, []string{"tokens"})
	if err != nil || here != 1 || unseen != 1 {
		t.Errorf("%d of %d not seen, %v", unseen, here, err)
	}
	wantSame(t, "ended", 1, m.finish(t, place))
	wantGone(t, m.b, "absent")
	place = m.begin(t)
	wantOutcomes(t, "import", m.tokens(t, place, tokenOf(ann.User, "absent"), tokenOf(ann.User, "logged out")), transfer.ImportAdded, transfer.ImportKept)
	m.finish(t, place)
	wantFound(t, m.b, "absent", tokenOf(ann.User, "absent"), ann.User)
	wantGone(t, m.b, "logged out")
	// From now on it is like any other token.
	if err := m.a.DeleteToken(t.Context(), tokenOf(ann.User, "absent").Digest, nil); err != nil {
		t.Fatal(err)
	}
	wantOutcomes(t, "import", m.tokens(t, m.begin(t), tokenOf(ann.User, "absent")), transfer.ImportKept)
}

func anotherIsShown(t *testing.T, m transferPair) {
	ann := account(1, "ann")
	place := m.begin(t)
	m.users(t, place, ann)
	first, second := reusableOf(ann.User, "first", time.Hour), reusableOf(ann.User, "second", time.Hour)
	m.tokens(t, place, first)
	m.finish(t, place)
	place = m.begin(t)
	m.users(t, place, ann)
	m.tokens(t, place, second)
	wantSame(t, "ended", 1, m.finish(t, place))
	wantGone(t, m.b, "first")
	wantSame(t, "token shown again", second, m.reuseToken(t, reusableOf(ann.User, "fresh", time.Hour), noon()))
}

func otherTables(t *testing.T, m transferPair) {
	ann := account(1, "ann")
	place := m.begin(t)
	m.users(t, place, ann)
	m.tokens(t, place, tokenOf(ann.User, "key"))
	place.Tables = []string{"tokens"}
	m.finish(t, place)
	place = m.begin(t)
	wantSame(t, "tables", []string{"tokens"}, place.Tables)
	if ended, err := m.from.FinishImport(t.Context(), place, []string{"others"}); ended != 0 || err != nil {
		t.Errorf("ended %d, %v", ended, err)
	}
	wantFound(t, m.b, "key", tokenOf(ann.User, "key"), ann.User)
}

func partEndsNothing(t *testing.T, m transferPair) {
	place := m.begin(t)
	ann := account(1, "ann")
	m.users(t, place, ann)
	m.tokens(t, place, tokenOf(ann.User, "key"))
	m.finish(t, place)
	place = m.begin(t)
	if ended, err := m.from.FinishImport(t.Context(), place, nil); ended != 0 || err != nil {
		t.Errorf("ended %d, %v", ended, err)
	}
	wantFound(t, m.b, "key", tokenOf(ann.User, "key"), ann.User)
}

func exports() []transferCase {
	return []transferCase{
		{"users in pages, by id", exportUsers},
		{"tokens in pages, by user", exportTokens},
		{"what was handed over is known", handedOver},
	}
}

func exportUsers(t *testing.T, m transferPair) {
	var want, got []core.Account
	for i := range 7 {
		u := newUser(fmt.Sprint("user ", i))
		u.Inactive = i == 3
		user := m.add(t, u)
		want = append(want, core.Account{User: user, PasswordHash: "hash of " + user.Username})
	}
	after := int64(0)
	for {
		page, err := m.to.ExportUsers(t.Context(), after, 3)
		if err != nil {
			t.Fatal(err)
		}
		if len(page) == 0 {
			break
		}
		got = append(got, page...)
		after = page[len(page)-1].ID
	}
	wantSame(t, "users", want, got)
}

func exportTokens(t *testing.T, m transferPair) {
	want := map[string]core.Token{}
	for i := range 3 {
		user := m.add(t, newUser(fmt.Sprint("user ", i)))
		for k := range 3 {
			token := tokenOf(user, fmt.Sprint(i, k))
			want[string(token.Digest)] = token
			m.issue(t, token)
		}
		inner := tokenOf(user, fmt.Sprint("inner", i))
		inner.Realm = "inner"
		m.issue(t, inner)
	}
	got := map[string]core.Token{}
	var last core.Token
	for {
		page, err := m.to.ExportTokens(t.Context(), realm, last, 2)
		if err != nil {
			t.Fatal(err)
		}
		if len(page) == 0 {
			break
		}
		for _, token := range page {
			if token.UserID < last.UserID {
				t.Error("tokens are not in the order of their users")
			}
			last, got[string(token.Digest)] = token, token
		}
	}
	wantSame(t, "tokens", want, got)
}

func handedOver(t *testing.T, m transferPair) {
	ann := m.add(t, newUser("ann"))
	live, over, older := slidingOf(ann, "live", time.Hour), slidingOf(ann, "over", time.Minute), slidingOf(ann, hexToken(1), time.Hour)
	var err error
	if older.Legacy, err = core.NewLegacy(core.Knox42, zeros{}, hexToken(1)); err != nil {
		t.Fatal(err)
	}
	for _, token := range []core.Token{live, over, older} {
		m.issue(t, token)
	}
	place := m.begin(t)
	handed := []core.Digest{live.Digest, over.Digest, older.Legacy.Digest}
	same := core.Account{User: ann, PasswordHash: "hash of ann"}
	if err := m.from.MarkExported(t.Context(), place, imported(same), map[string][]core.Digest{"tokens": handed}); err != nil {
		t.Fatal(err)
	}
	links, err := m.to.LinkedFingerprints(t.Context(), place.Source, []int64{ann.ID, ann.ID + 1})
	if err != nil {
		t.Fatal(err)
	}
	wantSame(t, "links", []transfer.UserLink{{UserID: ann.ID, Source: place.Source, Key: fmt.Sprint(ann.ID), Fingerprint: transfer.UserFingerprint(same)}}, links)
	ended := func(now time.Time) (keys []string) {
		t.Helper()
		found, err := m.to.RevokedAmong(t.Context(), append(handed, core.Presented("never here").SHA256()), now)
		if err != nil {
			t.Fatal(err)
		}
		names := map[string]string{string(handed[0]): "live", string(handed[1]): "over", string(handed[2]): "older"}
		for _, d := range found {
			keys = append(keys, names[string(d)])
		}
		slices.Sort(keys)
		return keys
	}
	wantSame(t, "ended at noon", []string(nil), ended(noon()))
	wantSame(t, "ended later", []string{"over"}, ended(noon().Add(time.Minute)))
	// A complete run that sees only one of them revokes the others, by their twins too.
	m.users(t, place, same)
	m.tokens(t, place, live)
	wantSame(t, "ended by a run", 2, m.finish(t, place))
	wantGone(t, m.b, hexToken(1))
	wantFound(t, m.b, "live", live, ann)
	// They were only not seen, which is no reason to delete them anywhere.
	wantSame(t, "ended after it", []string(nil), ended(noon()))
}
