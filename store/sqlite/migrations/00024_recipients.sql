-- Who gets a mail that is asked for by an address, or logs in by one, is found without a look at all who have the
-- same, or one that differs in its case: anybody may register any number of accounts with it.

-- +goose Up
CREATE INDEX users_email_active ON users (lower(email), active, coalesce(email_since, created_at)) WHERE email <> '';
DROP INDEX users_email_since; -- a query of those who are active must not take it
CREATE INDEX users_email_exact ON users (email, active, coalesce(email_since, created_at)) WHERE email <> '';
CREATE INDEX email_addresses_verified ON email_addresses (lower(email)) WHERE verified;
