-- The oldest part of the audit record may be removed.

-- +goose Up
CREATE INDEX audit_at ON audit (at);
