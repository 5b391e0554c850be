-- What is known of where a token came from is kept with the token, so that an
-- import writes one row for each. Only what outlives its token is kept apart.

-- +goose Up
ALTER TABLE tokens
    ADD COLUMN source BIGINT, -- of imports: it came from there, or was handed to it; NULL: neither
    ADD COLUMN origin TEXT;   -- the source's table; empty: not known

UPDATE tokens t SET source = i.source, origin = i.origin FROM imported_tokens i WHERE i.digest = t.digest;
UPDATE tokens t SET source = i.source, origin = i.origin FROM imported_tokens i
WHERE t.twin IS NOT NULL AND t.source IS NULL AND i.digest = t.twin;
DELETE FROM imported_tokens i WHERE EXISTS (SELECT 1 FROM tokens t WHERE t.digest = i.digest)
    OR EXISTS (SELECT 1 FROM tokens t WHERE t.twin = i.digest AND t.twin IS NOT NULL);
ALTER TABLE imported_tokens DROP COLUMN run;

-- The tokens here that a run has seen. Those that it has not are ended at its end.
CREATE TABLE import_seen (
    source BIGINT NOT NULL,
    run    BIGINT NOT NULL,
    digest BYTEA  NOT NULL
);

-- Whether tokens were handed to the source: then a first run may find them gone.
ALTER TABLE imports ADD COLUMN handed BOOLEAN NOT NULL DEFAULT false;

-- Runs that were cut off begin again: what they saw was kept in another way.
UPDATE imports SET handed = true, options = '', stage = '', reached = '';

-- Of the tokens that are sealed with one key, those in the order of their digests
-- are read by the primary key: an index with the digest would be as large again.
DROP INDEX tokens_sealed;
CREATE INDEX tokens_sealed ON tokens (seal_key) WHERE seal_key <> '';
