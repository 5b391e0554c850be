package live_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/store/django/djangotest"
	"github.com/authcompat/authcompat/store/django/live"
	"github.com/authcompat/authcompat/store/postgres/postgrestest"
)

// nicknamed is djangotest.UsersDDL with a further column.
var nicknamed = strings.Replace(djangotest.UsersDDL, "password varchar", "nickname varchar(30) NOT NULL DEFAULT '', password varchar", 1)

// migrations are what manage.py migrate does to the users while a server runs.
var migrations = []struct {
	name                 string
	statements           []string
	onPostgres, onSQLite bool
}{
	{name: "RemoveField", onPostgres: true, onSQLite: true, statements: []string{`ALTER TABLE auth_user DROP COLUMN nickname`}},
	{name: "RenameField", onPostgres: true, onSQLite: true, statements: []string{`ALTER TABLE auth_user RENAME COLUMN nickname TO "Known as"`}},
	{name: "AlterModelTable", onPostgres: true, onSQLite: true, statements: []string{`ALTER TABLE auth_user RENAME TO people`}},
	{name: "AddField with a default", onPostgres: true, statements: []string{ // which Django drops again
		`ALTER TABLE auth_user ADD COLUMN plan varchar(10) NOT NULL DEFAULT 'free'`, `ALTER TABLE auth_user ALTER COLUMN plan DROP DEFAULT`,
	}},
	{name: "AddField with a default", onSQLite: true, statements: []string{ // for which Django makes the table anew
		strings.NewReplacer("CREATE TABLE auth_user", "CREATE TABLE new__auth_user", "id ID", "id integer NOT NULL PRIMARY KEY AUTOINCREMENT", "TIME", "datetime",
			"password varchar(128)", "plan varchar(10) NOT NULL, password varchar(128)").Replace(nicknamed),
		`INSERT INTO new__auth_user (id, nickname, plan, password, last_login, is_superuser, username, last_name, email, is_staff, is_active, date_joined, first_name)
			SELECT id, nickname, 'free', password, last_login, is_superuser, username, last_name, email, is_staff, is_active, date_joined, first_name FROM auth_user`,
		`DROP TABLE auth_user`,
		`ALTER TABLE new__auth_user RENAME TO auth_user`,
	}},
}

// TestMigration changes Django's tables under open stores: each call goes on working.
func TestMigration(t *testing.T) {
	for name, create := range databases(nicknamed, djangotest.KnoxDDL) {
		for _, migration := range migrations {
			if name == "postgres" && !migration.onPostgres || name == "sqlite" && !migration.onSQLite {
				continue
			}
			t.Run(name+"/"+migration.name, func(t *testing.T) {
				d := create(t)
				first := mustOpen(t, d.source)
				ann, err := first.CreateUser(t.Context(), core.NewUser{Username: "ann", PasswordHash: "!ann", Attributes: map[string]string{"location": "Ulm"}}, nil, nil)
				if err != nil {
					t.Fatal(err)
				}
				calls := afterMigration(t, ann)
				stores := map[string]*live.Store{}
				for call := range calls {
					issue(t, first, ann, call)
					stores[call] = mustOpen(t, d.source).(*live.Store)
				}
				for _, statement := range migration.statements {
					if err := d.exec(t, statement); err != nil {
						t.Fatal(err)
					}
				}
				for call, do := range calls {
					if err := do(stores[call], call); err != nil {
						t.Errorf("%s: %v", call, err)
					}
				}
			})
		}
	}
}

// afterMigration returns the calls that read or write Django's tables. Each gets a store and
// the name of a token.
func afterMigration(t *testing.T, u core.User) map[string]func(s *live.Store, name string) error {
	token := func(name string) core.Token {
		return core.Token{Digest: keyOf(name).SHA256(), Plaintext: keyOf(name), UserID: u.ID, Realm: core.DefaultRealm, CreatedAt: time.Now()}
	}
	return map[string]func(*live.Store, string) error{
		"register": func(s *live.Store, _ string) error {
			_, err := s.CreateUser(t.Context(), core.NewUser{Username: "bob", PasswordHash: "!"}, func(u core.User) (core.Token, error) {
				t := token("of bob")
				t.UserID = u.ID
				return t, nil
			}, &core.AuditEntry{Action: core.ActionRegister, Outcome: core.OK})
			return err
		},
		"account": func(s *live.Store, _ string) error {
			account, err := s.Account(t.Context(), "ann")
			if err == nil && account.Attributes["location"] != "Ulm" {
				err = fmt.Errorf("account %+v", account)
			}
			return err
		},
		"fold": func(s *live.Store, _ string) error {
			_, err := s.Backend().FoldUsername(t.Context(), "ann")
			return err
		},
		"find": func(s *live.Store, name string) error { return find(t, s, name) },
		"issue": func(s *live.Store, _ string) error {
			return s.IssueToken(t.Context(), token("issued"), "", 0, nil)
		},
		"reuse": func(s *live.Store, _ string) error {
			_, err := s.ReuseToken(t.Context(), token("reused"), "", time.Now(), nil)
			return err
		},
		"extend": func(s *live.Store, name string) error {
			return s.ExtendExpiry(t.Context(), keyOf(name).SHA256(), time.Now().Add(time.Hour), time.Now())
		},
		"logout": func(s *live.Store, name string) error { return s.DeleteToken(t.Context(), keyOf(name).SHA256(), nil) },
		"password": func(s *live.Store, _ string) error {
			return s.UpdatePassword(t.Context(), u.ID, "!ann", "!ann", false, nil)
		},
		"ping":       func(s *live.Store, _ string) error { return s.Ping(t.Context()) },
		"hash costs": func(s *live.Store, _ string) error { _, err := s.PasswordFormatCounts(t.Context()); return err },
		"warnings":   func(s *live.Store, _ string) error { _, err := s.Warnings(t.Context()); return err },
	}
}

