package postgres

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"time"
)

// cleanupTimeout limits the time for dropping a temporary schema.
const cleanupTimeout = 30 * time.Second

// OpenTemp opens an empty store in a new schema of the database, whatever schema the
// DSN names. cleanup closes the store and drops the schema.
func OpenTemp(ctx context.Context, dsn string) (_ *Store, cleanup func() error, err error) {
	settings, err := parse(dsn)
	if err != nil {
		return nil, nil, fmt.Errorf("database: %w", err)
	}
	settings.schema = "authcompat_temp_" + strings.ToLower(rand.Text())
	s, err := open(ctx, settings)
	if err != nil {
		return nil, nil, err
	}
	return s, func() error {
		// Not with ctx, which an interrupt may have canceled.
		_, err := s.db.ExecContext(deadlineOnly(time.Now().Add(cleanupTimeout)), `DROP SCHEMA `+settings.schema+` CASCADE`)
		return errors.Join(wrap("drop schema "+settings.schema, err), s.Close())
	}, nil
}
