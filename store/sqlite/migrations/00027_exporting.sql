-- What an export is about to write to its target. It is removed in the step that links it; what is left when an export was cut
-- off between the two may be there, and is looked for by the next one.

-- +goose Up
CREATE TABLE exporting (
    source  INTEGER NOT NULL, -- of imports
    user_id INTEGER,          -- NULL: it is a token
    name    TEXT    NOT NULL, -- the user's key there, or the token's table
    mark    BLOB    NOT NULL  -- the user's fingerprint, or the token's digest there
) STRICT;
