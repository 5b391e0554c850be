-- Users are found whatever the case of their addresses. Most addresses have no capitals, and are found as they are, by
-- users_email_exact: only the others need a second entry, in an index of their own.

-- +goose Up
DROP INDEX users_email_active;
CREATE INDEX users_email_capitals ON users (lower(email), active, coalesce(email_since, created_at)) WHERE lower(email) <> email;
