package django

import (
	"context"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/password"
)

var (
	_ core.RateLimiter  = (*Store)(nil)
	_ core.Auditor      = (*Store)(nil)
	_ core.PrivacyStore = (*Store)(nil)
)

// Reserve implements [core.Limits].
func (s *Store) Reserve(ctx context.Context, now time.Time, guesses ...core.LimitKey) (wait time.Duration, err error) {
	// In one order, so that two logins never wait for each other.
	sorted := slices.SortedFunc(slices.Values(guesses), func(a, b core.LimitKey) int { return strings.Compare(string(a.Key), string(b.Key)) })
	err = s.write(ctx, func(tx *sql.Tx) error {
		wait = 0
		next := make([]time.Time, len(sorted))
		for i, g := range sorted {
			if _, err := tx.ExecContext(ctx, s.sql(`INSERT INTO authcompat_guesses (guess, full_at) VALUES (?, 0) ON CONFLICT DO NOTHING`), hex.EncodeToString(g.Key)); err != nil {
				return fmt.Errorf("count guess: %w", err)
			}
			var full int64
			if err := tx.QueryRowContext(ctx, s.sql(`SELECT full_at FROM authcompat_guesses WHERE guess = ?`)+s.lockRows(), hex.EncodeToString(g.Key)).Scan(&full); err != nil {
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

// Refund implements [core.Limits].
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

// PruneLimits implements [core.Limits].
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

// recorded adds the entry of the context, if it has one, to what tx does.
func (s *Store) recorded(ctx context.Context, tx *sql.Tx) error {
	e := core.AuditOf(ctx)
	if e == nil {
		return nil
	}
	if _, err := tx.ExecContext(ctx, s.sql(`
		INSERT INTO authcompat_audit (happened, act, outcome, user_id, username, unknown, profile, actor, address, request, token)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`), e.At.UnixMicro(), string(e.Action), e.Outcome, e.UserID, e.Username,
		e.UsernamePseudonym, e.Profile, e.Actor, e.Address, e.Request, e.Token); err != nil {
		return fmt.Errorf("add to audit record: %w", err)
	}
	return nil
}

// Record implements [core.Auditor].
func (s *Store) Record(ctx context.Context, e core.AuditEntry) error {
	return s.write(core.WithAudit(ctx, &e), func(*sql.Tx) error { return nil })
}

// PurgeAudit implements [core.Auditor].
func (s *Store) PurgeAudit(ctx context.Context, before time.Time, limit int) (n int, err error) {
	err = s.write(ctx, func(tx *sql.Tx) error {
		const oldest = `DELETE FROM authcompat_audit WHERE id IN (SELECT id FROM authcompat_audit WHERE happened < ? ORDER BY happened LIMIT ?)`
		result, err := tx.ExecContext(ctx, s.sql(oldest), before.UnixMicro(), limit)
		if err != nil {
			return fmt.Errorf("purge audit record: %w", err)
		}
		gone, err := result.RowsAffected()
		n = int(gone)
		return err
	})
	return n, err
}

// AuditEntries implements [core.Auditor].
func (s *Store) AuditEntries(ctx context.Context, f core.AuditFilter, limit int) (entries []core.AuditEntry, err error) {
	conditions, args := []string{"1 = 1"}, []any{}
	where := func(wanted bool, condition string, values ...any) {
		if wanted {
			conditions, args = append(conditions, condition), append(args, values...)
		}
	}
	where(f.Username != "" && f.UsernamePseudonym != "", "(username = ? OR unknown = ?)", f.Username, f.UsernamePseudonym)
	where(f.Username != "" && f.UsernamePseudonym == "", "username = ?", f.Username)
	where(f.Username == "" && f.UsernamePseudonym != "", "unknown = ?", f.UsernamePseudonym)
	where(f.Action != "", "act = ?", string(f.Action))
	where(f.Failed, "outcome <> ?", core.OK)
	where(!f.Since.IsZero(), "happened >= ?", f.Since.UnixMicro())
	where(!f.Until.IsZero(), "happened < ?", f.Until.UnixMicro())
	where(f.Before != 0, "id < ?", f.Before)
	query := s.sql(`SELECT id, happened, act, outcome, user_id, username, unknown, profile, actor, address, request, token
		FROM authcompat_audit WHERE ` + strings.Join(conditions, " AND ") + ` ORDER BY id DESC LIMIT ?`)
	err = s.patiently(ctx, func() error {
		entries = nil
		rows, err := s.db.QueryContext(ctx, query, append(args, limit)...)
		if err != nil {
			return fmt.Errorf("select audit: %w", err)
		}
		defer rows.Close()
		for rows.Next() {
			var e core.AuditEntry
			var at int64
			if err := rows.Scan(&e.ID, &at, &e.Action, &e.Outcome, &e.UserID, &e.Username, &e.UsernamePseudonym, &e.Profile, &e.Actor, &e.Address, &e.Request, &e.Token); err != nil {
				return fmt.Errorf("select audit: %w", err)
			}
			e.At = micros(at)
			entries = append(entries, e)
		}
		return rows.Err()
	})
	return entries, err
}

// PseudonymKey implements [core.PrivacyStore].
func (s *Store) PseudonymKey(ctx context.Context, fresh func() ([]byte, error)) (key []byte, err error) {
	err = s.write(ctx, func(tx *sql.Tx) error {
		drawn, err := fresh()
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, s.sql(`INSERT INTO authcompat_secrets (name, value) VALUES ('disguise', ?) ON CONFLICT DO NOTHING`), hex.EncodeToString(drawn)); err != nil {
			return fmt.Errorf("keep key: %w", err)
		}
		var text string
		if err := tx.QueryRowContext(ctx, `SELECT value FROM authcompat_secrets WHERE name = 'disguise'`).Scan(&text); err != nil {
			return fmt.Errorf("read key: %w", err)
		}
		if key, err = hex.DecodeString(text); err != nil {
			return errors.New("the key of the database is damaged")
		}
		return nil
	})
	return key, err
}

// PasswordFormatCounts implements [core.PrivacyStore]. It reads all users.
func (s *Store) PasswordFormatCounts(ctx context.Context) ([]core.PasswordFormatCount, error) {
	groups := map[password.Cost]*core.PasswordFormatCount{}
	err := s.Each(ctx, s.shape.Users, "", func(row Row) error {
		encoded := row.text(s.decoder.Mapping.Password)
		cost, err := password.CostOf(encoded)
		if err != nil {
			return nil // costs what a new one does
		}
		if groups[cost] == nil {
			groups[cost] = &core.PasswordFormatCount{Example: encoded}
		}
		groups[cost].Accounts++
		return nil
	})
	if err != nil {
		return nil, s.explain(ctx, err)
	}
	var mix []core.PasswordFormatCount
	for _, g := range groups {
		mix = append(mix, *g)
	}
	return mix, nil
}
