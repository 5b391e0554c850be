package storetest

import (
	"fmt"
	"testing"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/store/storetest/internal/suite"
)

// addressees are the cases of the order in which users are found by their address: it decides who gets mails.
func addressees() []testCase {
	return []testCase{
		{"whose account is older comes first", olderFirst},
		{"who comes to an address comes after all who have it", comeLater},
		{"who gets a mail is found by what they are", recipients},
		{"who is given an address comes after all who have it, whatever the clock", aheadOfTheirClock},
	}
}

// shared is the address of the cases.
const shared = "shared@example.org"

// member returns a registration with the address at so many hours after noon.
func member(name, email string, hours int) core.NewUser {
	u := suite.NewUser(name)
	u.Email, u.CreatedAt = email, suite.Noon().Add(time.Duration(hours)*time.Hour)
	return u
}

// move gives a user another address at so many hours after noon.
func move(t *testing.T, p suite.Pair, was core.User, email string, hours int) core.User {
	t.Helper()
	kept, err := accountsOf(p.A).UpdateUser(t.Context(), core.UserChange{
		Was: was, To: update(was, was.Username, email, was.Attributes), At: suite.Noon().Add(time.Duration(hours) * time.Hour),
	}, nil)
	if err != nil {
		t.Fatalf("move %s to %s: %v", was.Username, email, err)
	}
	return kept
}

// wantAddressees checks who has the shared address, whatever its case.
func wantAddressees(t *testing.T, p suite.Pair, want ...string) {
	t.Helper()
	for limit := 1; limit <= len(want)+1; limit++ {
		found, err := accountsOf(p.B).FindAccounts(t.Context(), core.ByEmail, shared, true, limit)
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, a := range found {
			names = append(names, a.Username)
		}
		suite.WantSame(t, fmt.Sprintf("first %d with the address", limit), want[:min(limit, len(want))], names)
	}
}

func olderFirst(t *testing.T, p suite.Pair) {
	p.Add(t, member("ann", shared, 0))
	p.Add(t, member("bob", "bob@example.org", 0))
	p.Add(t, member("cid", "Shared@example.org", 1))
	p.Add(t, member("dan", shared, 2))
	wantAddressees(t, p, "ann", "cid", "dan")
}

func comeLater(t *testing.T, p suite.Pair) {
	bob := p.Add(t, member("bob", "bob@example.org", -2))
	cid := p.Add(t, member("cid", "", -1))
	ann := p.Add(t, member("ann", shared, 0))
	cid = move(t, p, cid, "SHARED@example.org", 3)
	bob = move(t, p, bob, shared, 4)
	wantAddressees(t, p, "ann", "cid", "bob")

	cid = move(t, p, cid, shared, 5) // the same address
	wantAddressees(t, p, "ann", "cid", "bob")

	p.Add(t, member("dan", shared, 6))
	cid = move(t, p, cid, "cid@example.org", 7)
	wantAddressees(t, p, "ann", "bob", "dan")
	move(t, p, cid, shared, 8)
	wantAddressees(t, p, "ann", "bob", "dan", "cid")

	// What else changes has nothing to do with it.
	renamed := update(ann, "anna", ann.Email, map[string]string{"first_name": "Ann"})
	if _, err := accountsOf(p.A).UpdateUser(t.Context(), core.UserChange{Was: ann, To: renamed, At: suite.Noon().Add(9 * time.Hour)}, nil); err != nil {
		t.Fatal(err)
	}
	if err := p.A.UpdatePassword(t.Context(), bob.ID, "hash of bob", "new hash", false, nil); err != nil {
		t.Fatal(err)
	}
	wantAddressees(t, p, "anna", "bob", "dan", "cid")
}

func aheadOfTheirClock(t *testing.T, p suite.Pair) {
	p.Add(t, member("ann", shared, 1000)) // the clock was ahead
	bob := p.Add(t, member("bob", "bob@example.org", -1))
	bob = move(t, p, bob, shared, 1)
	p.Add(t, member("cid", shared, 2))
	dan := p.Add(t, member("dan", "dan@example.org", 3))
	move(t, p, dan, shared, 4)
	p.Add(t, member("eve", shared, 5))
	wantAddressees(t, p, "ann", "bob", "cid", "dan", "eve")
	if cid, err := p.B.Account(t.Context(), "cid"); err != nil || !cid.CreatedAt.Equal(suite.Noon().Add(2*time.Hour)) {
		t.Errorf("cid was made at %v, %v", cid.CreatedAt, err)
	}
	if bob.Email != shared {
		t.Errorf("bob: %+v", bob)
	}
}

func recipients(t *testing.T, p suite.Pair) {
	for i, name := range []string{"ann", "Bob", "cid", "dan", "eve", "fay", "gus"} {
		u := member(name, shared, i)
		u.Inactive = i%3 != 0
		if name == "Bob" || name == "dan" {
			u.Email = "SHARED@example.org"
		}
		p.Add(t, u)
	}
	p.Add(t, member("hal", "hal@example.org", 0))
	for _, test := range []struct {
		email             string
		caseBlind, active bool
		limit             int
		want              []string
	}{
		{shared, true, true, 9, []string{"ann", "dan", "gus"}},
		{"Shared@Example.org", true, true, 2, []string{"ann", "dan"}},
		{shared, true, false, 3, []string{"Bob", "cid", "eve"}},
		{shared, false, true, 9, []string{"ann", "gus"}},
		{shared, false, false, 9, []string{"cid", "eve", "fay"}},
		{"Shared@Example.org", false, true, 9, nil},
		{"", false, true, 9, nil},
		{"", true, false, 9, nil},
		{"\xff", true, true, 9, nil},
	} {
		found, err := accountsOf(p.B).FindRecipients(t.Context(), test.email, test.caseBlind, test.active, test.limit)
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, a := range found {
			names = append(names, a.Username)
		}
		suite.WantSame(t, fmt.Sprintf("%+v", test), test.want, names)
	}
	// All who have exactly an address come in one order, whether they are active or not.
	for limit, all := 1, []string{"ann", "cid", "eve", "fay", "gus"}; limit <= len(all)+1; limit++ {
		found, err := accountsOf(p.B).FindAccounts(t.Context(), core.ByEmail, shared, false, limit)
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, a := range found {
			names = append(names, a.Username)
		}
		suite.WantSame(t, fmt.Sprintf("first %d with exactly the address", limit), all[:min(limit, len(all))], names)
	}
}
