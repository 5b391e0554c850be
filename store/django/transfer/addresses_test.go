package transfer_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/store/django/tables"
)

// emailAddresses is django-allauth's table, and its rows for ann and bob.
const emailAddresses = `CREATE TABLE account_emailaddress (id integer PRIMARY KEY, email varchar(254) NOT NULL, verified bool NOT NULL, "primary" bool NOT NULL, user_id integer NOT NULL REFERENCES auth_user (id))`

// TestAddresses has imports take over who has verified an address, under the IDs of which keys in mails are made.
func TestAddresses(t *testing.T) {
	path := mustSQL(t, `CREATE TABLE auth_user (id integer PRIMARY KEY, `+columns+`)`, fmt.Sprintf(authtoken, "auth_user (id)"), emailAddresses,
		`INSERT INTO auth_user VALUES (3, `+user("ann")+`), (4, `+user("bob")+`)`,
		`INSERT INTO account_emailaddress VALUES (7, 'ann@example.org', 1, 1, 3), (8, 'bob@example.org', 0, 1, 4), (9, 'bob@example.com', 1, 0, 4), (10, 'of@nobody.org', 1, 1, 99), (11, '', 1, 1, 3)`)
	h := mustHouse(t)
	book := h.store.Backend().Addresses
	all := func() []core.Address {
		t.Helper()
		found, err := book.Addresses(t.Context(), core.AddressFilter{}, 99)
		if err != nil {
			t.Fatal(err)
		}
		return found
	}
	report, err := h.both(t, tables.Mapping{}, nil, path)
	if err != nil || report.Addresses != 3 {
		t.Fatalf("%+v, %v", report, err)
	}
	want := []core.Address{{ID: 7, UserID: 3, Email: "ann@example.org", Verified: true}, {ID: 8, UserID: 4, Email: "bob@example.org"}, {ID: 9, UserID: 4, Email: "bob@example.com", Verified: true}}
	if diff := cmp.Diff(want, all()); diff != "" {
		t.Error(diff)
	}
	// One that is made here has no ID of Django's, and what was verified on either side stays so.
	carl, err := h.store.CreateUser(t.Context(), core.NewUser{Username: "carl", Email: "carl@example.org", PasswordHash: "!", KeepAddress: true}, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := book.VerifyAddress(t.Context(), 8, nil); err != nil {
		t.Fatal(err)
	}
	mustExec(t, path, `UPDATE account_emailaddress SET verified = 0 WHERE id = 7`)
	if _, err := h.both(t, tables.Mapping{}, nil, path); err != nil {
		t.Fatal(err)
	}
	want[1].Verified = true
	want = append(want, core.Address{ID: 1 << 60, UserID: carl.ID, Email: "carl@example.org"})
	if diff := cmp.Diff(want, all()); diff != "" {
		t.Error(diff)
	}
}

// TestAddressChangedInPlace has a source change an address under its ID: a key that was mailed to the new one, and names the ID alone,
// verifies no other here.
func TestAddressChangedInPlace(t *testing.T) {
	path := mustSQL(t, `CREATE TABLE auth_user (id integer PRIMARY KEY, `+columns+`)`, fmt.Sprintf(authtoken, "auth_user (id)"), emailAddresses,
		`INSERT INTO auth_user VALUES (3, `+user("ann")+`), (4, `+user("bob")+`)`,
		`INSERT INTO account_emailaddress VALUES (7, 'chief@example.org', 0, 1, 3), (8, 'bob@example.org', 1, 1, 4)`)
	h := mustHouse(t)
	if _, err := h.both(t, tables.Mapping{}, nil, path); err != nil {
		t.Fatal(err)
	}
	mustExec(t, path, `UPDATE account_emailaddress SET email = 'ann@example.net' WHERE id = 7`, `UPDATE account_emailaddress SET email = 'bob@example.net', verified = 0 WHERE id = 8`)
	for range 2 {
		if _, err := h.both(t, tables.Mapping{}, nil, path); err != nil {
			t.Fatal(err)
		}
	}
	got, err := h.store.Backend().Addresses.Addresses(t.Context(), core.AddressFilter{}, 99)
	if err != nil {
		t.Fatal(err)
	}
	want := []core.Address{
		{ID: 7, UserID: 3, Email: "ann@example.net"}, {ID: 8, UserID: 4, Email: "bob@example.net"},
		{ID: 1 << 60, UserID: 3, Email: "chief@example.org"}, {ID: 1<<60 + 1, UserID: 4, Email: "bob@example.org", Verified: true},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestAddressesOfADump reads them from a dumpdata, and gives another ID to one whose ID is taken.
func TestAddressesOfADump(t *testing.T) {
	dump := filepath.Join(t.TempDir(), "dump.json")
	text := `[{"model": "auth.user", "pk": 3, "fields": {"username": "ann", "email": "ann@example.org", "password": "!", "last_login": null, "date_joined": "2026-01-02T03:04:05Z", "is_active": true}},
		{"model": "account.emailaddress", "pk": 7, "fields": {"user": 3, "email": "ann@example.org", "verified": true, "primary": true}},
		{"model": "account.emailaddress", "pk": 1152921504606846976, "fields": {"user": 3, "email": "late@example.org", "verified": false, "primary": false}}]`
	if err := os.WriteFile(dump, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	h := mustHouse(t)
	for range 2 {
		if _, err := h.both(t, tables.Mapping{TokenTables: []string{tables.NoTokens}}, nil, dump); err != nil {
			t.Fatal(err)
		}
	}
	found, err := h.store.Backend().Addresses.Addresses(t.Context(), core.AddressFilter{}, 99)
	if err != nil {
		t.Fatal(err)
	}
	want := []core.Address{{ID: 7, UserID: 3, Email: "ann@example.org", Verified: true}, {ID: 1 << 60, UserID: 3, Email: "late@example.org"}}
	if diff := cmp.Diff(want, found); diff != "" {
		t.Error(diff)
	}
}
