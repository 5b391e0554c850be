-- What an export is about to write to its target. It is removed in the step that links it; what is left when an export was cut
-- off between the two may be there, and is looked for by the next one.

-- +goose Up
CREATE TABLE IF NOT EXISTS exporting (
    source  bigint NOT NULL, -- of imports
    user_id bigint,          -- NULL: it is a token
    name    text   NOT NULL, -- the user's key there, or the token's table
    mark    bytea  NOT NULL  -- the user's fingerprint, or the token's digest there
);
