-- Times and durations are microseconds (times since 1970, UTC). Text is compared
-- byte by byte (BINARY, the default collation).

-- +goose Up
CREATE TABLE users (
    id            INTEGER PRIMARY KEY AUTOINCREMENT, -- an id is never used again
    username      TEXT    NOT NULL UNIQUE,
    email         TEXT    NOT NULL,
    password_hash TEXT    NOT NULL,
    active        INTEGER NOT NULL CHECK (active IN (0, 1)),
    attributes    TEXT,                              -- a JSON object of texts; NULL: none
    created_at    INTEGER NOT NULL
) STRICT;

CREATE TABLE tokens (
    digest     BLOB    PRIMARY KEY,
    user_id    INTEGER NOT NULL REFERENCES users ON DELETE CASCADE,
    realm      TEXT    NOT NULL,
    issuer     TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER,                              -- NULL: never
    sliding    INTEGER NOT NULL,
    reusable   INTEGER NOT NULL CHECK (reusable IN (0, 1)),
    sealed     BLOB,
    seal_key   TEXT    NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX tokens_user ON tokens (user_id);
CREATE INDEX tokens_expiry ON tokens (expires_at) WHERE expires_at IS NOT NULL;
CREATE UNIQUE INDEX tokens_reusable ON tokens (user_id, realm, issuer) WHERE reusable = 1;
