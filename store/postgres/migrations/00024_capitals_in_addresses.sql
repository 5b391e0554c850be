-- Users are found whatever the case of their addresses. Most addresses have no capitals, and are found as they are:
-- only the others need a second entry, in an index of their own. Under the collation C, lower() changes the letters of
-- ASCII alone, and texts are compared fastest.

-- +goose Up
-- The old indexes go first: their lock keeps out another server that is at this step, where those of the new ones
-- do not, and both would then wait for each other.
DROP INDEX IF EXISTS users_email_active;
DROP INDEX IF EXISTS users_email_exact;
CREATE INDEX IF NOT EXISTS users_email ON users (email COLLATE "C", active, coalesce(email_since, created_at), id) WHERE email <> '';
CREATE INDEX IF NOT EXISTS users_email_capitals ON users (lower(email COLLATE "C"), active, coalesce(email_since, created_at), id) WHERE lower(email COLLATE "C") <> email;
