package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/store/internal/record"
	"github.com/jmoiron/sqlx"
)

// Reserve implements [core.RateLimiter]. It reads first, so that refused callers do not
// wait for the write lock.
func (s *Store) Reserve(ctx context.Context, now time.Time, guesses ...core.LimitKey) (wait time.Duration, err error) {
	waits, err := s.WaitTimes(ctx, now, guesses...)
	if wait = record.Longest(waits); err != nil || wait > 0 {
		return wait, err
	}
	err = s.write(ctx, func(ctx context.Context, tx *sqlx.Tx) error {
		next, waits, err := waitTimes(ctx, tx, now, guesses)
		if wait = record.Longest(waits); err != nil || wait > 0 {
			return err
		}
		for i, g := range guesses {
			_, err := tx.ExecContext(ctx, `INSERT INTO guesses (key, full_at) VALUES (?, ?)
				ON CONFLICT (key) DO UPDATE SET full_at = excluded.full_at`, g.Key, next[i].UnixMicro())
			if err != nil {
				return fmt.Errorf("count guess: %w", err)
			}
		}
		return nil
	})
	return wait, err
}

// WaitTimes implements [core.RateLimiter].
func (s *Store) WaitTimes(ctx context.Context, now time.Time, keys ...core.LimitKey) (waits []time.Duration, err error) {
	err = s.read(ctx, func(ctx context.Context) (err error) {
		_, waits, err = waitTimes(ctx, s.reader, now, keys)
		return err
	})
	return waits, err
}

// waitTimes returns the new state of each key after one more attempt, or the time until
// its limit allows one.
func waitTimes(ctx context.Context, db sqlx.QueryerContext, now time.Time, guesses []core.LimitKey) (next []time.Time, waits []time.Duration, err error) {
	next, waits = make([]time.Time, len(guesses)), make([]time.Duration, len(guesses))
	for i, g := range guesses {
		var full int64
		err := sqlx.GetContext(ctx, db, &full, `SELECT full_at FROM guesses WHERE key = ?`, g.Key)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return nil, nil, fmt.Errorf("select guesses: %w", err)
		}
		next[i], waits[i] = g.Limit.Allow(record.Time(full), now)
	}
	return next, waits, nil
}

// Refund implements [core.RateLimiter].
func (s *Store) Refund(ctx context.Context, at time.Time, guesses ...core.LimitKey) error {
	return s.write(ctx, func(ctx context.Context, tx *sqlx.Tx) error {
		for _, g := range guesses {
			each := g.Limit.Interval().Microseconds()
			gone, err := record.Affected(tx.ExecContext(ctx, `DELETE FROM guesses WHERE key = ? AND full_at <= ?`, g.Key, at.UnixMicro()+each))
			if err == nil && gone == 0 {
				_, err = tx.ExecContext(ctx, `UPDATE guesses SET full_at = full_at - ? WHERE key = ?`, each, g.Key)
			}
			if err != nil {
				return fmt.Errorf("take guess back: %w", err)
			}
		}
		return nil
	})
}

// ClearLimits implements [core.RateLimiter].
func (s *Store) ClearLimits(ctx context.Context, audit *core.AuditEntry, keys ...[]byte) (n int, err error) {
	err = s.writeAudited(ctx, audit, func(ctx context.Context, tx *sqlx.Tx) error {
		n = 0
		for _, key := range keys {
			gone, err := record.Affected(tx.ExecContext(ctx, `DELETE FROM guesses WHERE key = ?`, key))
			if err != nil {
				return fmt.Errorf("clear guesses: %w", err)
			}
			n += int(gone)
		}
		return nil
	})
	return n, err
}

// PruneLimits implements [core.RateLimiter].
func (s *Store) PruneLimits(ctx context.Context, now time.Time, limit int) (n int, err error) {
	err = s.write(ctx, func(ctx context.Context, tx *sqlx.Tx) error {
		gone, err := record.Affected(tx.ExecContext(ctx,
			`DELETE FROM guesses WHERE key IN (SELECT key FROM guesses WHERE full_at <= ? LIMIT ?)`, now.UnixMicro(), limit))
		if err != nil {
			return fmt.Errorf("forget guesses: %w", err)
		}
		n = int(gone)
		return nil
	})
	return n, err
}
