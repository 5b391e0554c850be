package transfertest

import (
	"testing"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/transfer"
	"github.com/authcompat/authcompat/store/storetest/internal/suite"
)

// wantChanged compares the outcomes of rows: those that are not among the changed are to be unchanged.
func wantChanged(t *testing.T, changed map[int]transfer.ImportOutcome, got []transfer.ImportResult) {
	t.Helper()
	for i, r := range got {
		want, ok := changed[i]
		if !ok {
			want = transfer.ImportUnchanged
		}
		if r.Outcome != want {
			t.Errorf("outcome of row %d is %d, want %d: %s", i, r.Outcome, want, r.Reason)
		}
	}
}

// someUsersChanged has a user for each way to change, at the source or here, between many who have not.
func someUsersChanged(t *testing.T, m transferPair) {
	all := people(large)
	for i := range all {
		all[i].LastLogin = suite.Noon()
	}
	all[0].Attributes = map[string]string{"first_name": "Ann", "is_staff": "true"}
	place := m.begin(t)
	m.users(t, place, all...)
	m.finish(t, place)
	for _, c := range []struct {
		i     int
		hash  string
		again bool
	}{{3, "ours", false}, {4, "hashed again", true}} {
		if err := m.A.UpdatePassword(t.Context(), all[c.i].ID, all[c.i].PasswordHash, c.hash, c.again, nil); err != nil {
			t.Fatal(err)
		}
	}
	if err := m.A.(core.Admin).DeleteUser(t.Context(), all[5].ID, nil); err != nil {
		t.Fatal(err)
	}

	now := people(large + 1)
	copy(now, all)
	now[10].Username = "renamed"
	now[11].Email = "changed@example.org"
	now[12].PasswordHash = "changed"
	now[13].Active = false
	now[14].Attributes = map[string]string{"first_name": "Bob"}
	now[15].LastLogin = suite.Noon().Add(time.Microsecond)
	now[16].LastLogin = suite.Noon().Add(-time.Microsecond)
	now[17].CreatedAt = suite.Noon().Add(time.Hour)
	now[18].Username = now[19].Username
	now[20].Username = now[20].Username[:4] + "\x00" + now[20].Username[4:]
	now[21].Username, now[21].Email = now[21].Username+now[21].Email[:1], now[21].Email[1:]
	want := map[int]transfer.ImportOutcome{
		3: transfer.ImportKept, 5: transfer.ImportKept,
		10: transfer.ImportUpdated, 11: transfer.ImportUpdated, 12: transfer.ImportUpdated, 13: transfer.ImportUpdated, 14: transfer.ImportUpdated,
		18: transfer.ImportRefused, 20: transfer.ImportRefused, 21: transfer.ImportUpdated, large: transfer.ImportAdded,
	}
	wantChanged(t, want, m.users(t, m.begin(t), now...))
	here := map[int]core.Account{}
	for _, i := range []int{0, 16, 17, 18, 19, 20} {
		here[i] = all[i]
	}
	for _, i := range []int{10, 11, 12, 13, 14, 15, 21, large} {
		here[i] = now[i]
	}
	for i, hash := range map[int]string{3: "ours", 4: "hashed again"} {
		a := all[i]
		a.PasswordHash = hash
		here[i] = a
	}
	for _, a := range here {
		suite.WantAccount(t, m.B, a)
	}
	// The same once more changes nobody.
	delete(want, large)
	for i, outcome := range want {
		if outcome == transfer.ImportUpdated {
			delete(want, i)
		}
	}
	wantChanged(t, want, m.users(t, m.begin(t), now...))
	// Another source, which has the same users, goes on with them from there.
	other, err := m.from.BeginImport(t.Context(), "elsewhere", "options")
	if err != nil {
		t.Fatal(err)
	}
	other.Stage = "users"
	there := all[30:130]
	for _, email := range []string{there[7].Email, "moved@example.org"} {
		changed := map[int]transfer.ImportOutcome{}
		if there[7].Email != email {
			there[7].Email, changed[7] = email, transfer.ImportUpdated
		}
		results, err := m.from.ImportUsers(t.Context(), other, imported(there...))
		if err != nil {
			t.Fatal(err)
		}
		wantChanged(t, changed, results)
	}
	suite.WantAccount(t, m.B, there[7])
}

