package django

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/authcompat/authcompat/core"
)

// Store is a [core.Store] on Django's own tables, so that the Django application
// and this server work side by side: each sees the other's users, passwords and
// tokens at once, and what one logs out is out at the other.
//
// Django has no columns for a token's realm, issuer and rules, nor for free
// attributes of a user. These are kept in tables beside Django's whose names
// begin with authcompat_; a token exists if and only if Django's row does. A
// token that Django issued is of the realm "default" and of no issuer.
type Store struct {
	*database
	tokens  TokenTable
	decoder Decoder
	writers chan struct{} // a place for each transaction
}

var _ core.PlaintextStore = (*Store)(nil)

// ourTables are what Django has no tables for. Times are microseconds since
// 1970; token is the primary key of Django's row; SERIAL stands for a primary key
// that rises.
const ourTables = `
CREATE TABLE IF NOT EXISTS authcompat_users (
	user_id    BIGINT PRIMARY KEY,
	attributes TEXT   NOT NULL
);
CREATE TABLE IF NOT EXISTS authcompat_tokens (
	digest     VARCHAR(64)  PRIMARY KEY,
	token      VARCHAR(128) NOT NULL UNIQUE,
	user_id    BIGINT       NOT NULL,
	realm      VARCHAR(64)  NOT NULL,
	issuer     VARCHAR(64)  NOT NULL,
	expires_at BIGINT,
	sliding    BIGINT       NOT NULL,
	reusable   INTEGER      NOT NULL,
	sealed     TEXT         NOT NULL,
	seal_key   TEXT         NOT NULL,
	created_at BIGINT       NOT NULL
);
CREATE INDEX IF NOT EXISTS authcompat_tokens_user ON authcompat_tokens (user_id);
CREATE TABLE IF NOT EXISTS authcompat_guesses (
	guess   VARCHAR(128) PRIMARY KEY,
	full_at BIGINT       NOT NULL
);
CREATE TABLE IF NOT EXISTS authcompat_secrets (
	name  VARCHAR(64) PRIMARY KEY,
	value TEXT        NOT NULL
);
CREATE TABLE IF NOT EXISTS authcompat_audit (
	id       SERIAL,
	happened BIGINT NOT NULL,
	act      TEXT   NOT NULL,
	outcome  TEXT   NOT NULL,
	user_id  BIGINT NOT NULL,
	username TEXT   NOT NULL,
	unknown  TEXT   NOT NULL,
	profile  TEXT   NOT NULL,
	actor    TEXT   NOT NULL,
	address  TEXT   NOT NULL,
	request  TEXT   NOT NULL,
	token    TEXT   NOT NULL
);
CREATE INDEX IF NOT EXISTS authcompat_audit_happened ON authcompat_audit (happened)`

// Attach opens a Django database to work on: sqlite:PATH or postgres://…. It
// makes its own tables beside Django's where they are missing. One kind of
// tokens has to be there, and the users that these belong to; dates have to be
// in UTC, as they are with USE_TZ. What m leaves out is found.
func Attach(ctx context.Context, source string, m Mapping) (*Store, error) {
	from, err := Open(ctx, m, source)
	if err != nil {
		return nil, err
	}
	db, ok := from.(*database)
	if !ok {
		return nil, errors.Join(fmt.Errorf("%s is no database", source), from.Close())
	}
	if err := db.db.Close(); err != nil {
		return nil, err
	}
	s := &Store{database: db, decoder: Decoder{Mapping: db.shape.Mapping, Zone: time.UTC, Live: true}, writers: make(chan struct{}, attachedConnections/2)}
	if _, oneWriter := db.dialect.(sqliteFile); oneWriter {
		db.dialect, s.writers = sqliteFile{retried: true}, make(chan struct{}, 1)
	}
	if db.db, err = db.open(db.source, false); err != nil {
		return nil, err
	}
	db.db.SetMaxOpenConns(attachedConnections)
	db.db.SetMaxIdleConns(attachedConnections)
	if err := s.prepare(ctx); err != nil {
		return nil, fmt.Errorf("%s: %w", db.Identity(), errors.Join(err, s.Close()))
	}
	return s, nil
}

