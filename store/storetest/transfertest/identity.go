package transfertest

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/transfer"
	"github.com/authcompat/authcompat/store/storetest/internal/suite"
)

// passedNames gives each user the name of the previous one, in one batch.
func passedNames(t *testing.T, m transferPair) {
	const users = 20
	var before, after []core.Account
	for id := int64(1); id <= users; id++ {
		before, after = append(before, account(id, fmt.Sprint("name", id))), append(after, account(id, fmt.Sprint("name", id-1)))
	}
	slices.Reverse(before) // a database may read rows in insertion order
	m.users(t, m.begin(t), before...)
	for i, outcome := range m.users(t, m.begin(t), after...) {
		if outcome.Outcome != transfer.ImportUpdated {
			t.Errorf("user %d: %+v", i+1, outcome)
		}
		suite.WantAccount(t, m.B, core.Account{User: after[i].User, PasswordHash: after[i].PasswordHash})
	}
}

// toldTwice has each user twice in a batch, with different addresses: the last one
// counts.
func toldTwice(t *testing.T, m transferPair) {
	const users = 20
	var before, after []core.Account
	for id := int64(1); id <= users; id++ {
		before = append(before, account(id, fmt.Sprint("name", id)))
		for _, host := range []string{"first.example", "last.example"} {
			told := account(id, fmt.Sprint("name", id))
			told.Email = "a@" + host
			after = append(after, told)
		}
	}
	m.users(t, m.begin(t), before...)
	for i, outcome := range m.users(t, m.begin(t), after...) {
		if outcome.Outcome != transfer.ImportUpdated {
			t.Errorf("user %d: %+v", after[i].ID, outcome)
		}
		if i%2 == 1 {
			suite.WantAccount(t, m.B, core.Account{User: after[i].User, PasswordHash: after[i].PasswordHash})
		}
	}
}

// knownOnce reads what is known of users by their keys, IDs and names, which are of the
// same users.
func knownOnce(t *testing.T, m transferPair) {
	ann, bob := account(1, "ann"), account(2, "bob")
	place := m.begin(t)
	m.users(t, place, ann, bob)
	facts, err := m.to.UserFacts(t.Context(), place.Source, imported(ann, bob))
	if err != nil {
		t.Fatal(err)
	}
	var users, links []int64
	for _, u := range facts.Users {
		users = append(users, u.ID)
	}
	for _, l := range facts.UserLinks {
		links = append(links, l.UserID)
	}
	slices.Sort(users)
	slices.Sort(links)
	suite.WantSame(t, "users", []int64{1, 2}, users)
	suite.WantSame(t, "links", []int64{1, 2}, links)
}

// keyUsedAgain has a source reuse the key of a deleted user for another one: here these
// are two users, and tokens under the key belong to the second.
func keyUsedAgain(t *testing.T, m transferPair) {
	ann, eve := account(1, "ann"), account(1, "eve")
	eve.CreatedAt = ann.CreatedAt.Add(time.Hour)
	place := m.begin(t)
	m.users(t, place, ann)
	m.tokens(t, place, suite.TokenOf(ann.User, "of ann"))
	m.finish(t, place)
	m.Issue(t, suite.TokenOf(ann.User, "issued here"))

	place = m.begin(t)
	wantOutcomes(t, "under the id of another", m.users(t, place, eve), transfer.ImportIDTaken)
	owners, _, err := m.from.ImportOwners(t.Context(), place.Source, []string{"1"}, nil)
	if err != nil || len(owners) > 0 {
		t.Errorf("the key's user is %v, error %v", owners, err)
	}
	place.Stage, place.Now = "tokens", suite.Noon()
	results, err := m.from.ImportTokens(t.Context(), place, []transfer.ImportedToken{{Owner: "1", Token: suite.TokenOf(ann.User, "of eve")}})
	if err != nil || results[0].Outcome != transfer.ImportRefused {
		t.Errorf("a token of the key's for the user who had it: %+v, error %v", results, err)
	}
	eve.ID = 0
	results, err = m.from.ImportUsers(t.Context(), place, []transfer.ImportedUser{{Key: "1", Account: eve}})
	if err != nil || results[0].Outcome != transfer.ImportAdded {
		t.Fatalf("with an id of its own: %+v, error %v", results, err)
	}
	owners, _, err = m.to.ImportOwners(t.Context(), place.Source, []string{"1"}, nil)
	if err != nil || owners["1"].Username != "eve" || owners["1"].ID == ann.ID {
		t.Errorf("the key's user is %+v, error %v", owners, err)
	}
	if all, err := m.from.KeysAreIDs(t.Context(), place.Source); all || err != nil {
		t.Errorf("all keys are ids here: %t, error %v", all, err)
	}
	suite.WantFound(t, m.B, "issued here", suite.TokenOf(ann.User, "issued here"), ann.User)
	m.finish(t, place)
	suite.WantGone(t, m.B, "of ann")
}

