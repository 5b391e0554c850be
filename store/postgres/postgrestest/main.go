package postgrestest

import (
	"crypto/rand"
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/authcompat/authcompat/core/testenv"
	_ "github.com/lib/pq" // the driver "postgres"
)

// These variables say where a process's tests find their cluster, or why there is none.
// They are inherited by processes that a test starts.
const (
	sharedVariable  = "AUTHCOMPAT_TEST_POSTGRES"
	missingVariable = "AUTHCOMPAT_TEST_POSTGRES_MISSING"
)

// Main runs the tests of a package on one shared cluster, and returns the exit code for
// TestMain. If AUTHCOMPAT_TEST_POSTGRES has a database URL, that is used instead of a
// cluster.
func Main(m *testing.M) int {
	if os.Getenv(sharedVariable) != "" {
		return m.Run()
	}
	cluster, err := start(Options{})
	if err != nil {
		_ = os.Setenv(missingVariable, err.Error())
		return m.Run()
	}
	defer cluster.remove()
	_ = os.Setenv(sharedVariable, cluster.DSN())
	return m.Run()
}

// DSN returns the URL of the database that the process's tests share.
func DSN(tb testing.TB) string {
	tb.Helper()
	if reason := os.Getenv(missingVariable); reason != "" {
		testenv.Missing(tb, "%s", reason)
	}
	dsn := os.Getenv(sharedVariable)
	if dsn == "" {
		tb.Fatal("TestMain does not call postgrestest.Main")
	}
	return dsn
}

// Schema returns the URL of the shared database with a schema that does not exist yet
// and is dropped when the test ends. parameters are pairs of names and values to add to
// the URL.
func Schema(tb testing.TB, parameters ...string) string {
	tb.Helper()
	return SchemaAt(tb, DSN(tb), parameters...)
}

// SchemaAt is Schema for the database at another URL.
func SchemaAt(tb testing.TB, dsn string, parameters ...string) string {
	tb.Helper()
	schema := "test_" + strings.ToLower(rand.Text())
	tb.Cleanup(func() { execute(tb, dsn, `DROP SCHEMA IF EXISTS `+schema+` CASCADE`) })
	return With(tb, dsn, append(parameters, "schema", schema)...)
}

// Encoded returns the URL of a database of its own in an encoding, which is dropped when the
// test ends.
func Encoded(tb testing.TB, encoding string) string {
	tb.Helper()
	name := "encoded_" + strings.ToLower(rand.Text())
	execute(tb, DSN(tb), `CREATE DATABASE `+name+` ENCODING '`+encoding+`' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0`)
	tb.Cleanup(func() { execute(tb, DSN(tb), `DROP DATABASE `+name+` WITH (FORCE)`) })
	u, err := url.Parse(DSN(tb))
	if err != nil {
		tb.Fatal(err)
	}
	u.Path = "/" + name
	return u.String()
}

// With adds parameters, as pairs of names and values, to a URL.
func With(tb testing.TB, dsn string, parameters ...string) string {
	tb.Helper()
	u, err := url.Parse(dsn)
	if err != nil {
		tb.Fatal(err)
	}
	query := u.Query()
	for i := 0; i < len(parameters); i += 2 {
		query.Set(parameters[i], parameters[i+1])
	}
	u.RawQuery = query.Encode()
	return u.String()
}

// execute runs statements, each in its own transaction.
func execute(tb testing.TB, dsn string, statements ...string) {
	tb.Helper()
	db, err := sql.Open("postgres", dsn)
	if err != nil {
		tb.Fatal(err)
	}
	defer db.Close()
	for _, statement := range statements {
		if _, err := db.Exec(statement); err != nil {
			tb.Fatal(fmt.Errorf("%s: %w", statement, err))
		}
	}
}
