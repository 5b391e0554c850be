package postgres

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/authcompat/authcompat/store/internal/pgconn"
)

// cleanupTimeout limits the time for dropping a temporary schema.
const cleanupTimeout = 30 * time.Second

// OpenTemp opens an empty store in a new schema of the database, whatever schema the
// DSN names. cleanup closes the store and drops the schema.
func OpenTemp(ctx context.Context, dsn string) (_ *Store, cleanup func() error, err error) {
	settings, err := pgconn.Parse(dsn)
	if err != nil {
		return nil, nil, fmt.Errorf("database: %w", err)
	}
	settings.Schema = "authcompat_temp_" + strings.ToLower(rand.Text())
	s, err := open(ctx, settings)
	if err != nil {
		return nil, nil, err
	}
	return s, func() error {
		// Not with ctx, which an interrupt may have canceled.
		_, err := s.db.ExecContext(pgconn.DeadlineOnly(time.Now().Add(cleanupTimeout)), `DROP SCHEMA `+settings.Schema+` CASCADE`)
		return errors.Join(wrap("drop schema "+settings.Schema, err), s.Close())
	}, nil
}