func lastLogins(t *testing.T, m transferPair) {
	at := func(hours int) core.Account {
		a := account(7, "ann")
		if hours >= 0 {
			a.LastLogin = suite.Noon().Add(time.Duration(hours) * time.Hour)
		}
		return a
	}
	run := func(there, want core.Account, outcome transfer.ImportOutcome) {
		t.Helper()
		place := m.begin(t)
		wantOutcomes(t, "import", m.users(t, place, there), outcome)
		m.finish(t, place)
		suite.WantAccount(t, m.B, want)
	}
	run(at(1), at(1), transfer.ImportAdded)
	run(at(-1), at(1), transfer.ImportUnchanged)
	run(at(3), at(3), transfer.ImportUnchanged)
	here := suite.TokenOf(core.User{ID: 7}, "key")
	here.Login, here.CreatedAt = true, suite.Noon().Add(5*time.Hour)
	m.Issue(t, here)
	run(at(4), at(5), transfer.ImportUnchanged)
	moved, want := at(6), at(6)
	moved.Email, want.Email = "new@example.org", "new@example.org"
	run(moved, want, transfer.ImportUpdated)
	place := m.begin(t)
	unnumbered := at(2)
	unnumbered.ID, unnumbered.Username = 0, "bob"
	twice := unnumbered
	twice.LastLogin = suite.Noon().Add(9 * time.Hour)
	wantOutcomes(t, "import", m.users(t, place, unnumbered, twice), transfer.ImportAdded, transfer.ImportUnchanged)
	if bob, err := m.B.Account(t.Context(), "bob"); err != nil || !bob.LastLogin.Equal(twice.LastLogin) {
		t.Errorf("bob: last login %v, %v", bob.LastLogin, err)
	}
}

// idOfADeletedUser has a source bring users with the ids that others had here, who were deleted by an operator and by themselves:
// they get other ones.
func idOfADeletedUser(t *testing.T, m transferPair) {
	byOperator, bySelf := m.Add(t, suite.NewUser("ann")), m.Add(t, suite.NewUser("bob"))
	hash := suite.NewUser("bob").PasswordHash
	if err := m.A.(core.Admin).DeleteUser(t.Context(), byOperator.ID, nil); err != nil {
		t.Fatal(err)
	}
	if err := m.A.(core.AccountStore).RemoveUser(t.Context(), bySelf.ID, hash, nil); err != nil {
		t.Fatal(err)
	}
	next := max(byOperator.ID, bySelf.ID) + 1
	cid, dan, eve := account(byOperator.ID, "cid"), account(bySelf.ID, "dan"), account(next, "eve")
	place := m.begin(t)
	wantOutcomes(t, "import", m.users(t, place, cid, dan, eve), transfer.ImportIDTaken, transfer.ImportIDTaken, transfer.ImportAdded)
	key := fmt.Sprint(cid.ID)
	cid.ID, place.Stage = 0, "users"
	results, err := m.from.ImportUsers(t.Context(), place, []transfer.ImportedUser{{Key: key, Account: cid}})
	if err != nil || results[0].Outcome != transfer.ImportAdded {
		t.Fatalf("with an id of its own: %+v, error %v", results, err)
	}
	got, err := m.B.Account(t.Context(), "cid")
	if err != nil || got.ID <= next {
		t.Errorf("the id is %d, error %v", got.ID, err)
	}
	m.finish(t, place)
	cid.ID = byOperator.ID
	wantOutcomes(t, "next import", m.users(t, m.begin(t), cid), transfer.ImportUnchanged)
}
