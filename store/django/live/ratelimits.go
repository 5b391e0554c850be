package live

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/authcompat/authcompat/core"
)

// Reserve implements [core.RateLimiter].
func (s *Store) Reserve(ctx context.Context, now time.Time, guesses ...core.LimitKey) (wait time.Duration, err error) {
	// In one order, so that transactions can't deadlock.
	sorted := slices.SortedFunc(slices.Values(guesses), func(a, b core.LimitKey) int { return strings.Compare(string(a.Key), string(b.Key)) })
	err = s.write(ctx, func(tx *sql.Tx) error {
		wait = 0
		next := make([]time.Time, len(sorted))
		for i, g := range sorted {
			if _, err := tx.ExecContext(ctx, s.sql(`INSERT INTO authcompat_guesses (guess, full_at) VALUES (?, 0) ON CONFLICT DO NOTHING`), hex.EncodeToString(g.Key)); err != nil {
				return fmt.Errorf("count guess: %w", err)
			}
			var full int64
			if err := tx.QueryRowContext(ctx, s.sql(`SELECT full_at FROM authcompat_guesses WHERE guess = ?`)+s.django.LockRows(), hex.EncodeToString(g.Key)).Scan(&full); err != nil {
				return fmt.Errorf("select guesses: %w", err)
			}
			var more time.Duration
			next[i], more = g.Limit.Allow(micros(full), now)
			wait = max(wait, more)
		}
		if wait > 0 {
			return nil
		}
		for i, g := range sorted {
			if _, err := tx.ExecContext(ctx, s.sql(`UPDATE authcompat_guesses SET full_at = ? WHERE guess = ?`), next[i].UnixMicro(), hex.EncodeToString(g.Key)); err != nil {
				return fmt.Errorf("count guess: %w", err)
			}
		}
		return nil
	})
	return wait, err
}

// Refund implements [core.RateLimiter].
func (s *Store) Refund(ctx context.Context, guesses ...core.LimitKey) error {
	sorted := slices.SortedFunc(slices.Values(guesses), func(a, b core.LimitKey) int { return strings.Compare(string(a.Key), string(b.Key)) })
	return s.write(ctx, func(tx *sql.Tx) error {
		for _, g := range sorted {
			if _, err := tx.ExecContext(ctx, s.sql(`UPDATE authcompat_guesses SET full_at = full_at - ? WHERE guess = ?`),
				g.Limit.Interval().Microseconds(), hex.EncodeToString(g.Key)); err != nil {
				return fmt.Errorf("take guess back: %w", err)
			}
		}
		return nil
	})
}

// ClearLimits implements [core.RateLimiter].
func (s *Store) ClearLimits(ctx context.Context, audit *core.AuditEntry, keys ...[]byte) (n int, err error) {
	ordered := slices.SortedFunc(slices.Values(keys), bytes.Compare)
	err = s.writeAudited(ctx, audit, func(tx *sql.Tx) error {
		n = 0
		for _, key := range ordered {
			result, err := tx.ExecContext(ctx, s.sql(`DELETE FROM authcompat_guesses WHERE guess = ? AND full_at > 0`), hex.EncodeToString(key))
			if err != nil {
				return fmt.Errorf("clear guesses: %w", err)
			}
			gone, err := result.RowsAffected()
			if err != nil {
				return err
			}
			n += int(gone)
		}
		return nil
	})
	return n, err
}

// PruneLimits implements [core.RateLimiter].
func (s *Store) PruneLimits(ctx context.Context, now time.Time, limit int) (n int, err error) {
	err = s.write(ctx, func(tx *sql.Tx) error {
		result, err := tx.ExecContext(ctx, s.sql(`DELETE FROM authcompat_guesses WHERE guess IN (SELECT guess FROM authcompat_guesses WHERE full_at <= ? LIMIT ?)`),
			now.UnixMicro(), limit)
		if err != nil {
			return fmt.Errorf("forget guesses: %w", err)
		}
		gone, err := result.RowsAffected()
		n = int(gone)
		return err
	})
	return n, err
}
