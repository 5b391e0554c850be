package postgres

import (
	"context"
	"fmt"

	"github.com/authcompat/authcompat/store/internal/pgconn"
)

// Open connects to the database of a DSN and brings its schema up to date. The DSN is a
// URL as lib/pq reads it (https://pkg.go.dev/github.com/lib/pq#Config), including one
// with several hosts with ports, with three parameters of the store:
//
//	schema=NAME   the schema of its tables, created if there is none; default: the
//	              first of the role's search_path
//	wait=2s       limit on how long a call waits for the database
//	pool_size=20  maximum number of connections; half of them may write
//
// Open refuses tables of another program, and those of a newer authcompat. The error is
// a single line that names the database and shows no password; if the database can't be
// used now but may be later, it is core.ErrUnavailable.
func Open(ctx context.Context, dsn string) (*Store, error) {
	settings, err := pgconn.Parse(dsn)
	if err != nil {
		return nil, fmt.Errorf("database: %w", err)
	}
	return open(ctx, settings)
}

// Exists reports whether the database of a DSN has tables of authcompat, and creates
// nothing. Errors are those of Open.
func Exists(ctx context.Context, dsn string) (bool, error) {
	settings, err := pgconn.Parse(dsn)
	if err != nil {
		return false, fmt.Errorf("database: %w", err)
	}
	s := connect(settings)
	defer func() { _ = s.Close() }() // nothing was written
	version, err := s.version(ctx)
	if err != nil {
		return false, fmt.Errorf("%s: %w", settings.Describe(), pgconn.Explain(ctx, err))
	}
	return version >= 0, nil
}

// open opens the database of settings.
func open(ctx context.Context, settings pgconn.Settings) (*Store, error) {
	s := connect(settings)
	if err := s.migrate(ctx, settings.Schema); err != nil {
		_ = s.Close() // the error from opening matters more
		return nil, fmt.Errorf("%s: %w", settings.Describe(), pgconn.Explain(ctx, err))
	}
	return s, nil
}

// connect returns a store that may have no tables yet. Connections are made when they are
// needed.
func connect(settings pgconn.Settings) *Store {
	s := &Store{}
	if settings.Schema != "" {
		s.prefix = settings.Schema + "."
	}
	s.findToken = s.qualify(selectToken)
	s.pool = pgconn.NewPool(settings, pgconn.Options{
		Lookups: []string{s.findToken, s.qualify(selectLegacy)}, Fence: s.qualify(`SELECT id FROM @fence FOR SHARE`),
	})
	s.db = s.pool.DB
	return s
}

// ValidateDSN reports what is wrong with a DSN, without showing its password.
func ValidateDSN(dsn string) error {
	_, err := pgconn.Parse(dsn)
	return err
}

// Describe names the database of a DSN in messages, without its password.
func Describe(dsn string) string { return pgconn.Describe(dsn) }
