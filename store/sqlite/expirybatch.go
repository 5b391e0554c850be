package sqlite

import (
	"context"
	"fmt"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/jmoiron/sqlx"
)

// ExtendExpiries implements [core.ExpiryBatcher].
func (s *Store) ExtendExpiries(ctx context.Context, moves []core.ExpiryUpdate, now time.Time) error {
	return s.write(ctx, func(ctx context.Context, tx *sqlx.Tx) error {
		move, err := tx.PrepareNamedContext(ctx, moveExpiry)
		if err != nil {
			return fmt.Errorf("prepare: %w", err)
		}
		defer func() { _ = move.Close() }() // the transaction is over
		for _, m := range moves {
			_, err := move.ExecContext(ctx, map[string]any{
				"digest": []byte(m.Digest), "to": m.To.UnixMicro(), "now": now.UnixMicro(),
			})
			if err != nil {
				return fmt.Errorf("move expiry: %w", err)
			}
		}
		return nil
	})
}
