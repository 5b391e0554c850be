-- Users are found by their address, and whatever the case of their names. lower() changes the
-- letters of ASCII alone.

-- +goose Up
CREATE INDEX users_username_lower ON users (lower(username));
CREATE INDEX users_email_lower ON users (lower(email)) WHERE email <> '';
