package live

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"github.com/authcompat/authcompat/store/internal/callers"
	"github.com/lib/pq"
	"github.com/lib/pq/pqerror"
)

// auxTables are the tables for what Django has no columns for: a token's realm, issuer
// and rules, attributes of a user, and the engine's own records. Their names begin with
// authcompat_. A token exists if and only if Django's row exists; one that Django issued
// belongs to the realm "default" and has no issuer.
//
// Times are microseconds since 1970; token is the primary key of Django's row; SERIAL
// stands for the type of a primary key that the database assigns.
const auxTables = `
CREATE TABLE IF NOT EXISTS authcompat_users (
	user_id    BIGINT PRIMARY KEY,
	attributes TEXT   NOT NULL
);
CREATE TABLE IF NOT EXISTS authcompat_tokens (
	digest     VARCHAR(64)  PRIMARY KEY,
	token      VARCHAR(128) NOT NULL UNIQUE,
	user_id    BIGINT       NOT NULL,
	realm      VARCHAR(64)  NOT NULL,
	issuer     VARCHAR(64)  NOT NULL,
	expires_at BIGINT,
	sliding    BIGINT       NOT NULL,
	reusable   INTEGER      NOT NULL,
	sealed     TEXT         NOT NULL,
	seal_key   TEXT         NOT NULL,
	created_at BIGINT       NOT NULL
);
CREATE INDEX IF NOT EXISTS authcompat_tokens_user ON authcompat_tokens (user_id);
CREATE TABLE IF NOT EXISTS authcompat_guesses (
	guess   VARCHAR(128) PRIMARY KEY,
	full_at BIGINT       NOT NULL
);
CREATE TABLE IF NOT EXISTS authcompat_secrets (
	name  VARCHAR(64) PRIMARY KEY,
	value TEXT        NOT NULL
);
CREATE TABLE IF NOT EXISTS authcompat_audit (
	id       SERIAL,
	happened BIGINT NOT NULL,
	act      TEXT   NOT NULL,
	outcome  TEXT   NOT NULL,
	user_id  BIGINT NOT NULL,
	username TEXT   NOT NULL,
	unknown  TEXT   NOT NULL,
	profile  TEXT   NOT NULL,
	actor    TEXT   NOT NULL,
	address  TEXT   NOT NULL,
	request  TEXT   NOT NULL,
	token    TEXT   NOT NULL
);
CREATE INDEX IF NOT EXISTS authcompat_audit_happened ON authcompat_audit (happened);
CREATE TABLE IF NOT EXISTS authcompat_audit_begins (
	id       INTEGER PRIMARY KEY CHECK (id = 1),
	happened BIGINT  NOT NULL
)`

// laterParts are what later versions have added to the auxiliary tables. Each is there or
// not for as long as a store is open.
type laterParts struct {
	cutover bool // the table authcompat_cutover
	detail  bool // the column detail of authcompat_audit
}

// addCutover and addDetail add them. A column without a default is added to a table of any
// size at once, by old releases of PostgreSQL too.
const (
	addCutover = `
CREATE TABLE authcompat_cutover (
	id         INTEGER PRIMARY KEY CHECK (id = 1),
	version    BIGINT NOT NULL,
	changed_at BIGINT NOT NULL,
	key        TEXT   NOT NULL,
	rules      TEXT   NOT NULL
)`
	addDetail = `ALTER TABLE authcompat_audit ADD COLUMN detail TEXT`
)

// nameWord is the place of the name in a statement CREATE TABLE IF NOT EXISTS name.
const nameWord = 5

