-- Which token, or whose tokens, each step of the generation has changed: what is remembered of the others
-- still holds. The last 8192 steps are kept, each in the place of one before, so that this never grows.

-- +goose Up
ALTER TABLE generation ADD COLUMN mark INTEGER NOT NULL DEFAULT 0; -- of the step, drawn at random

-- A row with neither a digest nor a user may be about any token.
CREATE TABLE changes (
    id      INTEGER PRIMARY KEY CHECK (id = n % 8192),
    n       INTEGER NOT NULL, -- of the generation that it made
    mark    INTEGER NOT NULL, -- likewise: two histories have the same number, but not the same mark
    digest  BLOB,             -- the first eight bytes of the token's
    user_id INTEGER           -- the user's, whose tokens are meant, all of them
) STRICT;

UPDATE generation SET mark = random();
INSERT INTO changes (id, n, mark) SELECT n % 8192, n, mark FROM generation;

-- What is inserted here is the next step. An upsert is one whatever the statement outside does
-- at conflicts; OR REPLACE would become what that says. Without "excluded", for which SQLite
-- puts the table itself when that is renamed.
CREATE VIEW next_change AS SELECT digest, user_id FROM changes;

-- +goose StatementBegin
CREATE TRIGGER change_kept INSTEAD OF INSERT ON next_change
BEGIN
    UPDATE generation SET n = n + 1, mark = random();
    INSERT INTO changes (id, n, mark, digest, user_id) SELECT n % 8192, n, mark, NEW.digest, NEW.user_id FROM generation WHERE true
    ON CONFLICT (id) DO UPDATE SET (n, mark) = (SELECT n, mark FROM generation), digest = NEW.digest, user_id = NEW.user_id;
END;
-- +goose StatementEnd

DROP TRIGGER token_changed;
DROP TRIGGER token_removed;
DROP TRIGGER token_replaced;
DROP TRIGGER user_changed;
DROP TRIGGER user_removed;
DROP TRIGGER user_replaced;

-- +goose StatementBegin
CREATE TRIGGER token_changed AFTER UPDATE ON tokens
BEGIN INSERT INTO next_change (digest) VALUES (substr(OLD.digest, 1, 8)); END;
-- +goose StatementEnd

-- With another value that no two tokens share, it may have replaced a token: UPDATE OR REPLACE
-- removes that, and no trigger of a removal runs.
-- +goose StatementBegin
CREATE TRIGGER token_moved AFTER UPDATE OF digest, user_id, realm, issuer, reusable, twin ON tokens
WHEN NEW.digest IS NOT OLD.digest OR NEW.user_id IS NOT OLD.user_id OR NEW.twin IS NOT OLD.twin
  OR NEW.reusable = 1 AND (OLD.reusable = 0 OR NEW.realm IS NOT OLD.realm OR NEW.issuer IS NOT OLD.issuer)
BEGIN INSERT INTO next_change (digest) VALUES (NULL); END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER token_removed AFTER DELETE ON tokens
BEGIN INSERT INTO next_change (digest) VALUES (substr(OLD.digest, 1, 8)); END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER token_replaced BEFORE INSERT ON tokens
WHEN EXISTS (SELECT 1 FROM tokens WHERE digest = NEW.digest)
  OR EXISTS (SELECT 1 FROM tokens WHERE twin = NEW.twin)
  OR NEW.reusable = 1 AND EXISTS (
      SELECT 1 FROM tokens WHERE user_id = NEW.user_id AND realm = NEW.realm AND issuer = NEW.issuer AND reusable = 1)
BEGIN INSERT INTO next_change (digest) VALUES (NULL); END;
-- +goose StatementEnd

-- What is remembered of a user is all but the password, which changes at logins.
-- +goose StatementBegin
CREATE TRIGGER user_changed AFTER UPDATE OF id, username, email, active, attributes, created_at ON users
BEGIN INSERT INTO next_change (user_id) VALUES (OLD.id); END;
-- +goose StatementEnd

-- As token_moved. A renamed user is looked for before, so that a name which nobody had is no reason to
-- forget everybody; an id has other names as well (rowid), which UPDATE OF does not know.
-- +goose StatementBegin
CREATE TRIGGER user_renamed BEFORE UPDATE OF username ON users
WHEN NEW.username IS NOT OLD.username AND EXISTS (SELECT 1 FROM users WHERE username = NEW.username)
BEGIN INSERT INTO next_change (user_id) VALUES (NULL); END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER user_moved AFTER UPDATE ON users WHEN NEW.id IS NOT OLD.id
BEGIN INSERT INTO next_change (user_id) VALUES (NULL); END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER user_removed AFTER DELETE ON users
BEGIN INSERT INTO next_change (user_id) VALUES (OLD.id); END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER user_replaced BEFORE INSERT ON users
WHEN EXISTS (SELECT 1 FROM users WHERE id = NEW.id)
  OR EXISTS (SELECT 1 FROM users WHERE username = NEW.username)
BEGIN INSERT INTO next_change (user_id) VALUES (NULL); END;
-- +goose StatementEnd
