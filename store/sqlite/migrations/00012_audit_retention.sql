-- The oldest part of the audit record may be removed, from the beginning up to a
-- moment that only rises; all else stays as it was written.

-- +goose Up
CREATE TABLE audit_begins (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    at INTEGER NOT NULL -- microseconds; older entries may be removed
) STRICT;

INSERT INTO audit_begins (id, at) VALUES (1, 0);

CREATE INDEX audit_at ON audit (at);

DROP TRIGGER audit_is_not_removed;

-- +goose StatementBegin
CREATE TRIGGER audit_is_not_removed BEFORE DELETE ON audit
WHEN OLD.at >= (SELECT at FROM audit_begins)
BEGIN SELECT RAISE(ABORT, 'the audit record is append-only'); END;
-- +goose StatementEnd

-- REPLACE deletes without the trigger above. Where the table is to choose the id,
-- SQLite shows -1 here.
-- +goose StatementBegin
CREATE TRIGGER audit_is_not_replaced BEFORE INSERT ON audit
WHEN NEW.id > 0 AND EXISTS (SELECT 1 FROM audit WHERE id = NEW.id)
BEGIN SELECT RAISE(ABORT, 'the audit record is append-only'); END;
-- +goose StatementEnd