// someTokensChanged has a token for each way to change, at the source or here, between many that have not.
func someTokensChanged(t *testing.T, m transferPair) {
	users := people(large)
	place := m.begin(t)
	m.users(t, place, users...)
	all := make([]core.Token, large)
	for i, u := range users {
		all[i] = suite.SlidingOf(u.User, "token of "+u.Username, time.Hour)
		if i%2 == 1 {
			all[i].ExpiresAt = time.Time{}
		}
	}
	const native, elsewhere, otherTable, ended, missing = 30, 31, 32, 33, 34
	m.Issue(t, all[native])
	other, err := m.from.BeginImport(t.Context(), "elsewhere", "options")
	if err != nil {
		t.Fatal(err)
	}
	place.Now, other.Now = suite.Noon(), suite.Noon()
	wantChanged(t, map[int]transfer.ImportOutcome{0: transfer.ImportAdded}, m.tokens(t, place, all[elsewhere]))
	place.Stage = "other tokens"
	if _, err := m.from.ImportTokens(t.Context(), place, []transfer.ImportedToken{{Owner: "1033", Token: all[otherTable]}}); err != nil {
		t.Fatal(err)
	}
	m.tokens(t, place, all...)
	m.finish(t, place)
	if err := m.A.DeleteToken(t.Context(), all[ended].Digest, nil); err != nil {
		t.Fatal(err)
	}

	place = m.begin(t)
	place.Now = suite.Noon()
	now := append(all[:missing:missing], all[missing+1:]...)
	now[10].ExpiresAt = suite.Noon().Add(time.Hour + time.Microsecond)
	now[12].ExpiresAt = suite.Noon().Add(time.Hour - time.Microsecond)
	now[13].ExpiresAt = suite.Noon().Add(time.Hour)
	now[14].ExpiresAt = time.Time{}
	now[16].UserID = users[17].ID
	added := suite.TokenOf(users[1].User, "another token")
	now = append(now, added)
	results := m.tokens(t, place, now...)
	wantChanged(t, map[int]transfer.ImportOutcome{
		10: transfer.ImportUpdated, 16: transfer.ImportRefused, ended: transfer.ImportKept, len(now) - 1: transfer.ImportAdded,
	}, results)
	suite.WantFound(t, m.B, "token of "+users[10].Username, withExpiry(all[10], time.Hour+time.Microsecond), users[10].User)
	suite.WantFound(t, m.B, "another token", added, users[1].User)
	suite.WantGone(t, m.B, "token of "+users[ended].Username)
	// Two users have the same token at the source, if nothing prevents that there.
	twice := suite.TokenOf(users[41].User, "token of "+users[40].Username)
	wantChanged(t, map[int]transfer.ImportOutcome{1: transfer.ImportRefused}, m.tokens(t, m.begin(t), all[40], twice, all[42]))
	// The one that another user has at the source was not seen, as was that which is missing.
	here, unseen, err := m.to.CountImported(t.Context(), place, []string{"tokens"})
	if err != nil {
		t.Fatal(err)
	}
	suite.WantSame(t, "here and unseen", [2]int{large, 2}, [2]int{here, unseen})
	suite.WantSame(t, "ended", 2, m.finish(t, place))
	suite.WantGone(t, m.B, "token of "+users[missing].Username)
	suite.WantFound(t, m.B, "token of "+users[native].Username, all[native], users[native].User)
}

// withExpiry returns a token that expires so long after noon.
func withExpiry(t core.Token, after time.Duration) core.Token {
	t.ExpiresAt = suite.Noon().Add(after)
	return t
}

// withdrawn has users change their address here, and the source disable one of them and take a right from another: they have
// neither, here.
func withdrawn(t *testing.T, m transferPair) {
	ann, bob, cid := account(1, "ann"), account(2, "bob"), account(3, "cid")
	for _, a := range []*core.Account{&ann, &bob, &cid} {
		a.Attributes = map[string]string{"is_staff": "true"}
	}
	m.users(t, m.begin(t), ann, bob, cid)
	for _, a := range []core.Account{ann, bob, cid} {
		changed := a.User
		changed.Email = a.Username + "@here.example"
		if _, err := m.A.(core.AccountStore).UpdateUser(t.Context(), core.UserChange{Was: a.User, To: changed, At: suite.Noon()}, nil); err != nil {
			t.Fatal(err)
		}
	}
	ann.Active = false
	bob.Attributes = map[string]string{"is_staff": "false"}
	cid.Email = "cid@there.example"
	wantOutcomes(t, "import", m.users(t, m.begin(t), ann, bob, cid), transfer.ImportKept, transfer.ImportKept, transfer.ImportKept)
	cid.Email = ""
	for _, a := range []core.Account{ann, bob, cid} {
		a.Email = a.Username + "@here.example"
		suite.WantAccount(t, m.B, a)
	}
}
