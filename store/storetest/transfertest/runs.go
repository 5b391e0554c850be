package transfertest

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/transfer"
	"github.com/authcompat/authcompat/store/storetest/internal/suite"
)

func importRuns() []testCase {
	return []testCase{
		{"a run that was cut off goes on at its place", runGoesOn},
		{"other options begin anew", runBeginsAnew},
		{"a batch is whole or not at all", batchWhole},
		{"tokens that ended at the source end here", endedAtSource},
		{"a token that was only not seen comes back", absentComesBack},
		{"tokens of tables that were not read go on", otherTables},
		{"another token is shown where the shown one ends", anotherIsShown},
		{"a run in part ends nothing", partEndsNothing},
		{"a run that a later one overtakes ends nothing", overtakenByAnother},
		{"a run that another process ends ends nothing more", endedByAnother},
		{"what is exported during a run stays", exportedDuringRun},
		{"what is exported during the first run stays", exportedDuringFirst},
		{"what an export was about to write is noted until it is marked", notedExport},
	}
}

func runGoesOn(t *testing.T, m transferPair) {
	place := m.begin(t)
	suite.WantSame(t, "first place", transfer.Checkpoint{Source: place.Source, Run: 1, Options: "options", Tables: []string{}}, place)
	place.Stage, place.Cursor = "users", "row 17"
	if _, err := m.from.ImportUsers(t.Context(), place, imported(account(17, "ann"))); err != nil {
		t.Fatal(err)
	}
	again, err := m.to.BeginImport(t.Context(), source, "options")
	if err != nil {
		t.Fatal(err)
	}
	suite.WantSame(t, "place after a cut", place, again)
	m.finish(t, place)
	suite.WantSame(t, "place after the end", transfer.Checkpoint{Source: place.Source, Run: 2, Options: "options", Tables: []string{}}, m.begin(t))
}

func runBeginsAnew(t *testing.T, m transferPair) {
	place := m.begin(t)
	m.users(t, place, account(1, "ann"))
	other, err := m.from.BeginImport(t.Context(), source, "other options")
	if err != nil {
		t.Fatal(err)
	}
	suite.WantSame(t, "place", transfer.Checkpoint{Source: place.Source, Run: 2, Options: "other options", Tables: []string{}}, other)
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
	suite.WantNobody(t, m.Pair, "ann")
	if _, err := m.from.ImportUsers(t.Context(), place, make([]transfer.ImportedUser, transfer.MaxImport+1)); err == nil {
		t.Error("a batch of more than MaxImport went through")
	}
	var all []core.Account
	for i := range transfer.MaxImport {
		all = append(all, account(int64(i+100), fmt.Sprint("user ", i)))
	}
	for i, r := range m.users(t, place, all...) {
		suite.WantSame(t, fmt.Sprint("outcome of ", all[i].Username, ": ", r.Reason), transfer.ImportAdded, r.Outcome)
	}
	suite.WantAccount(t, m.B, all[transfer.MaxImport-1])
}

func endedAtSource(t *testing.T, m transferPair) {
	place := m.begin(t)
	ann := account(1, "ann")
	m.users(t, place, ann)
	m.tokens(t, place, suite.TokenOf(ann.User, "stays"), suite.TokenOf(ann.User, "ends"), olderOf(t, ann.User, core.Knox42, hexToken(1)))
	m.finish(t, place)
	m.Issue(t, suite.TokenOf(ann.User, "native"))
	place = m.begin(t)
	m.users(t, place, ann)
	m.tokens(t, place, suite.TokenOf(ann.User, "stays"))
	suite.WantSame(t, "ended", 2, m.finish(t, place))
	suite.WantGone(t, m.B, "ends")
	suite.WantGone(t, m.B, hexToken(1))
	suite.WantFound(t, m.B, "stays", suite.TokenOf(ann.User, "stays"), ann.User)
	suite.WantFound(t, m.B, "native", suite.TokenOf(ann.User, "native"), ann.User)
}

