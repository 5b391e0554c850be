package live

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"
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
CREATE INDEX IF NOT EXISTS authcompat_audit_happened ON authcompat_audit (happened)`

// createAuxTables creates the auxiliary tables that are missing.
func (s *Store) createAuxTables(ctx context.Context, tx *sql.Tx) error {
	for statement := range strings.SplitSeq(strings.Replace(auxTables, "SERIAL", s.django.SerialType(), 1), ";") {
		if _, err := tx.ExecContext(ctx, statement); err != nil {
			return fmt.Errorf("create auxiliary tables: %w", err)
		}
	}
	return nil
}

// micros is the time in a column of an auxiliary table.
func micros(n int64) time.Time { return time.UnixMicro(n).UTC() }
