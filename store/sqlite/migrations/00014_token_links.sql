-- What is known of where a token came from is kept with the token, so that an
-- import writes one row for each. Only what outlives its token is kept apart.

-- +goose Up
ALTER TABLE tokens ADD COLUMN source INTEGER; -- of imports: it came from there, or was handed to it; NULL: neither
ALTER TABLE tokens ADD COLUMN origin TEXT;    -- the source's table; empty: not known

UPDATE tokens SET (source, origin) = (SELECT i.source, i.origin FROM imported_tokens i WHERE i.digest = tokens.digest)
WHERE digest IN (SELECT digest FROM imported_tokens);
UPDATE tokens SET (source, origin) = (SELECT i.source, i.origin FROM imported_tokens i WHERE i.digest = tokens.twin)
WHERE twin IS NOT NULL AND source IS NULL AND twin IN (SELECT digest FROM imported_tokens);
DELETE FROM imported_tokens WHERE digest IN (SELECT digest FROM tokens WHERE source IS NOT NULL)
    OR digest IN (SELECT twin FROM tokens WHERE source IS NOT NULL AND twin IS NOT NULL);
ALTER TABLE imported_tokens DROP COLUMN run;

-- +goose StatementBegin
CREATE TRIGGER token_link_kept AFTER DELETE ON tokens WHEN OLD.source IS NOT NULL
BEGIN
    INSERT INTO imported_tokens (digest, source, origin) VALUES (OLD.digest, OLD.source, OLD.origin)
    ON CONFLICT (digest) DO UPDATE SET source = excluded.source, origin = excluded.origin, absent = 0;
    INSERT INTO imported_tokens (digest, source, origin) SELECT OLD.twin, OLD.source, OLD.origin WHERE OLD.twin IS NOT NULL
    ON CONFLICT (digest) DO UPDATE SET source = excluded.source, origin = excluded.origin, absent = 0;
END;
-- +goose StatementEnd

-- The tokens here that a run has seen. Those that it has not are ended at its end.
CREATE TABLE import_seen (
    source INTEGER NOT NULL,
    run    INTEGER NOT NULL,
    digest BLOB    NOT NULL
) STRICT;

-- Whether tokens were handed to the source: then a first run may find them gone.
ALTER TABLE imports ADD COLUMN handed INTEGER NOT NULL DEFAULT 0;

-- Runs that were cut off begin again: what they saw was kept in another way.
UPDATE imports SET handed = 1, options = '', stage = '', reached = '';

-- Every token that came with its text had an entry as large as a digest there.
-- What it served, counting the tokens of each key and sealing them anew, reads all
-- of them anyway, and happens when keys change.
DROP INDEX tokens_sealed;
