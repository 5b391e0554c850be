package mariadbtest

import (
	"crypto/rand"
	"database/sql"
	"errors"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/authcompat/authcompat/core/testenv"
	"github.com/go-sql-driver/mysql"
)

// sharedVariable may hold the URL of a server that is used instead of one of our
// own, such as mysql://root@127.0.0.1:3306 of a MySQL.
const sharedVariable = "AUTHCOMPAT_TEST_MARIADB"

// shared is the server that the tests of the process share.
var shared struct {
	mu     sync.Mutex
	server *server
	err    error // why there is none; starting is not tried again
}

// Main runs the tests of a package and returns the exit code for TestMain.
func Main(m *testing.M) int {
	defer Close()
	return m.Run()
}

// Close ends the server of the process, if a test has started it, and removes its
// files. It is for a TestMain that has other things to end than Main knows. A
// server ends with its process even without Close, but its files stay.
func Close() {
	shared.mu.Lock()
	defer shared.mu.Unlock()
	if shared.server != nil {
		shared.server.remove()
		shared.server = nil
	}
}

// address returns the URL of the server, without a database. The first call starts
// it.
func address(tb testing.TB) string {
	tb.Helper()
	if other := os.Getenv(sharedVariable); other != "" {
		return strings.TrimSuffix(other, "/")
	}
	shared.mu.Lock()
	defer shared.mu.Unlock()
	if shared.server == nil && shared.err == nil {
		shared.server, shared.err = start()
	}
	if err := shared.err; err != nil {
		if errors.Is(err, errMissing) {
			testenv.Missing(tb, "%v", err)
		}
		tb.Fatal(err)
	}
	return shared.server.url()
}

// Database makes an empty database, whose texts are utf8mb4, and returns its URL:
// mysql://root@127.0.0.1:PORT/NAME. It is dropped with the test.
func Database(tb testing.TB) string {
	tb.Helper()
	server := address(tb)
	name := "test_" + strings.ToLower(rand.Text())
	execute(tb, server, "CREATE DATABASE "+name+" CHARACTER SET utf8mb4")
	tb.Cleanup(func() { execute(tb, server, "DROP DATABASE IF EXISTS "+name) })
	return server + "/" + name
}

// Open opens a database for a test's own statements, of which one string may hold
// several. Times are given as text, just as the server says them. It is closed
// with the test.
func Open(tb testing.TB, dsn string) *sql.DB {
	tb.Helper()
	db, err := open(dsn)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { db.Close() })
	return db
}

// lockSeconds is how long a statement waits for a table that a transaction holds.
// MariaDB's default is a day: a test that forgets its transaction would hang at
// the end, where its database is dropped.
const lockSeconds = "30"

// open opens what a URL names.
func open(dsn string) (*sql.DB, error) {
	u, err := url.Parse(dsn)
	if err != nil {
		return nil, err
	}
	c := mysql.NewConfig()
	c.Net, c.Addr = "tcp", u.Host
	c.User = u.User.Username()
	c.Passwd, _ = u.User.Password()
	c.DBName = strings.TrimPrefix(u.Path, "/")
	c.MultiStatements = true
	c.Params = map[string]string{"lock_wait_timeout": lockSeconds}
	c.Logger = &mysql.NopLogger{} // it would tell each try at a server that is still starting
	connector, err := mysql.NewConnector(c)
	if err != nil {
		return nil, err
	}
	return sql.OpenDB(connector), nil
}

// execute runs a statement.
func execute(tb testing.TB, dsn, statement string) {
	tb.Helper()
	db, err := open(dsn)
	if err != nil {
		tb.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(statement); err != nil {
		tb.Fatalf("%s: %v", statement, err)
	}
}
