-- Who called which endpoint, by day, and how often. One row of each day, with an empty id and no
-- requests, is for whoever adds to them.

-- +goose Up
CREATE TABLE callers (
    day      BIGINT  NOT NULL, -- since 1970, UTC
    id       TEXT    NOT NULL, -- digest of what identifies the caller
    profile  TEXT    NOT NULL,
    endpoint TEXT    NOT NULL,
    username TEXT    NOT NULL, -- empty: none was logged in. It outlives the user.
    client   TEXT    NOT NULL,
    agent    TEXT    NOT NULL,
    other    INTEGER NOT NULL, -- 1: all for whom there was no room
    requests BIGINT  NOT NULL,
    refused  BIGINT  NOT NULL,
    first_at BIGINT  NOT NULL,
    last_at  BIGINT  NOT NULL,
    PRIMARY KEY (day, id)
);
