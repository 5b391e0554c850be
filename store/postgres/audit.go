package postgres

import (
	"context"
	"errors"
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
	condition, args := record.AuditWhere(f, "at")
	query := s.qualify(sqlx.Rebind(sqlx.DOLLAR, `SELECT id, `+auditColumns+` FROM @audit WHERE `+condition+` ORDER BY id DESC LIMIT ?`))
	err = s.withBulkTimeout().read(ctx, func(ctx context.Context) (err error) {
		entries, err = record.AuditEntries(s.db.QueryContext(ctx, query, append(args, limit)...))
		return err
	})
	if errors.Is(err, pgconn.ErrEncoding) {
		return nil, nil // of a name that nobody can have
	}
	return entries, err
}
