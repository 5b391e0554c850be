package live

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/authcompat/authcompat/store/internal/pgconn"
	"github.com/lib/pq"
	"github.com/lib/pq/pqerror"
)

// The audit record is append-only: no entry is changed, and only the oldest part may be
// removed, from the beginning up to a moment in authcompat_audit_begins that only rises.

// auditTriggersSQLite are the triggers of a SQLite file, as in package sqlite. REPLACE
// deletes without a trigger; where the table is to choose the id, SQLite shows -1.
const auditTriggersSQLite = `
CREATE TRIGGER IF NOT EXISTS authcompat_audit_is_not_changed BEFORE UPDATE ON authcompat_audit
BEGIN SELECT RAISE(ABORT, 'the audit record is append-only'); END;
CREATE TRIGGER IF NOT EXISTS authcompat_audit_is_not_removed BEFORE DELETE ON authcompat_audit
WHEN OLD.happened >= (SELECT happened FROM authcompat_audit_begins)
BEGIN SELECT RAISE(ABORT, 'the audit record is append-only'); END;
CREATE TRIGGER IF NOT EXISTS authcompat_audit_is_not_replaced BEFORE INSERT ON authcompat_audit
WHEN NEW.id > 0 AND EXISTS (SELECT 1 FROM authcompat_audit WHERE id = NEW.id)
BEGIN SELECT RAISE(ABORT, 'the audit record is append-only'); END`

// auditTriggersPostgres are those of PostgreSQL, in words that its old releases know too.
const auditTriggersPostgres = `
CREATE OR REPLACE FUNCTION authcompat_audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE begins bigint;
BEGIN
	IF TG_OP = 'DELETE' THEN
		EXECUTE format('SELECT happened FROM %I.authcompat_audit_begins', TG_TABLE_SCHEMA) INTO begins;
		IF OLD.happened < begins THEN
			RETURN OLD;
		END IF;
	END IF;
	RAISE EXCEPTION 'the audit record is append-only';
END $$;
DROP TRIGGER IF EXISTS authcompat_audit_is_not_changed ON authcompat_audit;
CREATE TRIGGER authcompat_audit_is_not_changed BEFORE UPDATE OR TRUNCATE ON authcompat_audit
	FOR EACH STATEMENT EXECUTE PROCEDURE authcompat_audit_is_append_only();
DROP TRIGGER IF EXISTS authcompat_audit_is_not_removed ON authcompat_audit;
CREATE TRIGGER authcompat_audit_is_not_removed BEFORE DELETE ON authcompat_audit
	FOR EACH ROW EXECUTE PROCEDURE authcompat_audit_is_append_only()`

// auditTriggersMissing tells whether PostgreSQL lacks one of the triggers, or has it
// disabled: tgenabled is O or A for those that fire in the sessions of a program, D or R for
// those that do not (https://www.postgresql.org/docs/current/catalog-pg-trigger.html).
const auditTriggersMissing = `(SELECT count(*) < 2 FROM pg_trigger WHERE tgrelid = 'authcompat_audit'::regclass AND tgname LIKE 'authcompat_audit_is_not_%' AND tgenabled IN ('O', 'A'))`

// createAuditTriggers creates the triggers of the audit record if they are missing, and
// anew if they are disabled. A PostgreSQL role that may not create them goes without, and so does who would wait for
// others that use the table: [Store.Warnings] says so.
func (l *layout) createAuditTriggers(ctx context.Context) error {
	err := l.alter(ctx, func(ctx context.Context, tx *sql.Tx) error {
		statements := auditTriggersSQLite
		if l.django.IsPostgres() {
			var missing bool
			if err := tx.QueryRowContext(ctx, `SELECT `+auditTriggersMissing).Scan(&missing); err != nil || !missing {
				return err
			}
			statements = lockBriefly + ";" + auditTriggersPostgres
		}
		_, err := tx.ExecContext(ctx, statements)
		return err
	})
	if pq.As(err, pqerror.InsufficientPrivilege, pqerror.FeatureNotSupported, pqerror.UndefinedObject, pqerror.LockNotAvailable) != nil {
		return nil
	}
	if err != nil {
		return fmt.Errorf("create triggers of the audit record: %w", err)
	}
	return nil
}

// auditWarning returns what to do where PostgreSQL would let the role change the audit
// record, or nothing.
func (l *layout) auditWarning(ctx context.Context) (string, error) {
	var may bool
	var role string
	err := l.db.QueryRowContext(ctx, `SELECT quote_ident(current_user), `+auditTriggersMissing+`
		AND (has_table_privilege('authcompat_audit', 'UPDATE') OR has_table_privilege('authcompat_audit', 'TRUNCATE'))`).Scan(&role, &may)
	if err != nil || !may {
		return "", err
	}
	return "the audit record in authcompat_audit can be changed, because triggers of it are missing or disabled, which the role may not create, or which others that use the table, such as a dump, kept from being created: run `authcompat audit` once as the owner of that table, or REVOKE UPDATE, TRUNCATE ON authcompat_audit FROM " + role, nil
}

// maxOvertaken limits the retries after another process was faster to create something.
const maxOvertaken = 10

// overtaken reports whether err says that another process has created, or is creating,
// the same thing.
func overtaken(err error) bool {
	return pgconn.IsDuplicate(err, "") || pq.As(err, pqerror.DuplicateTable, pqerror.DuplicateColumn, pqerror.DuplicateObject, pqerror.DuplicateFunction, pqerror.InternalError) != nil
}
