package transfertest

import (
	"testing"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/transfer"
	"github.com/authcompat/authcompat/store/storetest/internal/suite"
)

// movedAddresses checks that who comes to an address at the source comes after all who have it here.
func movedAddresses(t *testing.T, m transferPair) {
	const shared = "shared@example.org"
	at := func(id int64, name, email string, hours int) core.Account {
		a := account(id, name)
		a.Email, a.CreatedAt = email, suite.Noon().Add(time.Duration(hours)*time.Hour)
		return a
	}
	want := func(names ...string) {
		t.Helper()
		found, err := m.B.(core.AccountStore).FindAccounts(t.Context(), core.ByEmail, shared, true, 9)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, a := range found {
			got = append(got, a.Username)
		}
		suite.WantSame(t, "users with the address", names, got)
	}
	run := func(hours int, outcome transfer.ImportOutcome, accounts ...core.Account) {
		t.Helper()
		place := m.begin(t)
		place.Now = suite.Noon().Add(time.Duration(hours) * time.Hour)
		var outcomes []transfer.ImportOutcome
		for range accounts {
			outcomes = append(outcomes, outcome)
		}
		wantOutcomes(t, "import", m.users(t, place, accounts...), outcomes...)
		m.finish(t, place)
	}
	run(10, transfer.ImportAdded, at(1, "bob", "bob@example.org", 1), at(2, "cid", "cid@example.org", 2), at(3, "dan", shared, 3), at(4, "eve", shared, 0))
	want("eve", "dan")
	here := suite.NewUser("ann")
	here.Email, here.CreatedAt = shared, suite.Noon().Add(11*time.Hour)
	m.Add(t, here)
	run(12, transfer.ImportUpdated, at(2, "cid", "Shared@example.org", 2))
	want("eve", "dan", "ann", "cid")
	run(13, transfer.ImportUpdated, at(1, "bob", shared, 1), at(2, "cid", shared, 2), at(4, "eva", shared, 0))
	want("eva", "dan", "ann", "cid", "bob")
	run(5, transfer.ImportUpdated, at(4, "eva", "", 0)) // the clock is behind
	run(5, transfer.ImportUpdated, at(4, "eva", shared, 0))
	want("dan", "ann", "cid", "bob", "eva")
}
