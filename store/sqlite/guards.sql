-- trigger audit_is_not_changed of audit
CREATE TRIGGER audit_is_not_changed BEFORE UPDATE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit record is append-only'); END;

-- trigger audit_is_not_removed of audit
CREATE TRIGGER audit_is_not_removed BEFORE DELETE ON audit
WHEN OLD.at >= (SELECT at FROM audit_begins)
BEGIN SELECT RAISE(ABORT, 'the audit record is append-only'); END;

-- trigger audit_is_not_replaced of audit
CREATE TRIGGER audit_is_not_replaced BEFORE INSERT ON audit
WHEN NEW.id > 0 AND EXISTS (SELECT 1 FROM audit WHERE id = NEW.id)
BEGIN SELECT RAISE(ABORT, 'the audit record is append-only'); END;

-- index imported_users_key of imported_users
CREATE UNIQUE INDEX imported_users_key ON imported_users (source, key) WHERE key IS NOT NULL;

-- trigger change_kept of next_change
CREATE TRIGGER change_kept INSTEAD OF INSERT ON next_change
BEGIN
    UPDATE generation SET n = n + 1, mark = random();
    INSERT INTO changes (id, n, mark, digest, user_id) SELECT n % 8192, n, mark, NEW.digest, NEW.user_id FROM generation WHERE true
    ON CONFLICT (id) DO UPDATE SET (n, mark) = (SELECT n, mark FROM generation), digest = NEW.digest, user_id = NEW.user_id;
END;

-- index tokens_reusable of tokens
CREATE UNIQUE INDEX tokens_reusable ON tokens (user_id, realm, issuer) WHERE reusable = 1;

-- index tokens_twin of tokens
CREATE UNIQUE INDEX tokens_twin ON tokens (twin) WHERE twin IS NOT NULL;

-- trigger token_changed of tokens
CREATE TRIGGER token_changed AFTER UPDATE ON tokens
BEGIN INSERT INTO next_change (digest) VALUES (substr(OLD.digest, 1, 8)); END;

-- trigger token_link_kept of tokens
CREATE TRIGGER token_link_kept AFTER DELETE ON tokens WHEN OLD.source IS NOT NULL
BEGIN
    INSERT INTO imported_tokens (digest, source, origin) VALUES (OLD.digest, OLD.source, OLD.origin)
    ON CONFLICT (digest) DO UPDATE SET source = excluded.source, origin = excluded.origin, absent = 0;
    INSERT INTO imported_tokens (digest, source, origin) SELECT OLD.twin, OLD.source, OLD.origin WHERE OLD.twin IS NOT NULL
    ON CONFLICT (digest) DO UPDATE SET source = excluded.source, origin = excluded.origin, absent = 0;
END;

-- trigger token_moved of tokens
CREATE TRIGGER token_moved AFTER UPDATE OF digest, user_id, realm, issuer, reusable, twin ON tokens
WHEN NEW.digest IS NOT OLD.digest OR NEW.user_id IS NOT OLD.user_id OR NEW.twin IS NOT OLD.twin
  OR NEW.reusable = 1 AND (OLD.reusable = 0 OR NEW.realm IS NOT OLD.realm OR NEW.issuer IS NOT OLD.issuer)
BEGIN INSERT INTO next_change (digest) VALUES (NULL); END;

-- trigger token_removed of tokens
CREATE TRIGGER token_removed AFTER DELETE ON tokens
BEGIN INSERT INTO next_change (digest) VALUES (substr(OLD.digest, 1, 8)); END;

-- trigger token_replaced of tokens
CREATE TRIGGER token_replaced BEFORE INSERT ON tokens
WHEN EXISTS (SELECT 1 FROM tokens WHERE digest = NEW.digest)
  OR EXISTS (SELECT 1 FROM tokens WHERE twin = NEW.twin)
  OR NEW.reusable = 1 AND EXISTS (
      SELECT 1 FROM tokens WHERE user_id = NEW.user_id AND realm = NEW.realm AND issuer = NEW.issuer AND reusable = 1)
BEGIN INSERT INTO next_change (digest) VALUES (NULL); END;

-- trigger user_changed of users
CREATE TRIGGER user_changed AFTER UPDATE OF id, username, email, active, attributes, created_at ON users
BEGIN INSERT INTO next_change (user_id) VALUES (OLD.id); END;

-- trigger user_moved of users
CREATE TRIGGER user_moved AFTER UPDATE ON users WHEN NEW.id IS NOT OLD.id
BEGIN INSERT INTO next_change (user_id) VALUES (NULL); END;

-- trigger user_removed of users
CREATE TRIGGER user_removed AFTER DELETE ON users
BEGIN INSERT INTO next_change (user_id) VALUES (OLD.id); END;

-- trigger user_renamed of users
CREATE TRIGGER user_renamed BEFORE UPDATE OF username ON users
WHEN NEW.username IS NOT OLD.username AND EXISTS (SELECT 1 FROM users WHERE username = NEW.username)
BEGIN INSERT INTO next_change (user_id) VALUES (NULL); END;

-- trigger user_replaced of users
CREATE TRIGGER user_replaced BEFORE INSERT ON users
WHEN EXISTS (SELECT 1 FROM users WHERE id = NEW.id)
  OR EXISTS (SELECT 1 FROM users WHERE username = NEW.username)
BEGIN INSERT INTO next_change (user_id) VALUES (NULL); END;

