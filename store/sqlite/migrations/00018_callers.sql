-- Who called which endpoint, by day, and how often. One row of each day, with an empty id and no
-- requests, is for whoever adds to them.

-- +goose Up
CREATE TABLE IF NOT EXISTS callers (
    day      INTEGER NOT NULL, -- since 1970, UTC
    id       TEXT    NOT NULL, -- digest of what identifies the caller
    profile  TEXT    NOT NULL,
    endpoint TEXT    NOT NULL,
    username TEXT    NOT NULL, -- empty: none was logged in. It outlives the user.
    client   TEXT    NOT NULL,
    agent    TEXT    NOT NULL,
    other    INTEGER NOT NULL, -- 1: all for whom there was no room
    requests INTEGER NOT NULL,
    refused  INTEGER NOT NULL,
    first_at INTEGER NOT NULL,
    last_at  INTEGER NOT NULL,
    PRIMARY KEY (day, id)
) STRICT, WITHOUT ROWID;