// attachedConnections is how many connections are open at most.
const attachedConnections = 16

func (s *Store) prepare(ctx context.Context) (err error) {
	if s.tokens, err = s.attachable(); err != nil {
		return err
	}
	return s.write(ctx, func(tx *sql.Tx) error {
		for _, statement := range strings.Split(strings.Replace(ourTables, "SERIAL", s.serial(), 1), ";") {
			if _, err := tx.ExecContext(ctx, statement); err != nil {
				return fmt.Errorf("make tables beside Django's: %w", err)
			}
		}
		return nil
	})
}

// unfilled are the columns of users in which each new row needs a value that no
// other has, and nothing says which.
func (s *Store) unfilled() (names []string) {
	m := s.decoder.Mapping
	for _, c := range s.shape.Users.Columns {
		_, given := m.Defaults[c.Name]
		uuid := c.Kind == "uuid" || c.Kind == "char" && c.Length == uuidHex
		if !given && !uuid && !c.Nullable && !c.Default && !c.Generated && s.shape.Users.Distinct(c.Name) &&
			!slices.Contains(m.columns(), c.Name) && c.Name != s.shape.Users.Parent {
			names = append(names, c.Name)
		}
	}
	return names
}

// numbering tells whether the database itself gives new users of a table, or of
// those that inherit from it, their ids.
func (t Table) numbering(users Table, id Column) bool {
	if users.Base != nil {
		id, _ = t.column(t.keyColumn())
	}
	return id.Default
}

// attachable gives the table of tokens, or says what of the tables can't be worked
// on.
func (s *Store) attachable() (t TokenTable, err error) {
	users := s.shape.Users
	id, _ := users.column(s.decoder.Mapping.ID)
	if _, isMySQL := s.dialect.(mysql); isMySQL {
		return t, errors.New("MySQL and MariaDB can be imported from and exported to, not worked on")
	}
	switch {
	case s.shape.Undecided != nil:
		return t, fmt.Errorf("%w; %w", s.shape.Undecided, errUndecided)
	case len(s.shape.Tokens) == 0:
		return t, errors.New("it has no table of tokens: neither authtoken's nor knox's")
	case len(s.shape.Tokens) > 1:
		return t, fmt.Errorf("it has several tables of tokens (%s and %s): to work on both at once is not possible; %w",
			s.shape.Tokens[0].Table, s.shape.Tokens[1].Table, errUndecided)
	case !id.whole():
		return t, fmt.Errorf("the primary key %s of %s is no whole number (%s): such users can be imported, not worked on", id.Name, users, id.Kind)
	case !users.parts()[0].numbering(users, id):
		return t, fmt.Errorf("the database gives no primary keys to new rows of %s: such users can be imported, not worked on", users.parts()[0])
	case len(s.unfilled()) > 0:
		return t, fmt.Errorf("each row of %s needs a value of its own in the column %s: say which in a mapping (--map FILE.yaml, defaults: {%s: $uuid})", users, s.unfilled()[0], s.unfilled()[0])
	case users.View || s.shape.Tokens[0].View:
		return t, errors.New("users or tokens are views: they can be imported from, not worked on")
	}
	t = s.shape.Tokens[0]
	if t.Plain {
		return t, errors.New("tables of knox 1 can be imported, not worked on")
	}
	parts, err := s.all.dependents(t.Table)
	if err == nil && len(parts) > 0 {
		err = fmt.Errorf("rows of %s are parts of tokens of %s: such tokens can be imported, not worked on", parts[0], t.Table)
	}
	return t, err
}

// KeepsPlaintext implements [core.PlaintextStore].
func (s *Store) KeepsPlaintext() bool { return s.tokens.Generation == core.Authtoken }

// OneEach tells whether a user has one token at most, so that a profile has to
// show the same one at each login.
func (s *Store) OneEach() bool { return !s.tokens.Many }

