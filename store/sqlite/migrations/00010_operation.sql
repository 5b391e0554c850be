-- What it takes to run a server: limits on guesses, the audit record, secrets of
-- the database itself.

-- +goose Up
CREATE TABLE secrets (
    name  TEXT PRIMARY KEY,
    value BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE guesses (
    key     BLOB    PRIMARY KEY,
    full_at INTEGER NOT NULL -- when the key has all its room again
) STRICT, WITHOUT ROWID;

CREATE INDEX guesses_full ON guesses (full_at);

CREATE TABLE audit (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    at       INTEGER NOT NULL,
    act      TEXT    NOT NULL,
    outcome  TEXT    NOT NULL,
    user_id  INTEGER NOT NULL, -- 0: none. It outlives the user.
    username TEXT    NOT NULL,
    unknown  TEXT    NOT NULL,
    profile  TEXT    NOT NULL,
    actor    TEXT    NOT NULL,
    address  TEXT    NOT NULL,
    request  TEXT    NOT NULL,
    token    TEXT    NOT NULL
) STRICT;

CREATE INDEX audit_username ON audit (username, id) WHERE username <> '';

-- +goose StatementBegin
CREATE TRIGGER audit_is_not_changed BEFORE UPDATE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit record is append-only'); END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER audit_is_not_removed BEFORE DELETE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit record is append-only'); END;
-- +goose StatementEnd

CREATE INDEX tokens_sealed ON tokens (seal_key, digest) WHERE seal_key <> '';
