-- Who is who at the source, and which tables of it were read.

-- +goose Up
ALTER TABLE imported_users
    ADD COLUMN key      TEXT,  -- the source's primary key; NULL: user_id is it
    ADD COLUMN rehashed BYTEA; -- of the password that a login made anew; NULL: none did
CREATE UNIQUE INDEX imported_users_key ON imported_users (source, key) WHERE key IS NOT NULL;

ALTER TABLE imported_tokens
    ADD COLUMN origin TEXT    NOT NULL DEFAULT '',   -- the source's table; empty: not known
    ADD COLUMN absent BOOLEAN NOT NULL DEFAULT false; -- true: ended because a run did not see it

ALTER TABLE imports ADD COLUMN tables TEXT NOT NULL DEFAULT '[]'; -- of tokens that have been read, a JSON list

-- Both tables are written a row for each row of the source: a check of the one
-- import that they all belong to costs more than the row, and room for the next
-- run's mark saves its index entries.
ALTER TABLE imported_users DROP CONSTRAINT imported_users_source_fkey;
ALTER TABLE imported_tokens DROP CONSTRAINT imported_tokens_source_fkey, SET (fillfactor = 80);
