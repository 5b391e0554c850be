-- Who is sent to which side of a cutover, and what an entry of the audit record changed.

-- +goose Up
CREATE TABLE cutover (
    id         INTEGER PRIMARY KEY CHECK (id = 1),
    version    INTEGER NOT NULL,
    changed_at INTEGER NOT NULL, -- microseconds
    key        BLOB    NOT NULL, -- of the positions of users; stays
    rules      TEXT    NOT NULL  -- a JSON list
) STRICT;

ALTER TABLE audit ADD COLUMN detail TEXT NOT NULL DEFAULT '';
