package live_test

import (
	"crypto/rand"
	"database/sql"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/store/django/djangotest"
	"github.com/authcompat/authcompat/store/django/live"
	"github.com/authcompat/authcompat/store/django/tables"
	"github.com/authcompat/authcompat/store/postgres/postgrestest"
	"github.com/authcompat/authcompat/store/storetest"
	"github.com/authcompat/authcompat/store/storetest/operationtest"
)

func TestMain(m *testing.M) { os.Exit(postgrestest.Main(m)) }

// mustMake makes tables in a database.
func mustMake(tb testing.TB, driver, dsn, id, time string, ddl ...string) {
	tb.Helper()
	db, err := sql.Open(driver, dsn)
	if err != nil {
		tb.Fatal(err)
	}
	defer db.Close()
	for _, statement := range ddl {
		if _, err := db.Exec(strings.NewReplacer("ID", id, "TIME", time).Replace(statement)); err != nil {
			tb.Fatal(err)
		}
	}
}

// mustOpen opens a store on Django's tables.
func mustOpen(tb testing.TB, source string) core.Store {
	tb.Helper()
	s, err := live.Open(tb.Context(), source, tables.Mapping{})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := s.Close(); err != nil {
			tb.Error(err)
		}
	})
	return s
}

// onSQLite opens two stores on one file with these tables.
func onSQLite(ddl ...string) storetest.Opener {
	return func(tb testing.TB) (a, b core.Store) {
		path := filepath.Join(tb.TempDir(), "django.sqlite3")
		mustMake(tb, "sqlite", "file:"+path+"?_pragma=journal_mode(WAL)", "integer NOT NULL PRIMARY KEY AUTOINCREMENT", "datetime", ddl...)
		return mustOpen(tb, path), mustOpen(tb, path)
	}
}

// patient is the wait of stores in tests that do not depend on time.
const patient = "30s"

// postgresDSN returns the DSN of a schema of its own with these tables, without the
// store's own parameters.
func postgresDSN(tb testing.TB, ddl ...string) string {
	tb.Helper()
	schema := "django_" + strings.ToLower(rand.Text())
	mustMake(tb, "postgres", postgrestest.DSN(tb), "", "", "CREATE SCHEMA "+schema)
	dsn := postgrestest.With(tb, postgrestest.DSN(tb), "search_path", schema)
	tb.Cleanup(func() { mustMake(tb, "postgres", postgrestest.DSN(tb), "", "", "DROP SCHEMA "+schema+" CASCADE") })
	mustMake(tb, "postgres", dsn, "serial PRIMARY KEY", "timestamp with time zone", ddl...)
	return dsn
}

// onPostgres opens two stores on a schema of its own with these tables.
func onPostgres(ddl ...string) storetest.Opener {
	return func(tb testing.TB) (a, b core.Store) {
		tb.Helper()
		dsn := postgrestest.With(tb, postgresDSN(tb, ddl...), "wait", patient)
		return mustOpen(tb, dsn), mustOpen(tb, dsn)
	}
}

// database is one that a test reaches without a store too.
type database struct {
	driver, dsn string // for database/sql
	source      string // for live.Open
}

// databases returns, by name, functions that make a database with these tables.
func databases(ddl ...string) map[string]func(testing.TB) database {
	return map[string]func(testing.TB) database{
		"sqlite": func(tb testing.TB) database {
			path := filepath.Join(tb.TempDir(), "django.sqlite3")
			d := database{driver: "sqlite", dsn: "file:" + path + "?_pragma=journal_mode(WAL)&_pragma=busy_timeout(10000)", source: path}
			mustMake(tb, d.driver, d.dsn, "integer NOT NULL PRIMARY KEY AUTOINCREMENT", "datetime", ddl...)
			return d
		},
		"postgres": func(tb testing.TB) database {
			dsn := postgresDSN(tb, ddl...)
			return database{driver: "postgres", dsn: dsn, source: postgrestest.With(tb, dsn, "wait", patient)}
		},
	}
}

// exec runs a statement without the store.
func (d database) exec(tb testing.TB, statement string) error {
	tb.Helper()
	db, err := sql.Open(d.driver, d.dsn)
	if err != nil {
		tb.Fatal(err)
	}
	defer db.Close()
	_, err = db.Exec(statement)
	return err
}

// begin begins a transaction of another program, which ends with the test if not before, and runs a statement in it.
func (d database) begin(t *testing.T, statement string) *sql.Tx {
	t.Helper()
	db, err := sql.Open(d.driver, d.dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	tx, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = tx.Rollback() }) // it may have ended
	if _, err := tx.Exec(statement); err != nil {
		t.Fatal(err)
	}
	return tx
}

// count returns the number that a query gives.
func (d database) count(tb testing.TB, query string) (n int) {
	tb.Helper()
	db, err := sql.Open(d.driver, d.dsn)
	if err != nil {
		tb.Fatal(err)
	}
	defer db.Close()
	if err := db.QueryRow(query).Scan(&n); err != nil {
		tb.Fatal(err)
	}
	return n
}