// watched opens a store on PostgreSQL and returns how often it has read the catalogue since.
func watched(t *testing.T, ddl ...string) (s *live.Store, d database, readings func() int64) {
	t.Helper()
	dsn := postgresDSN(t, ddl...)
	proxy, through := postgrestest.NewSharedProxy(t, dsn)
	s = mustOpen(t, postgrestest.With(t, through, "wait", patient)).(*live.Store)
	var read atomic.Int64
	proxy.Judge(func(request string) postgrestest.Action {
		if strings.Contains(request, "indisprimary") && !strings.Contains(request, "NOT i.indisprimary") {
			read.Add(1)
		}
		return postgrestest.Pass
	})
	return s, database{driver: "postgres", dsn: dsn}, read.Load
}

func mustExec(t *testing.T, d database, statements ...string) {
	t.Helper()
	for _, statement := range statements {
		if err := d.exec(t, statement); err != nil {
			t.Fatal(err)
		}
	}
}

// TestStormAfterMigration has many calls fail at once: one reads the tables for all.
func TestStormAfterMigration(t *testing.T) {
	t.Parallel()
	s, d, readings := watched(t, nicknamed, djangotest.KnoxDDL)
	ann, err := s.CreateUser(t.Context(), core.NewUser{Username: "ann", PasswordHash: "!"}, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	issue(t, s, ann, "first")
	mustExec(t, d, `ALTER TABLE auth_user DROP COLUMN nickname`)
	var done sync.WaitGroup
	for range 16 {
		done.Go(func() {
			if err := find(t, s, "first"); err != nil {
				t.Error(err)
			}
		})
	}
	done.Wait()
	if n := readings(); n != 1 {
		t.Errorf("the catalogue was read %d times", n)
	}
}

// TestUnfitTables has a column for which no value is known, whatever is read again: what
// needs it fails as on an unavailable store, without a reading for each call, and the rest
// works on.
func TestUnfitTables(t *testing.T) {
	t.Parallel()
	s, d, readings := watched(t, nicknamed, djangotest.KnoxDDL)
	ann, err := s.CreateUser(t.Context(), core.NewUser{Username: "ann", PasswordHash: "!"}, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	issue(t, s, ann, "first")
	mustExec(t, d, `ALTER TABLE auth_user ADD COLUMN settings jsonb NOT NULL DEFAULT '{}'`, `ALTER TABLE auth_user ALTER COLUMN settings DROP DEFAULT`)
	began := time.Now()
	const calls = 50
	for i := range calls {
		bob := core.NewUser{Username: "bob", PasswordHash: "!"}
		if i%2 == 1 {
			bob.Attributes = map[string]string{"first_name": "Bob"} // which is not to blame
		}
		_, err := s.CreateUser(t.Context(), bob, nil, nil)
		if !errors.Is(err, core.ErrUnavailable) || !strings.Contains(err.Error(), "--map") || !strings.Contains(err.Error(), "(22P02)") {
			t.Fatalf("register: %v", err)
		}
	}
	if n, most := readings(), 2+int64(time.Since(began)/time.Second); n > most {
		t.Errorf("%d calls read the catalogue %d times", calls, n)
	}
	if err := errors.Join(find(t, s, "first"), s.Ping(t.Context())); err != nil {
		t.Error(err)
	}
	postgrestest.Eventually(t, func() error { // the tables are read again when they have been unfit for a moment
		mustExec(t, d, `ALTER TABLE auth_user ALTER COLUMN settings DROP NOT NULL`)
		_, err := s.CreateUser(t.Context(), core.NewUser{Username: "carol", PasswordHash: "!"}, nil, nil)
		return err
	})
}

// TestTablesGone takes away what no reading can make good: calls and Ping fail as on an
// unavailable store, and all work again once it is back.
func TestTablesGone(t *testing.T) {
	for name, create := range databases(nicknamed, djangotest.KnoxDDL) {
		for what, statements := range map[string][2]string{
			"tokens":           {`ALTER TABLE knox_authtoken RENAME TO away`, `ALTER TABLE away RENAME TO knox_authtoken`},
			"auxiliary tables": {`ALTER TABLE authcompat_tokens RENAME TO away`, `ALTER TABLE away RENAME TO authcompat_tokens`},
			"the passwords":    {`ALTER TABLE auth_user RENAME COLUMN password TO secret`, `ALTER TABLE auth_user RENAME COLUMN secret TO password`},
		} {
			t.Run(name+"/"+what, func(t *testing.T) {
				t.Parallel()
				d := create(t)
				s := mustOpen(t, d.source).(*live.Store)
				ann, err := s.CreateUser(t.Context(), core.NewUser{Username: "ann", PasswordHash: "!"}, nil, nil)
				if err != nil {
					t.Fatal(err)
				}
				issue(t, s, ann, "first")
				mustExec(t, d, statements[0])
				if err := find(t, s, "first"); !errors.Is(err, core.ErrUnavailable) {
					t.Errorf("check: %v", err)
				}
				if err := s.Ping(t.Context()); !errors.Is(err, core.ErrUnavailable) {
					t.Errorf("ping: %v", err)
				}
				mustExec(t, d, statements[1])
				postgrestest.Eventually(t, func() error { return errors.Join(find(t, s, "first"), s.Ping(t.Context())) })
			})
		}
	}
}

// TestNewReferenceToTokens adds a table that refers to tokens, as no store is opened on:
// calls that this makes fail say so.
func TestNewReferenceToTokens(t *testing.T) {
	for name, create := range databases(nicknamed, djangotest.AuthtokenDDL) {
		t.Run(name, func(t *testing.T) {
			d := create(t)
			s := mustOpen(t, d.source).(*live.Store)
			ann, err := s.CreateUser(t.Context(), core.NewUser{Username: "ann", PasswordHash: "!"}, nil, nil)
			if err != nil {
				t.Fatal(err)
			}
			key := keyOf("first")[:40]
			token := core.Token{Digest: key.SHA256(), Plaintext: key, UserID: ann.ID, Realm: core.DefaultRealm, CreatedAt: time.Now()}
			if err := s.IssueToken(t.Context(), token, "", 0, nil); err != nil {
				t.Fatal(err)
			}
			mustExec(t, d, `CREATE TABLE device (id integer PRIMARY KEY, token_id varchar(40) NOT NULL REFERENCES authtoken_token ("key") DEFERRABLE INITIALLY DEFERRED)`,
				`INSERT INTO device (id, token_id) VALUES (1, '`+string(key)+`')`)
			if err := s.DeleteToken(t.Context(), token.Digest, nil); !errors.Is(err, core.ErrUnavailable) || !strings.Contains(err.Error(), "rows of device refer to tokens") {
				t.Errorf("logout: %v", err)
			}
		})
	}
}

// TestBetweenMigrations takes the column away that says who is active, and brings it back with
// somebody disabled: nobody is taken for active meanwhile, or afterwards.
func TestBetweenMigrations(t *testing.T) {
	for name, create := range databases(djangotest.UsersDDL, djangotest.KnoxDDL) {
		t.Run(name, func(t *testing.T) {
			d := create(t)
			s := mustOpen(t, d.source)
			ann, err := s.CreateUser(t.Context(), core.NewUser{Username: "ann", PasswordHash: "!"}, nil, nil)
			if err != nil {
				t.Fatal(err)
			}
			issue(t, s, ann, "token")
			for i, statement := range []string{
				`ALTER TABLE auth_user RENAME COLUMN is_active TO was_active`,
				`ALTER TABLE auth_user RENAME COLUMN was_active TO is_active`,
				`UPDATE auth_user SET is_active = NOT is_active`,
			} {
				if err := d.exec(t, statement); err != nil {
					t.Fatal(err)
				}
				account, err := s.Account(t.Context(), "ann")
				if i == 0 && !errors.Is(err, core.ErrUnavailable) {
					t.Errorf("without the column: %+v, %v", account, err)
				}
				if i == 2 && (err != nil || account.Active) {
					t.Errorf("disabled: %+v, %v", account, err)
				}
			}
			if _, user, err := s.FindToken(t.Context(), core.DefaultRealm, keyOf("token")); err != nil || user.Active {
				t.Errorf("the token of a disabled user: %+v, %v", user, err)
			}
		})
	}
}
