-- How often a token or a user has been changed, removed or replaced, by any
-- program: what was remembered of them holds for as long as this stays the same.
-- Rows that are added don't count; those that REPLACE removes make no other
-- trigger run than that of the row which takes their place.

-- +goose Up
CREATE TABLE generation (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    n  INTEGER NOT NULL
) STRICT;

INSERT INTO generation (id, n) VALUES (1, 0);

-- +goose StatementBegin
CREATE TRIGGER token_changed AFTER UPDATE ON tokens
BEGIN UPDATE generation SET n = n + 1; END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER token_removed AFTER DELETE ON tokens
BEGIN UPDATE generation SET n = n + 1; END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER token_replaced BEFORE INSERT ON tokens
WHEN EXISTS (SELECT 1 FROM tokens WHERE digest = NEW.digest)
  OR EXISTS (SELECT 1 FROM tokens WHERE twin = NEW.twin)
  OR NEW.reusable = 1 AND EXISTS (
      SELECT 1 FROM tokens WHERE user_id = NEW.user_id AND realm = NEW.realm AND issuer = NEW.issuer AND reusable = 1)
BEGIN UPDATE generation SET n = n + 1; END;
-- +goose StatementEnd

-- What is remembered of a user is all but the password, which changes at logins.
-- +goose StatementBegin
CREATE TRIGGER user_changed AFTER UPDATE OF id, username, email, active, attributes, created_at ON users
BEGIN UPDATE generation SET n = n + 1; END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER user_removed AFTER DELETE ON users
BEGIN UPDATE generation SET n = n + 1; END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER user_replaced BEFORE INSERT ON users
WHEN EXISTS (SELECT 1 FROM users WHERE id = NEW.id)
  OR EXISTS (SELECT 1 FROM users WHERE username = NEW.username)
BEGIN UPDATE generation SET n = n + 1; END;
-- +goose StatementEnd