// Why Django's tables can't hold what some cases of the suite need.
const (
	singleToken = "in Django REST framework's table a user has one token, which is whoever's logs in"
	makesWay    = "in Django REST framework's table a token that has ended makes way for the next"
)

// wideUsersDDL is djangotest.UsersDDL with room for the longest texts of the
// suite.
var wideUsersDDL = strings.NewReplacer("username varchar(150)", "username varchar(300)", "email varchar(254)", "email varchar(300)", "password varchar(128)", "password varchar(400)").Replace(djangotest.UsersDDL)

// authtokenReasons are the cases that authtoken's table can't pass.
func authtokenReasons() map[string]string {
	return map[string]string{
		"tokens/a token is kept as given":                                                             singleToken,
		"tokens/an expired token is found":                                                            singleToken,
		"tokens/a token that has ended gets no other":                                                 singleToken,
		"races of tokens/logout-all against logins by a token: no token is left":                      singleToken,
		"races of tokens/logout-all against logins by a token that keep their time: no token is left": singleToken,
		"deletion/of very many, some go at a time":                                                    singleToken,
		"tokens/a user has many tokens":                                                               singleToken,
		"reuse/a token that is not reusable is not given":                                             singleToken,
		"reuse/issuers, realms and users are apart":                                                   singleToken,
		"expiry/a live token's end moves":                                                             singleToken,
		"limits of tokens/a token beyond the limit is refused":                                        singleToken,
		"limits of tokens/logins at once: no more tokens than the limit":                              singleToken,
		"limits of tokens/tokens that have ended, never end, or are of others are not counted":        singleToken,
		"accounts/a password is changed, and tokens end":                                              singleToken,
		"races of accounts/a changed password against logins with the old one: no token is left":      singleToken,
		"deletion/all tokens of the user in the realm go":                                             singleToken,
		"deletion/a deleted token is gone":                                                            singleToken,
		"contexts/a call with a context that is over does nothing":                                    singleToken,
		"races of tokens/moving against moving: the latest end holds":                                 singleToken,
		"races of tokens/logout-all against login: each token is before or after":                     singleToken,
		"races of tokens/a new password against logins with the old one: no token is left":            singleToken,
		"addressees/who comes to an address comes after all who have it":                              noSince,
		"addressees/who is given an address comes after all who have it, whatever the clock":          noSince,
		"reuse/an expired token stays and is not given":                                               makesWay,
		"races of reuse/many logins after the end: all get one new token":                             makesWay,
	}
}

// noSince is why users with one address come by the age of their accounts.
const noSince = "Django does not keep since when users have had their address"

// knoxReasons are the cases that can't be passed on knox's table of tokens.
func knoxReasons() map[string]string {
	return map[string]string{
		"addressees/who comes to an address comes after all who have it":                     noSince,
		"addressees/who is given an address comes after all who have it, whatever the clock": noSince,
	}
}

func TestKnoxSQLite(t *testing.T) {
	storetest.RunWithout(t, onSQLite(wideUsersDDL, djangotest.KnoxDDL), knoxReasons())
}

func TestKnoxPostgres(t *testing.T) {
	storetest.RunWithout(t, onPostgres(wideUsersDDL, djangotest.KnoxDDL), knoxReasons())
}

func TestAuthtokenSQLite(t *testing.T) {
	storetest.RunWithout(t, onSQLite(wideUsersDDL, djangotest.AuthtokenDDL), authtokenReasons())
}

func TestAuthtokenPostgres(t *testing.T) {
	storetest.RunWithout(t, onPostgres(wideUsersDDL, djangotest.AuthtokenDDL), authtokenReasons())
}

// operable is a store with an Admin that is never called.
type operable struct {
	*live.Store
	noAdmin
}

// noAdmin gives way to the methods of a store that have the same names.
type noAdmin struct{ core.Admin }

// TestOperation covers what a server needs beside users and tokens.
func TestOperation(t *testing.T) {
	reasons := map[string]string{
		"audit/what is done is recorded with it, what is not is not": "Django's admin disables and deletes users",
		"privacy/passwords are counted by their parameters":          "hashes are read whole here, and those of the case are cut short",
	}
	for name, open := range map[string]storetest.Opener{"sqlite": onSQLite(djangotest.UsersDDL, djangotest.KnoxDDL, djangotest.AddressesDDL), "postgres": onPostgres(djangotest.UsersDDL, djangotest.KnoxDDL, djangotest.AddressesDDL)} {
		t.Run(name, func(t *testing.T) {
			operationtest.RunWithoutAdmin(t, func(tb testing.TB) (a, b core.Store) {
				one, two := open(tb)
				return operable{one.(*live.Store), noAdmin{}}, operable{two.(*live.Store), noAdmin{}}
			}, reasons)
		})
	}
}
