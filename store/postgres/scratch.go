package postgres

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"time"
)

// dropTime is how long it may take to remove a scratch schema.
const dropTime = 30 * time.Second

// OpenScratch opens an empty store in a new schema of the database, whatever
// schema the DSN names, and gives what closes the store and drops the schema.
func OpenScratch(ctx context.Context, dsn string) (*Store, func() error, error) {
	settings, err := parse(dsn)
	if err != nil {
		return nil, nil, fmt.Errorf("database: %w", err)
	}
	settings.schema = "authcompat_scratch_" + strings.ToLower(rand.Text())
	s, err := open(ctx, settings)
	if err != nil {
		return nil, nil, err
	}
	return s, func() error {
		// Also after an interrupt, which has ended ctx.
		_, err := s.db.ExecContext(until(time.Now().Add(dropTime)), `DROP SCHEMA `+settings.schema+` CASCADE`)
		return errors.Join(wrap("drop schema "+settings.schema, err), s.Close())
	}, nil
}
