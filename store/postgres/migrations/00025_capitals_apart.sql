-- The indexes that those of schema 24 replace. Nobody can read users from the moment at which this waits for the end of
-- whoever reads them: it does nothing that takes time.

-- +goose Up
DROP INDEX IF EXISTS users_email_active;
DROP INDEX IF EXISTS users_email_exact;
