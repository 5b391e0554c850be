package transfer_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/sealing"
	"github.com/authcompat/authcompat/store/django/tables"
	"github.com/authcompat/authcompat/store/django/transfer"
)

// TestRehearsedRefusals rehearses and imports sources with users that are refused, or
// that were changed or deleted here: their tokens are counted alike, and the others are
// imported.
func TestRehearsedRefusals(t *testing.T) {
	for name, test := range map[string]struct {
		here   []string // names of users who exist here before the import
		sql    string
		m      tables.Mapping
		users  transfer.Counts
		tokens transfer.Counts
	}{
		"a name that is taken here":   {[]string{"u1", "other"}, ``, tables.Mapping{}, transfer.Counts{Read: 4, Added: 3, Refused: 1}, transfer.Counts{Read: 4, Added: 3, Refused: 1}},
		"all names are taken here":    {[]string{"u0", "u1", "u2", "u3"}, ``, tables.Mapping{}, transfer.Counts{Read: 4, Refused: 4}, transfer.Counts{Read: 4, Refused: 4}},
		"ids that are taken here":     {[]string{"a", "b", "c"}, ``, tables.Mapping{}, transfer.Counts{Read: 4, Added: 4}, transfer.Counts{Read: 4, Added: 4}},
		"a date that is none":         {nil, `UPDATE auth_user SET date_joined = 'soon' WHERE id = 2`, tables.Mapping{}, transfer.Counts{Read: 4, Added: 3, Refused: 1}, transfer.Counts{Read: 4, Added: 3, Refused: 1}},
		"no name":                     {nil, `UPDATE auth_user SET username = '' WHERE id = 4`, tables.Mapping{}, transfer.Counts{Read: 4, Added: 3, Refused: 1}, transfer.Counts{Read: 4, Added: 3, Refused: 1}},
		"one name in lower case":      {nil, `UPDATE auth_user SET username = 'U0' WHERE id = 3`, tables.Mapping{UsernameCase: "lower"}, transfer.Counts{Read: 4, Added: 3, Refused: 1}, transfer.Counts{Read: 4, Added: 3, Refused: 1}},
		"tokens that are none":        {nil, `UPDATE authtoken_token SET key = '' WHERE user_id = 1`, tables.Mapping{}, transfer.Counts{Read: 4, Added: 4}, transfer.Counts{Read: 4, Added: 3, Refused: 1}},
		"tokens of nobody":            {nil, `DELETE FROM auth_user WHERE id IN (1, 3)`, tables.Mapping{}, transfer.Counts{Read: 2, Added: 2}, transfer.Counts{Read: 4, Added: 2, Refused: 2}},
		"an id that can't be kept":    {nil, `UPDATE auth_user SET id = -9 WHERE id = 4`, tables.Mapping{}, transfer.Counts{Read: 4, Added: 4}, transfer.Counts{Read: 4, Added: 3, Refused: 1}},
		"an id that leaves no room":   {nil, `UPDATE auth_user SET id = 9223372036854775807 WHERE id = 4; UPDATE authtoken_token SET user_id = 9223372036854775807 WHERE user_id = 4`, tables.Mapping{}, transfer.Counts{Read: 4, Added: 4}, transfer.Counts{Read: 4, Added: 4}},
		"a name of another, swapped":  {[]string{"u3"}, `UPDATE auth_user SET username = 'x' WHERE id = 4; UPDATE auth_user SET username = 'u3' WHERE id = 1`, tables.Mapping{}, transfer.Counts{Read: 4, Added: 3, Refused: 1}, transfer.Counts{Read: 4, Added: 3, Refused: 1}},
		"nothing but what is refused": {nil, `UPDATE auth_user SET is_active = 'perhaps'`, tables.Mapping{}, transfer.Counts{Read: 4, Refused: 4}, transfer.Counts{Read: 4, Refused: 4}},
		"a token's date that is none": {nil, `UPDATE authtoken_token SET created = '2026-13-01' WHERE user_id = 2`, tables.Mapping{}, transfer.Counts{Read: 4, Added: 4}, transfer.Counts{Read: 4, Added: 3, Refused: 1}},
	} {
		t.Run(name, func(t *testing.T) {
			path, h := manyUsers(t, 4), mustHouse(t)
			for _, name := range test.here {
				if _, err := h.service.CreateUser(t.Context(), policy, core.Registration{Username: name, Password: "of one who is here"}); err != nil {
					t.Fatal(err)
				}
			}
			if test.sql != "" {
				mustExec(t, path, test.sql)
			}
			report, err := h.both(t, test.m, nil, path)
			if err != nil || report.Users != test.users || report.Tokens["authtoken_token"] != test.tokens {
				t.Errorf("%+v, %v", report, err)
			}
			if report.Refused() != test.users.Refused+test.tokens.Refused || len(report.Problems) < report.Refused() {
				t.Errorf("%d rows were refused: %v", report.Refused(), report.Problems)
			}
			if again, err := h.both(t, test.m, nil, path); err != nil || again.Users.Added+again.Tokens["authtoken_token"].Added+again.Ended > 0 {
				t.Errorf("again: %+v, %v", again, err)
			}
			if _, err := h.service.CreateUser(t.Context(), policy, core.Registration{Username: "late", Password: "of one who comes later"}); err != nil {
				t.Errorf("nobody can register: %v", err)
			}
		})
	}
}

