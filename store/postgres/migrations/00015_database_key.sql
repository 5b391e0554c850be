-- With this key, digests were made of names that nobody has, and people type passwords
-- there. Without it nobody can try words at those that are left in the audit record.

-- +goose Up
DELETE FROM secrets WHERE name = 'disguise';

