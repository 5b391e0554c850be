-- Since when a user has had the address, where that is not since created_at: who comes to an address that
-- others have comes after them, however old the account is. In the order of that, users are found by
-- their address. Under the collation C, lower() changes the letters of ASCII alone.

-- +goose Up
-- The column goes first: its lock keeps out another server that is at this step, where those of the indexes
-- do not, and both would then wait for each other.
ALTER TABLE users ADD COLUMN email_since BIGINT; -- microseconds; NULL: since created_at
DROP INDEX IF EXISTS users_email_lower;
CREATE INDEX IF NOT EXISTS users_email_since ON users (lower(email COLLATE "C"), coalesce(email_since, created_at), id) WHERE email <> '';

-- Mails that wait are found by who has another address.
CREATE INDEX IF NOT EXISTS mails_user ON mails (user_id);
