-- What was taken over from other servers, and what they need to take it back.

-- +goose Up
ALTER TABLE tokens ADD COLUMN generation TEXT; -- of the older form kept here; NULL: none
ALTER TABLE tokens ADD COLUMN prefix     TEXT; -- the token's first characters, as that form has them
ALTER TABLE tokens ADD COLUMN salt       BLOB;
ALTER TABLE tokens ADD COLUMN twin       BLOB; -- the older digest; NULL: none, or digest itself is it

CREATE INDEX tokens_prefix ON tokens (prefix) WHERE prefix IS NOT NULL AND twin IS NULL;
CREATE UNIQUE INDEX tokens_twin ON tokens (twin) WHERE twin IS NOT NULL;

CREATE TABLE imports (
    id      INTEGER PRIMARY KEY,
    source  TEXT    NOT NULL UNIQUE,
    options TEXT    NOT NULL,
    run     INTEGER NOT NULL,
    stage   TEXT    NOT NULL, -- empty: the run is finished, or has not begun
    reached TEXT    NOT NULL
) STRICT;

-- A row outlives its user, and its token: what was deleted here is not brought
-- back by the next run.
CREATE TABLE imported_users (
    user_id INTEGER PRIMARY KEY,
    source  INTEGER NOT NULL REFERENCES imports,
    mark    BLOB    NOT NULL
) STRICT;

CREATE TABLE imported_tokens (
    digest BLOB    PRIMARY KEY,
    source INTEGER NOT NULL REFERENCES imports,
    run    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