// TestUnsealed imports without a sealing key: the report says of the imported tokens,
// and only of these, that they can't be returned again.
func TestUnsealed(t *testing.T) {
	path, h := manyUsers(t, 4), mustHouse(t)
	mustExec(t, path, `DELETE FROM auth_user WHERE id = 2`, `UPDATE authtoken_token SET created = '2025-01-01 00:00:00' WHERE user_id = 3`)
	ending := policy
	ending.Reuse, ending.TTL = false, 300*24*time.Hour
	change := func(o *transfer.Options) {
		o.Sealer, o.Policy, o.Clock = sealing.Sealer{}, ending, func() time.Time { return time.Date(2026, 2, 1, 0, 0, 0, 0, utc) }
	}
	for range 2 {
		report, err := h.both(t, tables.Mapping{}, change, path)
		if n := report.Tokens["authtoken_token"]; err != nil || report.Unsealed != 2 || n.Refused != 1 || n.Expired != 1 {
			t.Errorf("%+v, %v", report, err)
		}
	}
}

// TestWithoutProfileOrKey imports two tables of tokens, in either order: where one of them
// needs a profile, or the key that seals, nothing is imported without.
func TestWithoutProfileOrKey(t *testing.T) {
	path := manyUsers(t, 2)
	mustExec(t, path, `CREATE TABLE knox_authtoken (digest varchar(128) PRIMARY KEY, created datetime, user_id integer, expiry datetime, token_key varchar(25))`,
		`INSERT INTO knox_authtoken VALUES ('`+sha512hex("a token")+`', `+joined+`, 1, NULL, 'a token')`)
	for _, order := range []tables.Names{{"knox_authtoken", "authtoken_token"}, {"authtoken_token", "knox_authtoken"}} {
		for want, change := range map[error]func(*transfer.Options){
			transfer.ErrNoProfile: func(o *transfer.Options) { o.NoProfile = true },
			transfer.ErrNoKey:     func(o *transfer.Options) { o.Sealer = sealing.Sealer{} },
		} {
			h := mustHouse(t)
			_, err := h.both(t, tables.Mapping{TokenTables: order}, change, path)
			if !errors.Is(err, want) {
				t.Errorf("%v: error %v, want %v", order, err, want)
			}
			if users, err := h.store.ExportUsers(t.Context(), 0, 9); err != nil || len(users) > 0 {
				t.Errorf("%v: %d users were written, %v", order, len(users), err)
			}
		}
	}
}

// TestDeletedHere deletes users of the source here: they are not restored, and users
// who register in their place are not mistaken for them.
func TestDeletedHere(t *testing.T) {
	path, h := manyUsers(t, 3), mustHouse(t)
	if _, err := h.both(t, tables.Mapping{}, nil, path); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"u1", "u2"} {
		account, err := h.store.Account(t.Context(), name)
		if err == nil {
			err = h.store.DeleteUser(t.Context(), account.ID, nil)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	fresh := h.mustRegister(t, policy, "u2")
	for range 2 {
		report, err := h.both(t, tables.Mapping{}, nil, path)
		if err != nil || report.Users.Kept != 2 || report.Users.Unchanged != 1 || report.Tokens["authtoken_token"].Added+report.Ended > 0 {
			t.Fatalf("%+v, %v", report, err)
		}
		h.wantOwners(t, map[string]string{text("u0"): "u0", text("u1"): "", text("u2"): ""})
		if session, err := h.service.Authenticate(t.Context(), policy, core.Presented(fresh)); err != nil || session.User.Username != "u2" {
			t.Errorf("who registered here: %+v, %v", session.User, err)
		}
		if session, err := h.service.Login(t.Context(), policy, "u2", "a password"); err != nil || session.Key != fresh {
			t.Errorf("who registered here: %v", err)
		}
	}
}

// TestDeletedThere deletes users at the source: they stay here, without the imported
// tokens; and an export gives tokens of theirs to nobody, even if no foreign key
// prevents it.
func TestDeletedThere(t *testing.T) {
	for name, reference := range map[string]string{"foreign key": " REFERENCES auth_user (id)", "no foreign key": ""} {
		t.Run(name, func(t *testing.T) {
			statements := []string{`CREATE TABLE auth_user (id integer PRIMARY KEY, ` + columns + `)`,
				`CREATE TABLE authtoken_token (key varchar(40) PRIMARY KEY, created datetime NOT NULL, user_id integer NOT NULL UNIQUE` + reference + `)`}
			for i, name := range []string{"ann", "bob"} {
				statements = append(statements, fmt.Sprintf(`INSERT INTO auth_user VALUES (%d, %s)`, i+1, user(name)),
					fmt.Sprintf(`INSERT INTO authtoken_token VALUES ('%s', %s, %d)`, text(name), joined, i+1))
			}
			path, h := mustSQL(t, statements...), mustHouse(t)
			if _, err := h.both(t, tables.Mapping{}, nil, path); err != nil {
				t.Fatal(err)
			}
			mustExec(t, path, `DELETE FROM authtoken_token WHERE user_id = 2`, `DELETE FROM auth_user WHERE id = 2`)
			report, err := h.both(t, tables.Mapping{}, nil, path)
			if err != nil || report.Ended != 1 {
				t.Fatalf("%+v, %v", report, err)
			}
			h.wantOwners(t, map[string]string{text("ann"): "ann", text("bob"): ""})
			if _, err := h.service.Login(t.Context(), policy, "bob", "pw-bob"); err != nil {
				t.Fatal(err)
			}
			back := h.give(t, path)
			if back.Users.Kept != 1 || back.Tokens.Refused != 1 || back.Tokens.Added > 0 {
				t.Errorf("export: %+v", back)
			}
			wantCount(t, path, 0, `SELECT count(*) FROM authtoken_token WHERE user_id = 2`)
		})
	}
}
