-- Since when a user has had the address, where that is not since created_at: who comes to an address that
-- others have comes after them, however old the account is. In the order of that, users are found by
-- their address; lower() changes the letters of ASCII alone.

-- +goose Up
ALTER TABLE users ADD COLUMN email_since INTEGER; -- microseconds; NULL: since created_at
CREATE INDEX IF NOT EXISTS users_email_since ON users (lower(email), coalesce(email_since, created_at)) WHERE email <> '';
DROP INDEX IF EXISTS users_email_lower;

-- Mails that wait are found by who has another address.
CREATE INDEX IF NOT EXISTS mails_user ON mails (user_id);
