package live

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
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

// nameWord is the place of the name in a statement CREATE TABLE IF NOT EXISTS name.
const nameWord = 5

// createAuxTables creates the auxiliary tables that are missing. A role that may not
// create tables can work with those that another has created.
func (s *Store) createAuxTables(ctx context.Context, tx *sql.Tx) error {
	there, err := s.auxObjects(ctx, tx)
	if err != nil {
		return fmt.Errorf("list auxiliary tables: %w", err)
	}
	for statement := range strings.SplitSeq(strings.Replace(auxTables, "SERIAL", s.django.SerialType(), 1), ";") {
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
func (s *Store) auxObjects(ctx context.Context, tx *sql.Tx) (map[string]bool, error) {
	query := `SELECT name FROM sqlite_schema WHERE name LIKE 'authcompat%'`
	if s.django.IsPostgres() {
		query = `SELECT c.relname::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
			WHERE n.nspname = current_schema() AND c.relname LIKE 'authcompat%'`
	}
	rows, err := tx.QueryContext(ctx, query)
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