// Holds implements [core.PlaintextStore].
func (s *Store) CheckPolicy(p core.Policy) error {
	switch {
	case s.OneEach() && !p.Reuse:
		return errors.New("the store is Django REST framework's authtoken, where a user has one token: the profile needs per_user: one")
	case s.OneEach() && p.Realm != core.DefaultRealm:
		return errors.New("the store is Django REST framework's authtoken, where a user has one token: the profile can't have a realm of its own")
	case s.KeepsPlaintext() && p.TokenHex > s.keyLength():
		return fmt.Errorf("the store is %s, whose keys have at most %d characters: the profile's tokens are longer", s.tokens.Table, s.keyLength())
	case s.tokens.Generation != core.Authtoken && s.tokens.Generation != core.Knox5 && p.TokenHex%2 != 0:
		return errors.New("the store is knox's, which reads tokens as whole bytes: hex has to be even")
	case s.tokens.Generation != core.Authtoken && s.tokens.Expiry == "" && p.TTL != 0:
		return errors.New("the store's tokens have no end: the profile needs ttl: never")
	}
	return nil
}

// keyLength is how long a key is at most.
func (s *Store) keyLength() int {
	if c, _ := s.tokens.column("key"); c.Length > 0 {
		return c.Length
	}
	return authtokenLength
}

// authtokenLength is how long a key is at most (rest_framework/authtoken/models.py).
const authtokenLength = 40

// Limits says, in sentences for people, what these tables can't hold.
func (s *Store) Limits() []string {
	limits := []string{
		"a token that Django issued belongs to the realm default, and to no profile",
		"rehashing at login is off: Django and this server would undo each other's hashes",
		"a username has at most the characters that Django's column holds",
		"the commands that manage users and tokens do not work: Django's own admin does",
	}
	if s.OneEach() {
		return append(limits,
			"a user has one token: profiles have to have per_user: one",
			"Django knows no end of a token: one that has ended here goes on working there until the user logs in again or logs out")
	}
	if s.KeepsPlaintext() {
		return append(limits, "Django knows no end of a token: one that has ended here goes on working there until the user logs out")
	}
	return append(limits, "tokens that Django issued can't be shown again: knox keeps digests alone")
}

// Ping implements [core.Store].
func (s *Store) Ping(ctx context.Context) error {
	return s.patiently(ctx, func() error {
		var one int
		return s.db.QueryRowContext(ctx, `SELECT 1 FROM authcompat_users WHERE user_id = 0 UNION ALL SELECT 1 LIMIT 1`).Scan(&one)
	})
}

// How long a step waits for the locks of others, and how often it tries.
const (
	maxWait    = 5 * time.Second
	retryEvery = time.Millisecond
)

// patiently repeats do for as long as another is in its way.
func (s *Store) patiently(ctx context.Context, do func() error) error {
	overdue := time.NewTimer(maxWait)
	defer overdue.Stop()
	for {
		err := do()
		if err == nil || !s.locked(err) {
			return s.explain(ctx, err)
		}
		select {
		case <-time.After(retryEvery):
		case <-overdue.C:
			return s.explain(ctx, err)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// write runs do in one transaction, again where another was in its way.
func (s *Store) write(ctx context.Context, do func(*sql.Tx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case s.writers <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-s.writers }()
	return s.patiently(ctx, func() error { return s.transact(ctx, do) })
}

// transact runs do in one transaction.
func (s *Store) transact(ctx context.Context, do func(*sql.Tx) error) error {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	if err := do(tx); err != nil {
		return err
	}
	if err := s.recorded(ctx, tx); err != nil {
		return err
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return tx.Commit()
}

// explain turns a database's error into the one that [core.Store] names.
func (s *Store) explain(ctx context.Context, err error) error {
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	case s.unavailable(err):
		return fmt.Errorf("%w: %w", core.ErrUnavailable, err)
	}
	return err
}

// sql numbers the parameters of a statement, written as ?, for the database.
func (s *Store) sql(statement string) string {
	var out strings.Builder
	n := 0
	for part := range strings.SplitSeq(statement, "?") {
		if n > 0 {
			out.WriteString(s.mark(n))
		}
		out.WriteString(part)
		n++
	}
	return out.String()
}
