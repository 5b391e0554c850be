package store

import (
	"context"
	"errors"
	"strings"

	"github.com/authcompat/authcompat/store/django/live"
	"github.com/authcompat/authcompat/store/django/tables"
)

// schemeDjango precedes the DSN of a Django database that is used live.
const schemeDjango = "django+"

// errNotDjango is a DSN with schemeDjango and without a database that it can precede.
var errNotDjango = errors.New("a Django database is given as django+sqlite:PATH or django+postgres://USER@HOST/DATABASE")

// OpenMapped is Open for a Django database of which a mapping names the tables and
// columns that can't be found automatically.
func OpenMapped(ctx context.Context, dsn string, m tables.Mapping) (Backend, error) {
	if err := AcceptsMapping(dsn); err != nil {
		return Backend{}, err
	}
	return attach(ctx, strings.TrimPrefix(dsn, schemeDjango), m)
}

// AcceptsMapping reports whether a DSN is that of a Django database, for OpenMapped. The
// error shows nothing of another DSN.
func AcceptsMapping(dsn string) error {
	if strings.HasPrefix(dsn, schemeDjango) {
		return nil
	}
	return errors.New("a mapping (--map) is for a Django database that is worked on, --store django+sqlite:PATH or django+postgres://…, or that is imported")
}

// attach opens a Django database for live use.
func attach(ctx context.Context, source string, m tables.Mapping) (Backend, error) {
	if !strings.HasPrefix(source, schemeSQLite) && !isPostgres(source) {
		return Backend{}, errNotDjango
	}
	// Otherwise the errors below could show a password that was parsed wrongly.
	if err := ValidateDSN(schemeDjango + source); err != nil {
		return Backend{}, err
	}
	s, err := live.Open(ctx, source, m)
	if err != nil {
		return Backend{}, err
	}
	return liveBackend(s), nil
}
