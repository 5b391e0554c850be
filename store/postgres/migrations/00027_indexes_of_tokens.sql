-- The indexes that the one of schema 26 replaces, whose name is that of the constraint that logins know. And that of sealed
-- tokens: what it served, counting the tokens of each key and sealing them anew, reads all of them anyway, and happens
-- when keys change. Nobody can read tokens from the moment at which this waits for the end of whoever reads them: it does
-- nothing that takes time.

-- +goose Up
DROP INDEX IF EXISTS tokens_user;
DROP INDEX IF EXISTS tokens_reusable;
DROP INDEX IF EXISTS tokens_sealed;
ALTER INDEX IF EXISTS tokens_reusable_of_user RENAME TO tokens_reusable;
