package store

import (
	"context"
	"errors"
	"strings"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/store/django"
)

// schemeDjango is what comes before the DSN of a Django database to work on.
const schemeDjango = "django+"

// errNotDjango is a DSN that begins as one of Django's and does not go on so.
var errNotDjango = errors.New("a Django database is given as django+sqlite:PATH or django+postgres://USER@HOST/DATABASE")

// OpenMapped is Open for a Django database whose tables and columns a mapping
// names, where they can't be found.
func OpenMapped(ctx context.Context, dsn string, m django.Mapping) (core.Store, error) {
	source, ok := strings.CutPrefix(dsn, schemeDjango)
	if !ok {
		return nil, errors.New("a mapping (--map) is for a Django database that is worked on, --store django+sqlite:PATH or django+postgres://…, or that is imported")
	}
	return attach(ctx, source, m)
}

// attach opens a Django database to work on.
func attach(ctx context.Context, source string, m django.Mapping) (core.Store, error) {
	if !strings.HasPrefix(source, schemeSQLite) && !isPostgres(source) {
		return nil, errNotDjango
	}
	if isPostgres(source) {
		// What names the database in errors would show a password that is cut wrong.
		if err := Check(schemeDjango + source); err != nil {
			return nil, err
		}
	}
	s, err := django.Attach(ctx, source, m)
	if err != nil {
		return nil, err // not s, which would be an interface that is not nil
	}
	return s, nil
}
