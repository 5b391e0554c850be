package store

import (
	"errors"
	"os"
	"strings"
	"unicode"

	"github.com/authcompat/authcompat/store/postgres"
)

// ValidateDSN reports what Open would not understand in a DSN. It opens and creates
// nothing. As with Open, its errors show nothing of the DSN that may be secret.
func ValidateDSN(dsn string) error {
	source, attached := strings.CutPrefix(dsn, schemeDjango)
	path, isSQLite := SQLitePath(source)
	switch {
	case isPostgres(source) && strings.TrimSpace(source) != source:
		return errors.New("there is white space after the URL of the database, as from a file with the line ends of Windows (CRLF)")
	case isPostgres(source):
		return postgres.ValidateDSN(source)
	case isSQLite && path == ":memory:":
		return errors.New("a store needs the path of a file: " + accepted)
	case isSQLite:
		return checkPath(path)
	case attached:
		return errNotDjango
	}
	return badDSN(dsn)
}

// checkPath refuses the path of a new file that can only be a mistake: a file of settings with
// the line ends of Windows, or a URL, would make an empty database under that name. A file
// that is there may have any name.
func checkPath(path string) error {
	odd := ""
	switch {
	case strings.ContainsFunc(path, unicode.IsControl):
		odd = "has a control character in it, as from a file with the line ends of Windows (CRLF)"
	case strings.TrimSpace(path) != path:
		odd = "begins or ends with a space"
	case strings.Contains(path, "://") && strings.Contains(path, "@"):
		odd = "is a URL, and may have a password in it"
	case strings.Contains(path, "password="):
		odd = "has a password in it, as connection strings of PostgreSQL have"
	default:
		return nil
	}
	if _, err := os.Lstat(path); err == nil {
		return nil
	}
	return errors.New("the path after sqlite: " + odd + ": " + accepted)
}
