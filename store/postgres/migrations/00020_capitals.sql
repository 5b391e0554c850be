-- Users are found whatever the case of their names. Most names have no capitals, and are found
-- as they are: only the others need an entry of their own.

-- +goose Up
-- The old index goes first: its lock keeps out another server that is at this step, where the new one's
-- does not, and both would then wait for each other.
DROP INDEX IF EXISTS users_username_lower;
CREATE INDEX IF NOT EXISTS users_username_capitals ON users (lower(username COLLATE "C")) WHERE lower(username COLLATE "C") <> username;