func absentComesBack(t *testing.T, m transferPair) {
	ann := account(1, "ann")
	place := m.begin(t)
	m.users(t, place, ann)
	m.tokens(t, place, suite.TokenOf(ann.User, "absent"), suite.TokenOf(ann.User, "logged out"))
	m.finish(t, place)
	if err := m.A.DeleteToken(t.Context(), suite.TokenOf(ann.User, "logged out").Digest, nil); err != nil {
		t.Fatal(err)
	}
	place = m.begin(t)
	place.Stage = "tokens"
	here, unseen, err := m.to.CountImported(t.Context(), place, []string{"tokens"})
	if err != nil || here != 1 || unseen != 1 {
		t.Errorf("%d of %d not seen, %v", unseen, here, err)
	}
	suite.WantSame(t, "ended", 1, m.finish(t, place))
	suite.WantGone(t, m.B, "absent")
	place = m.begin(t)
	wantOutcomes(t, "import", m.tokens(t, place, suite.TokenOf(ann.User, "absent"), suite.TokenOf(ann.User, "logged out")), transfer.ImportAdded, transfer.ImportKept)
	m.finish(t, place)
	suite.WantFound(t, m.B, "absent", suite.TokenOf(ann.User, "absent"), ann.User)
	suite.WantGone(t, m.B, "logged out")
	// From now on it is like any other token.
	if err := m.A.DeleteToken(t.Context(), suite.TokenOf(ann.User, "absent").Digest, nil); err != nil {
		t.Fatal(err)
	}
	wantOutcomes(t, "import", m.tokens(t, m.begin(t), suite.TokenOf(ann.User, "absent")), transfer.ImportKept)
}

func anotherIsShown(t *testing.T, m transferPair) {
	ann := account(1, "ann")
	place := m.begin(t)
	m.users(t, place, ann)
	first, second := suite.ReusableOf(ann.User, "first", time.Hour), suite.ReusableOf(ann.User, "second", time.Hour)
	m.tokens(t, place, first)
	m.finish(t, place)
	place = m.begin(t)
	m.users(t, place, ann)
	m.tokens(t, place, second)
	suite.WantSame(t, "ended", 1, m.finish(t, place))
	suite.WantGone(t, m.B, "first")
	suite.WantSame(t, "token shown again", second, m.Reuse(t, suite.ReusableOf(ann.User, "fresh", time.Hour), suite.Noon()))
}

func otherTables(t *testing.T, m transferPair) {
	ann := account(1, "ann")
	place := m.begin(t)
	m.users(t, place, ann)
	m.tokens(t, place, suite.TokenOf(ann.User, "key"))
	place.Tables = []string{"tokens"}
	m.finish(t, place)
	place = m.begin(t)
	suite.WantSame(t, "tables", []string{"tokens"}, place.Tables)
	if ended, err := m.from.FinishImport(t.Context(), place, []string{"others"}); ended != 0 || err != nil {
		t.Errorf("ended %d, %v", ended, err)
	}
	suite.WantFound(t, m.B, "key", suite.TokenOf(ann.User, "key"), ann.User)
}

func partEndsNothing(t *testing.T, m transferPair) {
	place := m.begin(t)
	ann := account(1, "ann")
	m.users(t, place, ann)
	m.tokens(t, place, suite.TokenOf(ann.User, "key"))
	m.finish(t, place)
	place = m.begin(t)
	if ended, err := m.from.FinishImport(t.Context(), place, nil); ended != 0 || err != nil {
		t.Errorf("ended %d, %v", ended, err)
	}
	suite.WantFound(t, m.B, "key", suite.TokenOf(ann.User, "key"), ann.User)
}

func exports() []testCase {
	return []testCase{
		{"users in pages, by id", exportUsers},
		{"tokens in pages, by user", exportTokens},
		{"what was handed over is known", handedOver},
		{"what ends while it is handed over is known", endedMeanwhile},
		{"users who were deleted are known by their links", deletedUsers},
	}
}

func exportUsers(t *testing.T, m transferPair) {
	var want, got []core.Account
	for i := range 7 {
		u := suite.NewUser(fmt.Sprint("user ", i))
		u.Inactive = i == 3
		user := m.Add(t, u)
		want = append(want, core.Account{User: user, PasswordHash: "hash of " + user.Username})
	}
	login := suite.TokenOf(want[4].User, "login")
	login.Login, want[4].LastLogin = true, login.CreatedAt
	m.Issue(t, login)
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
	suite.WantSame(t, "users", want, got)
}

