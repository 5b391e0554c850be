-- Users are found whatever the case of their names. Most names have no capitals, and are found
-- as they are: only the others need an entry of their own.

-- +goose Up
CREATE INDEX IF NOT EXISTS users_username_capitals ON users (lower(username COLLATE "C")) WHERE lower(username COLLATE "C") <> username;
DROP INDEX IF EXISTS users_username_lower;
