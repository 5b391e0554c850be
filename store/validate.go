package store

import (
	"errors"
	"strings"

	"github.com/authcompat/authcompat/store/postgres"
)

// ValidateDSN reports what Open would not understand in a DSN. It opens and creates
// nothing. As with Open, its errors show nothing of the DSN that may be secret.
func ValidateDSN(dsn string) error {
	source, attached := strings.CutPrefix(dsn, schemeDjango)
	path, isSQLite := SQLitePath(source)
	switch {
	case isPostgres(source):
		return postgres.ValidateDSN(source)
	case isSQLite && path == ":memory:":
		return errors.New("a store needs the path of a file: " + accepted)
	case isSQLite:
		return nil
	case attached:
		return errNotDjango
	}
	return badDSN(dsn)
}
