-- Builds of one day made databases without this trigger, which migration 12 makes.

-- +goose Up
-- REPLACE deletes without the trigger audit_is_not_removed. Where the table is to choose
-- the id, SQLite shows -1 here.
-- +goose StatementBegin
CREATE TRIGGER IF NOT EXISTS audit_is_not_replaced BEFORE INSERT ON audit
WHEN NEW.id > 0 AND EXISTS (SELECT 1 FROM audit WHERE id = NEW.id)
BEGIN SELECT RAISE(ABORT, 'the audit record is append-only'); END;
-- +goose StatementEnd
