package operationtest

import (
	"errors"
	"sync"
	"testing"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/store/storetest/internal/suite"
)

func addresses() []testCase {
	return []testCase{
		{"users have one to verify if it is kept", addressesKept},
		{"they are found", addressesFound},
		{"an address is verified once", addressesVerified},
		{"one user verifies an address", addressesOfOthers},
		{"concurrent users of one address", addressesRaces},
		{"an address is added once", addressesAdded},
		{"an id is not used again", addressesIDs},
	}
}

// addressStores returns the stores of addresses of both handles.
func addressStores(t *testing.T, p operables) (a, b core.AddressStore) {
	t.Helper()
	of := func(s any) core.AddressStore { return s.(interface{ Backend() core.Backend }).Backend().Addresses }
	a, b = of(p.a), of(p.b)
	if a == nil || b == nil {
		t.Fatal("no store of addresses")
	}
	return a, b
}

// kept makes a user whose address is to be verified, and returns it.
func kept(t *testing.T, p operables, name, email string) (core.User, core.Address) {
	t.Helper()
	u := suite.NewUser(name)
	u.Email, u.KeepAddress = email, true
	user := p.Add(t, u)
	a, _ := addressStores(t, p)
	found := addressesOf(t, a, core.AddressFilter{UserID: user.ID})
	if len(found) != 1 {
		t.Fatalf("%s has the addresses %+v", name, found)
	}
	return user, found[0]
}

// addressesOf returns at most 9 matching addresses.
func addressesOf(t *testing.T, s core.AddressStore, f core.AddressFilter) []core.Address {
	t.Helper()
	found, err := s.Addresses(t.Context(), f, 9)
	if err != nil {
		t.Fatalf("addresses: %v", err)
	}
	return found
}

func addressesKept(t *testing.T, p operables) {
	_, b := addressStores(t, p)
	plain := p.Add(t, suite.NewUser("plain"))
	without := suite.NewUser("without")
	without.Email, without.KeepAddress = "", true
	none := p.Add(t, without)
	ann, address := kept(t, p, "ann", "Ann@Example.org")
	suite.WantSame(t, "kept", core.Address{ID: address.ID, UserID: ann.ID, Email: "Ann@Example.org"}, address)
	if address.ID <= 0 {
		t.Errorf("id %d", address.ID)
	}
	for _, u := range []core.User{plain, none} {
		if found := addressesOf(t, b, core.AddressFilter{UserID: u.ID}); len(found) > 0 {
			t.Errorf("%s has %+v", u.Username, found)
		}
	}
	adopted := suite.NewUser("adopted")
	adopted.KeepAddress, adopted.AddressVerified = true, true
	if found := addressesOf(t, b, core.AddressFilter{UserID: p.Add(t, adopted).ID}); len(found) != 1 || !found[0].Verified {
		t.Errorf("adopted: %+v", found)
	}
	taken := suite.NewUser("ann")
	taken.Email, taken.KeepAddress = "other@example.org", true
	_, err := p.b.CreateUser(t.Context(), taken, nil, nil)
	suite.WantError(t, "taken", err, core.ErrUsernameTaken)
	if found := addressesOf(t, b, core.AddressFilter{Email: taken.Email}); len(found) > 0 {
		t.Errorf("of nobody: %+v", found)
	}
}

func addressesFound(t *testing.T, p operables) {
	_, b := addressStores(t, p)
	_, ann := kept(t, p, "ann", "ann@example.org")
	_, big := kept(t, p, "big", "ANN@example.org")
	_, zoe := kept(t, p, "zoe", "Zoë@example.org")
	if err := b.VerifyAddress(t.Context(), ann.ID, nil); err != nil {
		t.Fatal(err)
	}
	ann.Verified = true
	for _, c := range []struct {
		name string
		f    core.AddressFilter
		want []core.Address
	}{
		{"all", core.AddressFilter{}, []core.Address{ann, big, zoe}},
		{"by id", core.AddressFilter{ID: big.ID}, []core.Address{big}},
		{"by user", core.AddressFilter{UserID: zoe.UserID}, []core.Address{zoe}},
		{"exactly", core.AddressFilter{Email: "ann@example.org"}, []core.Address{ann}},
		{"in any case", core.AddressFilter{Email: "ann@EXAMPLE.org", CaseBlind: true}, []core.Address{ann, big}},
		{"other letters keep their case", core.AddressFilter{Email: "ZoË@example.org", CaseBlind: true}, nil},
		{"no pattern", core.AddressFilter{Email: "%@example.org", CaseBlind: true}, nil},
		{"verified", core.AddressFilter{Email: "ANN@example.org", CaseBlind: true, Verified: true}, []core.Address{ann}},
		{"another's", core.AddressFilter{UserID: big.UserID, Email: "ann@example.org"}, nil},
		{"gone", core.AddressFilter{ID: zoe.ID + 1}, nil},
		{"no UTF-8", core.AddressFilter{Email: "\xff"}, nil},
	} {
		suite.WantSame(t, c.name, c.want, addressesOf(t, b, c.f))
	}
	if found, err := b.Addresses(t.Context(), core.AddressFilter{}, 2); err != nil || len(found) != 2 {
		t.Errorf("two of three: %+v, %v", found, err)
	}
}

