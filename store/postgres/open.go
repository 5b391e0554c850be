package postgres

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/jmoiron/sqlx"
)

// Connections are replaced after some time, so that they spread over the servers behind
// a load balancer again, and closed when they are idle.
const (
	maxLifetime = 30 * time.Minute
	maxIdle     = 5 * time.Minute
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
	settings, err := parse(dsn)
	if err != nil {
		return nil, fmt.Errorf("database: %w", err)
	}
	return open(ctx, settings)
}

// open opens the database of settings.
func open(ctx context.Context, settings settings) (*Store, error) {
	s := &Store{
		wait:    settings.wait,
		conns:   newConnSemaphore(settings.connections),
		writers: newConnSemaphore(settings.connections / 2),
	}
	if settings.schema != "" {
		s.prefix = settings.schema + "."
	}
	s.findToken = s.qualify(selectToken)
	c := newConnector(settings, newLookups(s.findToken, s.qualify(selectLegacy)))
	s.db = sqlx.NewDb(sql.OpenDB(c), "postgres")
	s.db.SetMaxIdleConns(settings.connections)
	s.db.SetConnMaxLifetime(maxLifetime)
	s.db.SetConnMaxIdleTime(maxIdle)
	if err := s.migrate(ctx, c, settings.schema); err != nil {
		_ = s.Close() // the error from opening matters more
		return nil, fmt.Errorf("%s: %w", settings.describe(), explain(ctx, err))
	}
	return s, nil
}
