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

var _ core.Limits = (*Store)(nil)

// countGuess does what core.Limit.Next says, and gives no row where there is no
// room: $2 is one guess, $3 is now, $4 is all the room.
const countGuess = `
	INSERT INTO @guesses AS g (key, full_at) VALUES ($1, $3::bigint + $2::bigint)
	ON CONFLICT (key) DO UPDATE SET full_at = greatest(g.full_at, $3) + $2
	WHERE greatest(g.full_at, $3) + $2 - $3 <= $4
	RETURNING full_at`

// errNoRoom rolls a transaction back in which a key had no room.
var errNoRoom = errors.New("no room for a guess")

// Reserve implements [core.Limits]. It looks first, so that those who are refused
// lock nothing. A guess whose commit is in doubt may count twice.
func (s *Store) Reserve(ctx context.Context, now time.Time, guesses ...core.Guess) (wait time.Duration, err error) {
	if wait, err = s.room(ctx, now, guesses); err != nil || wait > 0 {
		return wait, err
	}
	// In one order, so that no two transactions wait for each other.
	ordered := slices.SortedFunc(slices.Values(guesses), func(a, b core.Guess) int { return bytes.Compare(a.Key, b.Key) })
	err = s.write(ctx, func(ctx context.Context, tx *sqlx.Tx, _ bool) error {
		for _, g := range ordered {
			each := g.Limit.Each().Microseconds()
			var full int64
			err := tx.GetContext(ctx, &full, s.in(countGuess), g.Key, each, now.UnixMicro(), each*int64(g.Limit.Most))
			if errors.Is(err, sql.ErrNoRows) {
				return errNoRoom
			}
			if err != nil {
				return fmt.Errorf("count guess: %w", err)
			}
		}
		return nil
	})
	if errors.Is(err, errNoRoom) {
		wait, err = s.room(ctx, now, guesses)
		// Room may have come back since; the guess is refused all the same.
		wait = max(wait, time.Microsecond)
	}
	return wait, err
}

// room tells how long until all keys have room for one more guess.
func (s *Store) room(ctx context.Context, now time.Time, guesses []core.Guess) (wait time.Duration, err error) {
	err = s.read(ctx, func(ctx context.Context) error {
		wait = 0
		for _, g := range guesses {
			var full int64
			err := s.db.GetContext(ctx, &full, s.in(`SELECT full_at FROM @guesses WHERE key = $1`), g.Key)
			if err != nil && !errors.Is(err, sql.ErrNoRows) {
				return fmt.Errorf("select guesses: %w", err)
			}
			_, more := g.Limit.Next(record.Time(full), now)
			wait = max(wait, more)
		}
		return nil
	})
	return wait, err
}

// Refund implements [core.Limits].
func (s *Store) Refund(ctx context.Context, guesses ...core.Guess) error {
	ordered := slices.SortedFunc(slices.Values(guesses), func(a, b core.Guess) int { return bytes.Compare(a.Key, b.Key) })
	return s.write(ctx, func(ctx context.Context, tx *sqlx.Tx, doubt bool) error {
		if doubt {
			return nil // at worst a guess counts that was none
		}
		for _, g := range ordered {
			if _, err := tx.ExecContext(ctx, s.in(`UPDATE @guesses SET full_at = full_at - $1 WHERE key = $2`),
				g.Limit.Each().Microseconds(), g.Key); err != nil {
				return fmt.Errorf("take guess back: %w", err)
			}
		}
		return nil
	})
}

// PruneLimits implements [core.Limits].
func (s *Store) PruneLimits(ctx context.Context, now time.Time, limit int) (int, error) {
	var gone int64
	err := s.bulk().write(ctx, func(ctx context.Context, tx *sqlx.Tx, _ bool) (err error) {
		gone, err = record.Affected(tx.ExecContext(ctx,
			s.in(`DELETE FROM @guesses WHERE key IN (SELECT key FROM @guesses WHERE full_at <= $1 LIMIT $2)`), now.UnixMicro(), limit))
		return wrap("forget guesses", err)
	})
	return int(gone), err
}
