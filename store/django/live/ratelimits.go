package live

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/store/internal/record"
)

// reserveSQL is [core.Limit.Allow] in SQL. It changes no row if the limit is reached; for
// its parameters see reserveArgs.
const reserveSQL = `
	INSERT INTO authcompat_guesses (guess, full_at) VALUES (?, ?)
	ON CONFLICT (guess) DO UPDATE SET full_at = CASE
		WHEN authcompat_guesses.full_at > ? THEN ?
		WHEN authcompat_guesses.full_at > ? THEN authcompat_guesses.full_at + ?
		ELSE ? END
	WHERE authcompat_guesses.full_at > ? OR authcompat_guesses.full_at <= ?`

// reserveArgs returns the parameters of reserveSQL.
func reserveArgs(g core.LimitKey, now time.Time) []any {
	each := g.Limit.Interval().Microseconds()
	var (
		at    = now.UnixMicro()
		all   = at + each*int64(g.Limit.Burst)      // the state without capacity
		leapt = all + core.ClockLeap.Microseconds() // a later one was written while the clock was ahead
		first = at + each                           // after an event of a key with its full capacity
	)
	return []any{hex.EncodeToString(g.Key), first, leapt, all, at, each, first, leapt, all - each}
}

// errLimitReached rolls back a transaction in which a key's limit was reached.
var errLimitReached = errors.New("the rate limit is reached")

// Reserve implements [core.RateLimiter]. It reads first, so that refused callers take no
// locks and leave no rows in Django's database.
func (s *Store) Reserve(ctx context.Context, now time.Time, guesses ...core.LimitKey) (wait time.Duration, err error) {
	waits, err := s.WaitTimes(ctx, now, guesses...)
	if wait = record.Longest(waits); err != nil || wait > 0 {
		return wait, err
	}
	// In one order, so that transactions can't deadlock.
	sorted := slices.SortedFunc(slices.Values(guesses), func(a, b core.LimitKey) int { return bytes.Compare(a.Key, b.Key) })
	err = s.write(ctx, func(ctx context.Context, tx *sql.Tx, l *layout) error {
		for _, g := range sorted {
			counted, err := record.Affected(tx.ExecContext(ctx, l.sql(reserveSQL), reserveArgs(g, now)...))
			if err != nil {
				return fmt.Errorf("count guess: %w", err)
			}
			if counted == 0 {
				return errLimitReached
			}
		}
		return nil
	})
	if errors.Is(err, errLimitReached) {
		waits, err = s.WaitTimes(ctx, now, guesses...)
		// The limit may allow it by now; this attempt is refused all the same.
		wait = max(record.Longest(waits), time.Microsecond)
	}
	return wait, err
}

// WaitTimes implements [core.RateLimiter].
func (s *Store) WaitTimes(ctx context.Context, now time.Time, keys ...core.LimitKey) (waits []time.Duration, err error) {
	err = s.read(ctx, func(ctx context.Context, l *layout) error {
		waits = make([]time.Duration, len(keys))
		for i, g := range keys {
			var full int64
			err := l.db.QueryRowContext(ctx, l.sql(`SELECT full_at FROM authcompat_guesses WHERE guess = ?`), hex.EncodeToString(g.Key)).Scan(&full)
			if err != nil && !errors.Is(err, sql.ErrNoRows) {
				return fmt.Errorf("select guesses: %w", err)
			}
			_, waits[i] = g.Limit.Allow(record.Time(full), now)
		}
		return nil
	})
	return waits, err
}

// Refund implements [core.RateLimiter].
func (s *Store) Refund(ctx context.Context, at time.Time, guesses ...core.LimitKey) error {
	sorted := slices.SortedFunc(slices.Values(guesses), func(a, b core.LimitKey) int { return bytes.Compare(a.Key, b.Key) })
	return s.write(ctx, func(ctx context.Context, tx *sql.Tx, l *layout) error {
		for _, g := range sorted {
			key, each := hex.EncodeToString(g.Key), g.Limit.Interval().Microseconds()
			gone, err := record.Affected(tx.ExecContext(ctx, l.sql(`DELETE FROM authcompat_guesses WHERE guess = ? AND full_at <= ?`), key, at.UnixMicro()+each))
			if err == nil && gone == 0 {
				_, err = tx.ExecContext(ctx, l.sql(`UPDATE authcompat_guesses SET full_at = full_at - ? WHERE guess = ?`), each, key)
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
	ordered := slices.SortedFunc(slices.Values(keys), bytes.Compare)
	err = s.writeAudited(ctx, audit, func(ctx context.Context, tx *sql.Tx, l *layout) error {
		n = 0
		for _, key := range ordered {
			result, err := tx.ExecContext(ctx, l.sql(`DELETE FROM authcompat_guesses WHERE guess = ? AND full_at > 0`), hex.EncodeToString(key))
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
	err = s.write(ctx, func(ctx context.Context, tx *sql.Tx, l *layout) error {
		at := now.UnixMicro()
		// Of a row that another transaction changes, PostgreSQL looks at the outer condition again.
		result, err := tx.ExecContext(ctx, l.sql(`DELETE FROM authcompat_guesses WHERE full_at <= ?
			AND guess IN (SELECT guess FROM authcompat_guesses WHERE full_at <= ? LIMIT ?)`), at, at, limit)
		if err != nil {
			return fmt.Errorf("forget guesses: %w", err)
		}
		gone, err := result.RowsAffected()
		n = int(gone)
		return err
	})
	return n, err
}