func addressesVerified(t *testing.T, p operables) {
	a, b := addressStores(t, p)
	ann, address := kept(t, p, "ann", "ann@example.org")
	entry := core.AuditEntry{At: suite.Noon(), Action: core.ActionVerifyEmail, Outcome: core.OK, UserID: ann.ID}
	if err := a.VerifyAddress(t.Context(), address.ID, &entry); err != nil {
		t.Fatal(err)
	}
	address.Verified = true
	suite.WantSame(t, "verified", []core.Address{address}, addressesOf(t, b, core.AddressFilter{ID: address.ID}))
	suite.WantError(t, "again", b.VerifyAddress(t.Context(), address.ID, &entry), core.ErrNotFound)
	suite.WantError(t, "gone", b.VerifyAddress(t.Context(), address.ID+1, &entry), core.ErrNotFound)
	entries, err := p.b.AuditEntries(t.Context(), core.AuditFilter{Action: core.ActionVerifyEmail}, 9)
	if err != nil || len(entries) != 1 {
		t.Errorf("recorded: %+v, %v", entries, err)
	}
}

func addressesOfOthers(t *testing.T, p operables) {
	a, b := addressStores(t, p)
	_, first := kept(t, p, "first", "ann@example.org")
	_, second := kept(t, p, "second", "Ann@Example.org")
	if err := a.VerifyAddress(t.Context(), second.ID, nil); err != nil {
		t.Fatal(err)
	}
	suite.WantError(t, "the first", b.VerifyAddress(t.Context(), first.ID, nil), core.ErrEmailTaken)
	suite.WantSame(t, "verified", []core.Address{{ID: second.ID, UserID: second.UserID, Email: second.Email, Verified: true}}, addressesOf(t, b, core.AddressFilter{Verified: true}))
}

func addressesRaces(t *testing.T, p operables) {
	a, b := addressStores(t, p)
	var all []core.Address
	for _, name := range []string{"ann", "bob", "cid", "dan"} {
		_, address := kept(t, p, name, "shared@example.org")
		all = append(all, address)
	}
	errs := make([]error, len(all))
	var done sync.WaitGroup
	for i, address := range all {
		s := a
		if i%2 > 0 {
			s = b
		}
		done.Go(func() { errs[i] = s.VerifyAddress(t.Context(), address.ID, nil) })
	}
	done.Wait()
	verified := 0
	for _, err := range errs {
		if err == nil {
			verified++
		} else if !errors.Is(err, core.ErrEmailTaken) {
			t.Error(err)
		}
	}
	if found := addressesOf(t, a, core.AddressFilter{Verified: true}); verified != 1 || len(found) != 1 {
		t.Errorf("%d verified, and are %+v", verified, found)
	}
}

func addressesAdded(t *testing.T, p operables) {
	a, b := addressStores(t, p)
	ann := p.Add(t, suite.NewUser("ann"))
	added, err := a.AddAddress(t.Context(), ann.ID, "ann@example.org")
	if err != nil {
		t.Fatal(err)
	}
	suite.WantSame(t, "added", core.Address{ID: added.ID, UserID: ann.ID, Email: "ann@example.org"}, added)
	if err := b.VerifyAddress(t.Context(), added.ID, nil); err != nil {
		t.Fatal(err)
	}
	added.Verified = true
	again, err := b.AddAddress(t.Context(), ann.ID, "ann@example.org")
	if err != nil {
		t.Fatal(err)
	}
	suite.WantSame(t, "again", added, again)
	other, err := b.AddAddress(t.Context(), ann.ID, "other@example.org")
	if err != nil || other.ID == added.ID || other.Verified {
		t.Errorf("another: %+v, %v", other, err)
	}
	_, err = a.AddAddress(t.Context(), ann.ID+1, "ann@example.org")
	suite.WantError(t, "of nobody", err, core.ErrNotFound)
}

func addressesIDs(t *testing.T, p operables) {
	a, b := addressStores(t, p)
	ann, address := kept(t, p, "ann", "ann@example.org")
	accounts := p.b.(core.AccountStore)
	if err := accounts.RemoveUser(t.Context(), ann.ID, "hash of ann", nil); err != nil {
		t.Fatal(err)
	}
	if found := addressesOf(t, b, core.AddressFilter{}); len(found) > 0 {
		t.Errorf("left: %+v", found)
	}
	suite.WantError(t, "verify", a.VerifyAddress(t.Context(), address.ID, nil), core.ErrNotFound)
	if _, next := kept(t, p, "bob", "bob@example.org"); next.ID <= address.ID {
		t.Errorf("id %d after %d", next.ID, address.ID)
	}
}
