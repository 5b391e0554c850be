-- Users are found by their address, and whatever the case of their names. Under the collation
-- C, lower() changes the letters of ASCII alone.

-- +goose Up
CREATE INDEX IF NOT EXISTS users_username_lower ON users (lower(username COLLATE "C"));
CREATE INDEX IF NOT EXISTS users_email_lower ON users (lower(email COLLATE "C")) WHERE email <> '';
