-- Who gets a mail that is asked for by an address, or logs in by one, is found without a look at all who have the
-- same, or one that differs in its case: anybody may register any number of accounts with it. Under the collation C,
-- lower() changes the letters of ASCII alone.

-- +goose Up
-- A query of those who are active must not take it. It goes first: its lock keeps out another server that is at this step,
-- where those of the indexes do not, and both would then wait for each other.
DROP INDEX IF EXISTS users_email_since;
CREATE INDEX IF NOT EXISTS users_email_active ON users (lower(email COLLATE "C"), active, coalesce(email_since, created_at), id) WHERE email <> '';
CREATE INDEX IF NOT EXISTS users_email_exact ON users (email, active, coalesce(email_since, created_at), id) WHERE email <> '';
CREATE INDEX IF NOT EXISTS email_addresses_verified ON email_addresses (lower(email COLLATE "C")) WHERE verified;