// createAuxTables creates the auxiliary tables that are missing. A role that may not
// create tables can work with those that another has created.
func (l *layout) createAuxTables(ctx context.Context, tx *sql.Tx) error {
	there, err := l.auxObjects(ctx, tx)
	if err != nil {
		return fmt.Errorf("list auxiliary tables: %w", err)
	}
	for statement := range strings.SplitSeq(strings.Replace(auxTables, "SERIAL", l.django.SerialType(), 1), ";") {
		if name := strings.Fields(statement)[nameWord]; there[name] {
			continue
		}
		if _, err := tx.ExecContext(ctx, statement); err != nil {
			return fmt.Errorf("create auxiliary tables: %w", err)
		}
	}
	if there["authcompat_audit_begins"] {
		return nil
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO authcompat_audit_begins (id, happened) VALUES (1, 0) ON CONFLICT DO NOTHING`)
	return err
}

// auxObjects returns the names of the auxiliary tables and indexes that exist where new
// ones would be created.
func (l *layout) auxObjects(ctx context.Context, q callers.Querier) (map[string]bool, error) {
	query := `SELECT name FROM sqlite_schema WHERE name LIKE 'authcompat%'`
	if l.django.IsPostgres() {
		query = `SELECT c.relname::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
			WHERE n.nspname = current_schema() AND c.relname LIKE 'authcompat%'`
	}
	rows, err := q.QueryContext(ctx, query)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	there := make(map[string]bool)
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, err
		}
		there[name] = true
	}
	return there, rows.Err()
}

// addLaterParts adds what later versions have added, if it is missing. A role that may not
// goes without, and so does who would wait for others that use the table: [Store.Warnings]
// says so.
func (l *layout) addLaterParts(ctx context.Context) error {
	read := func(ctx context.Context) (err error) {
		l.later, err = l.readLaterParts(ctx, l.db)
		return err
	}
	if err := l.read(ctx, read); err != nil || l.later == (laterParts{cutover: true, detail: true}) {
		return err
	}
	for _, add := range []struct {
		statement string
		there     func(laterParts) bool
	}{
		{addCutover, func(p laterParts) bool { return p.cutover }},
		{addDetail, func(p laterParts) bool { return p.detail }},
	} {
		err := l.alter(ctx, func(ctx context.Context, tx *sql.Tx) error {
			if parts, err := l.readLaterParts(ctx, tx); err != nil || add.there(parts) {
				return err
			}
			if l.django.IsPostgres() {
				if _, err := tx.ExecContext(ctx, lockBriefly); err != nil {
					return err
				}
			}
			_, err := tx.ExecContext(ctx, add.statement)
			return err
		})
		if err != nil && pq.As(err, pqerror.InsufficientPrivilege, pqerror.LockNotAvailable) == nil {
			return fmt.Errorf("add to auxiliary tables: %w", err)
		}
	}
	return l.read(ctx, read)
}

// lockBriefly ends a change of a table that others use: whoever comes after it would wait
// for it too.
const lockBriefly = `SET LOCAL lock_timeout = '2s'`

// rowQuerier is a database or a transaction.
type rowQuerier interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// readLaterParts returns which of the later parts are there.
func (l *layout) readLaterParts(ctx context.Context, q rowQuerier) (p laterParts, err error) {
	query := `SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = 'authcompat_cutover'),
		EXISTS (SELECT 1 FROM pragma_table_info('authcompat_audit') WHERE name = 'detail')`
	if l.django.IsPostgres() {
		query = `SELECT to_regclass('authcompat_cutover') IS NOT NULL,
			EXISTS (SELECT 1 FROM pg_attribute WHERE attrelid = to_regclass('authcompat_audit') AND attname = 'detail' AND NOT attisdropped)`
	}
	err = q.QueryRowContext(ctx, query).Scan(&p.cutover, &p.detail)
	return p, err
}

// laterWarning returns what to do where later parts are missing, or nothing.
func (l *layout) laterWarning(ctx context.Context) (string, error) {
	if l.later.cutover && l.later.detail {
		return "", nil
	}
	var role string
	if err := l.db.QueryRowContext(ctx, `SELECT quote_ident(current_user)`).Scan(&role); err != nil {
		return "", err
	}
	return "auxiliary tables are those of an earlier version, which the role may not change: no cutover can be switched, or the audit record does not say what was; run `authcompat audit` once as the owner of authcompat_audit, then GRANT SELECT, INSERT, UPDATE ON authcompat_cutover TO " + role + ", and restart", nil
}
