-- table audit of audit
CREATE TABLE audit (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    at       INTEGER NOT NULL,
    act      TEXT    NOT NULL,
    outcome  TEXT    NOT NULL,
    user_id  INTEGER NOT NULL, -- 0: none. It outlives the user.
    username TEXT    NOT NULL,
    unknown  TEXT    NOT NULL,
    profile  TEXT    NOT NULL,
    actor    TEXT    NOT NULL,
    address  TEXT    NOT NULL,
    request  TEXT    NOT NULL,
    token    TEXT    NOT NULL
) STRICT;

-- index audit_at of audit
CREATE INDEX audit_at ON audit (at);

-- index audit_username of audit
CREATE INDEX audit_username ON audit (username, id) WHERE username <> '';

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

-- table audit_begins of audit_begins
CREATE TABLE audit_begins (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    at INTEGER NOT NULL -- microseconds; older entries may be removed
) STRICT;

-- table generation of generation
CREATE TABLE generation (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    n  INTEGER NOT NULL
) STRICT;

-- table goose_db_version of goose_db_version
CREATE TABLE goose_db_version (
		id         INTEGER PRIMARY KEY AUTOINCREMENT,
		version_id INTEGER NOT NULL UNIQUE,
		is_applied INTEGER NOT NULL,
		tstamp     TIMESTAMP DEFAULT (datetime('now'))
	);

-- table guesses of guesses
CREATE TABLE guesses (
    key     BLOB    PRIMARY KEY,
    full_at INTEGER NOT NULL -- when the key has all its room again
) STRICT, WITHOUT ROWID;

-- index guesses_full of guesses
CREATE INDEX guesses_full ON guesses (full_at);

-- table import_seen of import_seen
CREATE TABLE import_seen (
    source INTEGER NOT NULL,
    run    INTEGER NOT NULL,
    digest BLOB    NOT NULL
) STRICT;

-- table imported_tokens of imported_tokens
CREATE TABLE imported_tokens (
    digest BLOB    PRIMARY KEY,
    source INTEGER NOT NULL REFERENCES imports,
    origin TEXT    NOT NULL DEFAULT '', absent INTEGER NOT NULL DEFAULT 0) STRICT, WITHOUT ROWID;

-- table imported_users of imported_users
CREATE TABLE imported_users (
    user_id INTEGER PRIMARY KEY,
    source  INTEGER NOT NULL REFERENCES imports,
    mark    BLOB    NOT NULL
, key TEXT, rehashed BLOB) STRICT;

-- index imported_users_key of imported_users
CREATE UNIQUE INDEX imported_users_key ON imported_users (source, key) WHERE key IS NOT NULL;

-- table imports of imports
CREATE TABLE imports (
    id      INTEGER PRIMARY KEY,
    source  TEXT    NOT NULL UNIQUE,
    options TEXT    NOT NULL,
    run     INTEGER NOT NULL,
    stage   TEXT    NOT NULL, -- empty: the run is finished, or has not begun
    reached TEXT    NOT NULL
, tables TEXT NOT NULL DEFAULT '[]', handed INTEGER NOT NULL DEFAULT 0) STRICT;

-- table secrets of secrets
CREATE TABLE secrets (
    name  TEXT PRIMARY KEY,
    value BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- table sqlite_sequence of sqlite_sequence
CREATE TABLE sqlite_sequence(name,seq);

-- table tokens of tokens
CREATE TABLE tokens (
    digest     BLOB    PRIMARY KEY,
    user_id    INTEGER NOT NULL REFERENCES users ON DELETE CASCADE,
    realm      TEXT    NOT NULL,
    issuer     TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER,                              -- NULL: never
    sliding    INTEGER NOT NULL,
    reusable   INTEGER NOT NULL CHECK (reusable IN (0, 1)),
    sealed     BLOB,
    seal_key   TEXT    NOT NULL
, generation TEXT, prefix     TEXT, salt       BLOB, twin       BLOB, source INTEGER, origin TEXT) STRICT, WITHOUT ROWID;

-- index tokens_expiry of tokens
CREATE INDEX tokens_expiry ON tokens (expires_at) WHERE expires_at IS NOT NULL;

-- index tokens_prefix of tokens
CREATE INDEX tokens_prefix ON tokens (prefix) WHERE prefix IS NOT NULL AND twin IS NULL;

-- index tokens_reusable of tokens
CREATE UNIQUE INDEX tokens_reusable ON tokens (user_id, realm, issuer) WHERE reusable = 1;

-- index tokens_twin of tokens
CREATE UNIQUE INDEX tokens_twin ON tokens (twin) WHERE twin IS NOT NULL;

-- index tokens_user of tokens
CREATE INDEX tokens_user ON tokens (user_id);

-- trigger token_changed of tokens
CREATE TRIGGER token_changed AFTER UPDATE ON tokens
BEGIN UPDATE generation SET n = n + 1; END;

-- trigger token_link_kept of tokens
CREATE TRIGGER token_link_kept AFTER DELETE ON tokens WHEN OLD.source IS NOT NULL
BEGIN
    INSERT INTO imported_tokens (digest, source, origin) VALUES (OLD.digest, OLD.source, OLD.origin)
    ON CONFLICT (digest) DO UPDATE SET source = excluded.source, origin = excluded.origin, absent = 0;
    INSERT INTO imported_tokens (digest, source, origin) SELECT OLD.twin, OLD.source, OLD.origin WHERE OLD.twin IS NOT NULL
    ON CONFLICT (digest) DO UPDATE SET source = excluded.source, origin = excluded.origin, absent = 0;
END;

-- trigger token_removed of tokens
CREATE TRIGGER token_removed AFTER DELETE ON tokens
BEGIN UPDATE generation SET n = n + 1; END;

-- trigger token_replaced of tokens
CREATE TRIGGER token_replaced BEFORE INSERT ON tokens
WHEN EXISTS (SELECT 1 FROM tokens WHERE digest = NEW.digest)
  OR EXISTS (SELECT 1 FROM tokens WHERE twin = NEW.twin)
  OR NEW.reusable = 1 AND EXISTS (
      SELECT 1 FROM tokens WHERE user_id = NEW.user_id AND realm = NEW.realm AND issuer = NEW.issuer AND reusable = 1)
BEGIN UPDATE generation SET n = n + 1; END;

-- table users of users
CREATE TABLE users (
    id            INTEGER PRIMARY KEY AUTOINCREMENT, -- an id is never used again
    username      TEXT    NOT NULL UNIQUE,
    email         TEXT    NOT NULL,
    password_hash TEXT    NOT NULL,
    active        INTEGER NOT NULL CHECK (active IN (0, 1)),
    attributes    TEXT,                              -- a JSON object of texts; NULL: none
    created_at    INTEGER NOT NULL
) STRICT;

-- trigger user_changed of users
CREATE TRIGGER user_changed AFTER UPDATE OF id, username, email, active, attributes, created_at ON users
BEGIN UPDATE generation SET n = n + 1; END;

-- trigger user_removed of users
CREATE TRIGGER user_removed AFTER DELETE ON users
BEGIN UPDATE generation SET n = n + 1; END;

-- trigger user_replaced of users
CREATE TRIGGER user_replaced BEFORE INSERT ON users
WHEN EXISTS (SELECT 1 FROM users WHERE id = NEW.id)
  OR EXISTS (SELECT 1 FROM users WHERE username = NEW.username)
BEGIN UPDATE generation SET n = n + 1; END;

