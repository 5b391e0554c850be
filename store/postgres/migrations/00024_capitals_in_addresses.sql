-- Users are found whatever the case of their addresses. Most addresses have no capitals, and are found as they are:
-- only the others need a second entry, in an index of their own. Under the collation C, lower() changes the letters of
-- ASCII alone, and texts are compared fastest.

-- +goose Up
-- The old indexes go in a transaction of their own: it locks everybody out, and must not last as long as it takes to make these.
CREATE INDEX IF NOT EXISTS users_email ON users (email COLLATE "C", active, coalesce(email_since, created_at), id) WHERE email <> '';
CREATE INDEX IF NOT EXISTS users_email_capitals ON users (lower(email COLLATE "C"), active, coalesce(email_since, created_at), id) WHERE lower(email COLLATE "C") <> email;
