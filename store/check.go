package store

import (
	"errors"
	"strings"

	"github.com/authcompat/authcompat/store/postgres"
)

// Check tells what Open would not understand in a DSN; nil if nothing. Nothing is
// opened or made. As with Open, errors show nothing of the DSN that may be secret.
func Check(dsn string) error {
	source, attached := strings.CutPrefix(dsn, schemeDjango)
	path, isSQLite := SQLitePath(source)
	switch {
	case isPostgres(source):
		return postgres.Check(source)
	case isSQLite && path == ":memory:":
		return errors.New("a store needs the path of a file: " + accepted)
	case isSQLite:
		return nil
	case attached:
		return errNotDjango
	}
	return misunderstood(dsn)
}
