-- An import pays for each index of tokens. One by user has, for tokens that are shown again, also what makes them the only
-- ones: the others have NULL there, and are as many as they like.

-- +goose Up
-- The old indexes go in a transaction of their own: it locks everybody out, and must not last as long as it takes to make this one.
CREATE UNIQUE INDEX IF NOT EXISTS tokens_reusable_of_user ON tokens (user_id, (CASE WHEN reusable THEN realm END), (CASE WHEN reusable THEN issuer END));
