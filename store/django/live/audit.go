package live

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/store/internal/pgconn"
	"github.com/authcompat/authcompat/store/internal/record"
)

// auditColumns are those of an entry that every version has.
const auditColumns = `happened, act, outcome, user_id, username, unknown, profile, actor, address, request, token`

// writeAuditEntry adds the entry, unless it is nil, in the transaction.
func (l *layout) writeAuditEntry(ctx context.Context, tx *sql.Tx, e *core.AuditEntry) error {
	if e == nil {
		return nil
	}
	columns, values := auditColumns, `?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?`
	args := []any{e.At.UnixMicro(), string(e.Action), e.Outcome, e.UserID, e.Username,
		e.UsernamePseudonym, e.Profile, e.Actor, e.Address, e.Request, e.Token}
	if e.Detail != "" && l.later.detail {
		columns, values, args = columns+`, detail`, values+`, ?`, append(args, e.Detail)
	}
	if _, err := tx.ExecContext(ctx, l.sql(`INSERT INTO authcompat_audit (`+columns+`) VALUES (`+values+`)`), args...); err != nil {
		return fmt.Errorf("add to audit record: %w", err)
	}
	return nil
}

// Record implements [core.Auditor].
func (s *Store) Record(ctx context.Context, e core.AuditEntry) error {
	return s.writeAudited(ctx, &e, func(context.Context, *sql.Tx, *layout) error { return nil })
}

// PurgeAudit implements [core.Auditor].
func (s *Store) PurgeAudit(ctx context.Context, before time.Time, limit int) (n int, err error) {
	err = s.write(ctx, func(ctx context.Context, tx *sql.Tx, l *layout) error {
		if _, err := tx.ExecContext(ctx, l.sql(`UPDATE authcompat_audit_begins SET happened = ? WHERE happened < ?`), before.UnixMicro(), before.UnixMicro()); err != nil {
			return fmt.Errorf("purge audit record: %w", err)
		}
		const oldest = `DELETE FROM authcompat_audit WHERE id IN (SELECT id FROM authcompat_audit WHERE happened < ? ORDER BY happened LIMIT ?)`
		result, err := tx.ExecContext(ctx, l.sql(oldest), before.UnixMicro(), limit)
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
	condition, args := record.AuditWhere(f, "happened")
	err = s.read(ctx, func(ctx context.Context, l *layout) (err error) {
		detail := `''`
		if l.later.detail {
			detail = `coalesce(detail, '')`
		}
		query := `SELECT id, ` + auditColumns + `, ` + detail + `
			FROM authcompat_audit WHERE ` + condition + ` ORDER BY id DESC LIMIT ?`
		entries, err = record.AuditEntries(l.db.QueryContext(ctx, l.sql(query), append(args, limit)...))
		return err
	})
	if errors.Is(err, pgconn.ErrEncoding) {
		return nil, nil // of a name that nobody can have
	}
	return entries, err
}
