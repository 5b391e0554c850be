package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/store/internal/pgconn"
	"github.com/authcompat/authcompat/store/internal/record"
	"github.com/jmoiron/sqlx"
)

const auditColumns = `at, act, outcome, user_id, username, unknown, profile, actor, address, request, token, detail`

// insertAudit inserts an entry. The condition is for a retry after an ambiguous commit,
// which may have inserted it.
const insertAudit = `
	INSERT INTO @audit (` + auditColumns + `)
	SELECT $1::bigint, $2::text, $3::text, $4::bigint, $5::text, $6::text, $7::text, $8::text, $9::text, $10::text, $11::text, $12::text
	WHERE NOT $13::boolean OR NOT EXISTS (
		SELECT 1 FROM @audit WHERE (` + auditColumns + `) = ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12))`

// writeAuditEntry adds the entry in the transaction, unless it is nil.
func (s *Store) writeAuditEntry(ctx context.Context, tx *sqlx.Tx, e *core.AuditEntry, retryAfterAmbiguous bool) error {
	if e == nil {
		return nil
	}
	_, err := tx.ExecContext(ctx, s.qualify(insertAudit), e.At.UnixMicro(), string(e.Action), e.Outcome, e.UserID, e.Username,
		e.UsernamePseudonym, e.Profile, e.Actor, e.Address, e.Request, e.Token, e.Detail, retryAfterAmbiguous)
	return wrap("add to audit record", err)
}

// Record implements [core.Auditor].
func (s *Store) Record(ctx context.Context, e core.AuditEntry) error {
	return s.writeAudited(ctx, &e, func(context.Context, *sqlx.Tx, bool) error { return nil })
}

// PurgeAudit implements [core.Auditor].
func (s *Store) PurgeAudit(ctx context.Context, before time.Time, limit int) (n int, err error) {
	err = s.write(ctx, func(ctx context.Context, tx *sqlx.Tx, _ bool) error {
		const oldest = `DELETE FROM @audit WHERE id IN (SELECT id FROM @audit WHERE at < $1 ORDER BY at LIMIT $2)`
		gone, err := record.Affected(tx.ExecContext(ctx, s.qualify(oldest), before.UnixMicro(), limit))
		n = int(gone)
		return wrap("purge audit record", err)
	})
	return n, err
}

// AuditEntries implements [core.Auditor].
func (s *Store) AuditEntries(ctx context.Context, f core.AuditFilter, limit int) (entries []core.AuditEntry, err error) {
	conditions, args := []string{"TRUE"}, []any{}
	where := func(condition string, values ...any) {
		for _, value := range values {
			args = append(args, value)
			condition = strings.Replace(condition, "?", fmt.Sprintf("$%d", len(args)), 1)
		}
		conditions = append(conditions, condition)
	}
	if condition, values := record.AuditSubject(f); condition != "" {
		where(condition, values...)
	}
	if f.Action != "" {
		where("act = ?", string(f.Action))
	}
	if f.Failed {
		where("outcome <> ?", core.OK)
	}
	if !f.Since.IsZero() {
		where("at >= ?", f.Since.UnixMicro())
	}
	if !f.Until.IsZero() {
		where("at < ?", f.Until.UnixMicro())
	}
	if f.Before != 0 {
		where("id < ?", f.Before)
	}
	query := `SELECT id, ` + auditColumns + ` FROM @audit WHERE ` + strings.Join(conditions, " AND ") +
		fmt.Sprintf(" ORDER BY id DESC LIMIT %d", limit)
	err = s.withBulkTimeout().read(ctx, func(ctx context.Context) error {
		rows, err := s.db.QueryxContext(ctx, s.qualify(query), args...)
		if err != nil {
			return fmt.Errorf("select audit: %w", err)
		}
		defer rows.Close()
		entries = nil
		for rows.Next() {
			var e core.AuditEntry
			var at int64
			if err := rows.Scan(&e.ID, &at, &e.Action, &e.Outcome, &e.UserID, &e.Username, &e.UsernamePseudonym, &e.Profile,
				&e.Actor, &e.Address, &e.Request, &e.Token, &e.Detail); err != nil {
				return fmt.Errorf("select audit: %w", err)
			}
			e.At = record.Time(at)
			entries = append(entries, e)
		}
		return wrap("select audit", rows.Err())
	})
	if errors.Is(err, pgconn.ErrEncoding) {
		return nil, nil // of a name that nobody can have
	}
	return entries, err
}
