package postgres

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/store/internal/record"
	"github.com/jmoiron/sqlx"
)

// reserveSQL is [core.Limit.Allow] in SQL. It returns no row if the limit is reached:
// $2 is the emission interval, $3 is now, $4 is the burst as a duration, $5 is
// [core.ClockLeap].
const reserveSQL = `
	INSERT INTO @guesses AS g (key, full_at) VALUES ($1, $3::bigint + $2::bigint)
	ON CONFLICT (key) DO UPDATE SET full_at = CASE WHEN g.full_at - $3 > $4::bigint + $5::bigint THEN $3 + $4 ELSE greatest(g.full_at, $3) + $2 END
	WHERE g.full_at - $3 > $4 + $5 OR greatest(g.full_at, $3) + $2 - $3 <= $4
	RETURNING full_at`

// errLimitReached rolls back a transaction in which a key's limit was reached.
var errLimitReached = errors.New("the rate limit is reached")

// Reserve implements [core.RateLimiter]. It reads first, so that refused callers take no
// locks. After an ambiguous commit an attempt may count twice.
func (s *Store) Reserve(ctx context.Context, now time.Time, guesses ...core.LimitKey) (wait time.Duration, err error) {
	waits, err := s.WaitTimes(ctx, now, guesses...)
	if wait = record.Longest(waits); err != nil || wait > 0 {
		return wait, err
	}
	// In a fixed order, so that transactions can't deadlock.
	ordered := slices.SortedFunc(slices.Values(guesses), func(a, b core.LimitKey) int { return bytes.Compare(a.Key, b.Key) })
	err = s.write(ctx, func(ctx context.Context, tx *sqlx.Tx, _ bool) error {
		for _, g := range ordered {
			each := g.Limit.Interval().Microseconds()
			var full int64
			err := tx.GetContext(ctx, &full, s.qualify(reserveSQL), g.Key, each, now.UnixMicro(), each*int64(g.Limit.Burst), core.ClockLeap.Microseconds())
			if errors.Is(err, sql.ErrNoRows) {
				return errLimitReached
			}
			if err != nil {
				return fmt.Errorf("count guess: %w", err)
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
	err = s.read(ctx, func(ctx context.Context) error {
		waits = make([]time.Duration, len(keys))
		for i, g := range keys {
			var full int64
			err := s.db.GetContext(ctx, &full, s.qualify(`SELECT full_at FROM @guesses WHERE key = $1`), g.Key)
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
	ordered := slices.SortedFunc(slices.Values(guesses), func(a, b core.LimitKey) int { return bytes.Compare(a.Key, b.Key) })
	return s.write(ctx, func(ctx context.Context, tx *sqlx.Tx, retryAfterAmbiguous bool) error {
		if retryAfterAmbiguous {
			return nil // at worst, an attempt counts that should not
		}
		for _, g := range ordered {
			each := g.Limit.Interval().Microseconds()
			gone, err := record.Affected(tx.ExecContext(ctx, s.qualify(`DELETE FROM @guesses WHERE key = $1 AND full_at <= $2`), g.Key, at.UnixMicro()+each))
			if err == nil && gone == 0 {
				_, err = tx.ExecContext(ctx, s.qualify(`UPDATE @guesses SET full_at = full_at - $1 WHERE key = $2`), each, g.Key)
			}
			if err != nil {
				return fmt.Errorf("take guess back: %w", err)
			}
		}
		return nil
	})
}

// ClearLimits implements [core.RateLimiter]. After an ambiguous commit it may return less
// than it has cleared.
func (s *Store) ClearLimits(ctx context.Context, audit *core.AuditEntry, keys ...[]byte) (n int, err error) {
	ordered := slices.SortedFunc(slices.Values(keys), bytes.Compare)
	err = s.writeAudited(ctx, audit, func(ctx context.Context, tx *sqlx.Tx, _ bool) error {
		n = 0
		for _, key := range ordered {
			gone, err := record.Affected(tx.ExecContext(ctx, s.qualify(`DELETE FROM @guesses WHERE key = $1`), key))
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
func (s *Store) PruneLimits(ctx context.Context, now time.Time, limit int) (int, error) {
	var gone int64
	err := s.withBulkTimeout().write(ctx, func(ctx context.Context, tx *sqlx.Tx, _ bool) (err error) {
		// Of a row that another transaction changes, PostgreSQL looks at the outer condition again.
		gone, err = record.Affected(tx.ExecContext(ctx,
			s.qualify(`DELETE FROM @guesses WHERE full_at <= $1 AND key IN (SELECT key FROM @guesses WHERE full_at <= $1 LIMIT $2)`), now.UnixMicro(), limit))
		return wrap("forget guesses", err)
	})
	return int(gone), err
}