func deletedUsers(t *testing.T, m transferPair) {
	place := m.begin(t)
	var all []core.Account
	for i := range 6 {
		user := m.Add(t, suite.NewUser(fmt.Sprint("user ", i)))
		all = append(all, core.Account{User: user, PasswordHash: "hash of " + user.Username})
	}
	if err := m.from.MarkExported(t.Context(), place, imported(all[:5]...), nil); err != nil { // the last was never there
		t.Fatal(err)
	}
	deleted := func(source, after int64, limit int) (ids []int64) {
		t.Helper()
		links, err := m.to.DeletedUsers(t.Context(), source, after, limit)
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range links {
			ids = append(ids, l.UserID)
			for _, a := range all {
				if a.ID == l.UserID && (l.Source != place.Source || string(l.Fingerprint) != string(transfer.UserFingerprint(a)) || l.Key != fmt.Sprint(a.ID)) {
					t.Errorf("link of user %d: %+v", a.ID, l)
				}
			}
		}
		return ids
	}
	suite.WantSame(t, "with everybody here", []int64(nil), deleted(place.Source, 0, 9))
	for _, i := range []int{1, 2, 4, 5} {
		if err := m.A.(core.Admin).DeleteUser(t.Context(), all[i].ID, nil); err != nil {
			t.Fatal(err)
		}
	}
	suite.WantSame(t, "the first two", []int64{all[1].ID, all[2].ID}, deleted(place.Source, 0, 2))
	suite.WantSame(t, "the rest", []int64{all[4].ID}, deleted(place.Source, all[2].ID, 2))
	suite.WantSame(t, "at another source", []int64(nil), deleted(place.Source+1, 0, 9))
}

func exportTokens(t *testing.T, m transferPair) {
	want := map[string]core.Token{}
	for i := range 3 {
		user := m.Add(t, suite.NewUser(fmt.Sprint("user ", i)))
		for k := range 3 {
			token := suite.TokenOf(user, fmt.Sprint(i, k))
			want[string(token.Digest)] = token
			m.Issue(t, token)
		}
		inner := suite.TokenOf(user, fmt.Sprint("inner", i))
		inner.Realm = "inner"
		m.Issue(t, inner)
	}
	got := map[string]core.Token{}
	var last core.Token
	for {
		page, err := m.to.ExportTokens(t.Context(), suite.Realm, last, 2)
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
	suite.WantSame(t, "tokens", want, got)
}

func handedOver(t *testing.T, m transferPair) {
	ann := m.Add(t, suite.NewUser("ann"))
	live, over, older := suite.SlidingOf(ann, "live", time.Hour), suite.SlidingOf(ann, "over", time.Minute), suite.SlidingOf(ann, hexToken(1), time.Hour)
	var err error
	if older.Legacy, err = core.NewLegacy(core.Knox42, zeros{}, hexToken(1)); err != nil {
		t.Fatal(err)
	}
	for _, token := range []core.Token{live, over, older} {
		m.Issue(t, token)
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
	suite.WantSame(t, "links", []transfer.UserLink{{UserID: ann.ID, Source: place.Source, Key: fmt.Sprint(ann.ID), Fingerprint: transfer.UserFingerprint(same)}}, links)
	for _, test := range []struct {
		source int64
		table  string
		want   int
	}{{place.Source, "tokens", 0}, {place.Source, "others", 2}, {place.Source + 1, "tokens", 2}} {
		found, err := m.to.UnlinkedTokens(t.Context(), test.source, []string{"none", test.table}, []core.Digest{live.Digest, older.Digest, core.Presented("never here").SHA256()})
		if err != nil {
			t.Fatal(err)
		}
		suite.WantSame(t, fmt.Sprintf("not linked to %s of source %d", test.table, test.source), test.want, len(found))
	}
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
	suite.WantSame(t, "ended at noon", []string(nil), ended(suite.Noon()))
	suite.WantSame(t, "ended later", []string{"over"}, ended(suite.Noon().Add(time.Minute)))
	// A complete run that sees only one of them revokes the others, by their twins too.
	m.users(t, place, same)
	m.tokens(t, place, live)
	suite.WantSame(t, "ended by a run", 2, m.finish(t, place))
	suite.WantGone(t, m.B, hexToken(1))
	suite.WantFound(t, m.B, "live", live, ann)
	// They were only not seen, which is no reason to delete them anywhere.
	suite.WantSame(t, "ended after it", []string(nil), ended(suite.Noon()))
}
