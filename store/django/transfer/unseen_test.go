package transfer_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/authcompat/authcompat/store/django/tables"
	"github.com/authcompat/authcompat/store/django/transfer"
)

// TestUsersOnlyDump imports a dump of the users alone under the name of one with
// tokens: a token that is not in the dump is not revoked.
func TestUsersOnlyDump(t *testing.T) {
	ann, bob := dumpUserObject("auth.user", "1", "ann"), dumpUserObject("auth.user", "2", "bob")
	tokens := []string{dumpTokenObject("ann", "1"), dumpTokenObject("bob", "2")}
	byName := []string{dumpTokenObject("ann", `["ann"]`), dumpTokenObject("bob", `["bob"]`)}
	knox := fmt.Sprintf(`{"model": "knox.authtoken", "pk": "%s", "fields": {"user": 1, "created": "2026-01-02T03:04:05Z", "expiry": null, "token_key": "123456789012345"}}`, sha512hex("x"))
	whole := objects(append(tokens, ann, bob)...)
	tests := []struct {
		name          string
		first, second []string // contents of the files
	}{
		{"users alone", []string{whole}, []string{objects(ann, bob)}},
		{"with a user more", []string{whole}, []string{objects(ann, bob, dumpUserObject("auth.user", "3", "cid"))}},
		{"the second file is left out", []string{objects(ann, bob), objects(tokens...)}, []string{objects(ann, bob)}},
		{"the second file is an empty list", []string{objects(ann, bob), objects(tokens...)}, []string{objects(ann, bob), "[]"}},
		{"natural keys", []string{objects(append(byName, ann, bob)...)}, []string{objects(ann, bob)}},
		{"tokens of another kind instead", []string{whole}, []string{objects(ann, bob, knox)}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			h := mustHouse(t)
			first := dumpOf(t, test.first...)
			if _, err := h.both(t, tables.Mapping{}, named(first[0]), first...); err != nil {
				t.Fatal(err)
			}
			second := dumpOf(t, test.second...)
			_, err := h.both(t, tables.Mapping{}, named(first[0]), second...)
			if err == nil || !contains(err.Error(), "--token-table") || contains(err.Error(), "\n") {
				t.Errorf("error %v, want one line that names --token-table", err)
			}
			want := map[string]string{text("ann"): "ann", text("bob"): "bob"}
			h.wantOwners(t, want)
			report, err := h.both(t, tables.Mapping{TokenTables: tables.Names{tables.NoTokens}}, named(first[0]), second...)
			if err != nil || report.Ended > 0 || len(report.Tokens) > 0 {
				t.Fatalf("tokens left by order: %+v, %v", report, err)
			}
			h.wantOwners(t, want)
			report, err = h.both(t, tables.Mapping{}, named(first[0]), first...)
			if err != nil || report.Tokens["authtoken_token"].Unchanged != 2 || report.Ended > 0 {
				t.Errorf("the whole dump again: %+v, %v", report, err)
			}
			h.wantOwners(t, want)
		})
	}
}

// TestSinceEndsNothing reads only rows since a date: most tokens are not seen, and none
// is revoked. A complete run then revokes those that are really gone.
func TestSinceEndsNothing(t *testing.T) {
	dump := func(n int, gone int) string {
		var list []string
		for i := range n {
			name := fmt.Sprint("u", i)
			list = append(list, dumpUserObject("auth.user", fmt.Sprint(i+1), name))
			if i >= gone {
				list = append(list, dumpTokenObject(name, fmt.Sprint(i+1)))
			}
		}
		return objects(list...)
	}
	const users, gone = 30, 3
	sources := map[string]func(*testing.T) (before, after string){
		"sqlite": func(t *testing.T) (string, string) {
			path := manyUsers(t, users)
			return path, path
		},
		"dump": func(t *testing.T) (string, string) {
			paths := dumpOf(t, dump(users, 0), dump(users, gone))
			return paths[0], paths[1]
		},
	}
	for name, make := range sources {
		for _, since := range []time.Time{time.Date(2026, 1, 1, 0, 0, 0, 0, utc), time.Date(2027, 1, 1, 0, 0, 0, 0, utc)} {
			for _, end := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s since %s, end %t", name, since.Format(time.DateOnly), end), func(t *testing.T) {
					before, after := make(t)
					h := mustHouse(t)
					options := func(since time.Time) func(*transfer.Options) {
						return func(o *transfer.Options) { o.Name, o.Since, o.EndTokens = "site", since, end }
					}
					if _, err := h.both(t, tables.Mapping{}, options(time.Time{}), before); err != nil {
						t.Fatal(err)
					}
					if before == after {
						mustExec(t, before, fmt.Sprintf(`DELETE FROM authtoken_token WHERE user_id <= %d`, gone))
					}
					report, err := h.both(t, tables.Mapping{}, options(since), after)
					if err != nil || report.Ended > 0 {
						t.Fatalf("since %v: %+v, %v", since, report, err)
					}
					want := map[string]string{}
					for i := range users {
						want[text(fmt.Sprint("u", i))] = fmt.Sprint("u", i)
					}
					h.wantOwners(t, want)
					if report, err = h.both(t, tables.Mapping{}, options(time.Time{}), after); err != nil || report.Ended != gone {
						t.Errorf("a whole run: %+v, %v", report, err)
					}
					for i := range gone {
						want[text(fmt.Sprint("u", i))] = ""
					}
					h.wantOwners(t, want)
				})
			}
		}
	}
}

// TestSinceFirst begins with a run since a date; a complete one imports the rest.
func TestSinceFirst(t *testing.T) {
	path, h := manyUsers(t, 20), mustHouse(t)
	// Users who joined long ago, and tokens of others that are older than the date.
	mustExec(t, path, `UPDATE authtoken_token SET created = '2025-01-01 00:00:00' WHERE user_id > 10`, `UPDATE auth_user SET date_joined = '2025-01-01 00:00:00' WHERE id > 15`)
	report, err := h.both(t, tables.Mapping{}, func(o *transfer.Options) { o.Since = time.Date(2026, 1, 1, 0, 0, 0, 0, utc) }, path)
	if err != nil || report.Users.Added != 15 || report.Tokens["authtoken_token"].Added != 10 || report.Ended > 0 {
		t.Fatalf("%+v, %v", report, err)
	}
	report, err = h.both(t, tables.Mapping{}, nil, path)
	if err != nil || report.Users.Added != 5 || report.Tokens["authtoken_token"].Added != 10 || report.Ended > 0 {
		t.Fatalf("%+v, %v", report, err)
	}
	h.wantOwners(t, map[string]string{text("u0"): "u0", text("u12"): "u12", text("u19"): "u19"})
}
