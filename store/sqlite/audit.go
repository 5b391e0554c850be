package sqlite

import (
	"context"
	"fmt"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/store/internal/record"
	"github.com/jmoiron/sqlx"
)

const insertAudit = `
	INSERT INTO audit (at, act, outcome, user_id, username, unknown, profile, actor, address, request, token, detail)
	VALUES (:at, :act, :outcome, :user_id, :username, :unknown, :profile, :actor, :address, :request, :token, :detail)`

// insertAuditPlain is for an entry without a detail: backups record theirs in databases of
// older schemas, which have no column for it.
const insertAuditPlain = `
	INSERT INTO audit (at, act, outcome, user_id, username, unknown, profile, actor, address, request, token)
	VALUES (:at, :act, :outcome, :user_id, :username, :unknown, :profile, :actor, :address, :request, :token)`

const selectAudit = `
	SELECT id, at, act, outcome, user_id, username, unknown, profile, actor, address, request, token, detail FROM audit`

// auditRow is a row of audit.
type auditRow struct {
	At       int64  `db:"at"`
	Act      string `db:"act"`
	Outcome  string `db:"outcome"`
	UserID   int64  `db:"user_id"`
	Username string `db:"username"`
	Unknown  string `db:"unknown"`
	Profile  string `db:"profile"`
	Actor    string `db:"actor"`
	Address  string `db:"address"`
	Request  string `db:"request"`
	Token    string `db:"token"`
	Detail   string `db:"detail"`
}

// writeAuditEntry adds the entry in the transaction, unless it is nil.
func writeAuditEntry(ctx context.Context, tx *sqlx.Tx, e *core.AuditEntry) error {
	if e == nil {
		return nil
	}
	statement := insertAudit
	if e.Detail == "" {
		statement = insertAuditPlain
	}
	_, err := tx.NamedExecContext(ctx, statement, auditRow{
		At: e.At.UnixMicro(), Act: string(e.Action), Outcome: e.Outcome, UserID: e.UserID, Username: e.Username,
		Unknown: e.UsernamePseudonym, Profile: e.Profile, Actor: e.Actor, Address: e.Address, Request: e.Request, Token: e.Token, Detail: e.Detail,
	})
	if err != nil {
		return fmt.Errorf("add to audit record: %w", err)
	}
	return nil
}

// Record implements [core.Auditor].
func (s *Store) Record(ctx context.Context, e core.AuditEntry) error {
	return s.writeAudited(ctx, &e, func(context.Context, *sqlx.Tx) error { return nil })
}

// PurgeAudit implements [core.Auditor].
func (s *Store) PurgeAudit(ctx context.Context, before time.Time, limit int) (n int, err error) {
	err = s.write(ctx, func(ctx context.Context, tx *sqlx.Tx) error {
		if _, err := tx.ExecContext(ctx, `UPDATE audit_begins SET at = max(at, ?)`, before.UnixMicro()); err != nil {
			return fmt.Errorf("purge audit record: %w", err)
		}
		const oldest = `DELETE FROM audit WHERE id IN (SELECT id FROM audit WHERE at < ? ORDER BY at LIMIT ?)`
		gone, err := record.Affected(tx.ExecContext(ctx, oldest, before.UnixMicro(), limit))
		if err != nil {
			return fmt.Errorf("purge audit record: %w", err)
		}
		n = int(gone)
		return nil
	})
	return n, err
}

// auditQuery returns the statement that finds at most limit entries, and its arguments.
func auditQuery(f core.AuditFilter, limit int) (statement string, args []any) {
	condition, args := record.AuditWhere(f, "at")
	return selectAudit + " WHERE " + condition + " ORDER BY id DESC LIMIT ?", append(args, limit)
}

// AuditEntries implements [core.Auditor].
func (s *Store) AuditEntries(ctx context.Context, f core.AuditFilter, limit int) (entries []core.AuditEntry, err error) {
	statement, args := auditQuery(f, limit)
	err = s.read(ctx, func(ctx context.Context) (err error) {
		entries, err = record.AuditEntries(s.reader.QueryContext(ctx, statement, args...))
		return err
	})
	return entries, err
}
