package live

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync/atomic"
	"unicode/utf8"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/store/django/tables"
)

// Store is a [core.Store] on Django's own tables. Its methods are safe for concurrent
// use.
type Store struct {
	access
	mapping tables.Mapping
	layout  atomic.Pointer[layout]
	reading chan struct{} // a slot for reading the tables again
	again   lastReading   // for whoever has the slot
}

// access is how calls reach the database.
type access interface {
	// read runs do, which only reads through the database, and may run it again.
	read(ctx context.Context, do func(context.Context) error) error
	// readAll is read with time to read all rows of a table, page by page.
	readAll(ctx context.Context, do func(context.Context) error) error
	// write runs do in one transaction, which may be tried again.
	write(ctx context.Context, do txFunc) error
	// alter is write with time to change the schema.
	alter(ctx context.Context, do txFunc) error
	// writers returns how many calls write at a time.
	writers() int
	// ping is read for a subquery that reads what has to be readable. It fails if the
	// database can't be written to.
	ping(ctx context.Context, probe string) error
	// Close implements [core.Store].
	Close() error
}

// txFunc is the body of a transaction; ctx is for its statements.
type txFunc = func(ctx context.Context, tx *sql.Tx) error

// Backend returns the store with what it can do: the administration of users stays with
// Django.
func (s *Store) Backend() core.Backend {
	b := core.Backend{Store: s, RateLimiter: s, Auditor: s, Privacy: s, Callers: s.callers(), Mail: s.mails(), Accounts: s, Tokens: s, Warner: s, Plaintext: s, FoldUsername: s.foldUsername, Writers: s.writers()}
	if s.isPostgres() {
		b.DatabaseClock = s
	}
	b.Addresses = s.addresses()
	if s.layout.Load().later.cutover {
		b.Cutover = s
	}
	return b
}

// isPostgres reports whether the database is one of PostgreSQL.
func (s *Store) isPostgres() bool { return s.layout.Load().django.IsPostgres() }

// Open opens a Django database for live use: sqlite:PATH or postgres://…, as package
// postgres reads it, without a schema. It creates the auxiliary tables if they are
// missing. The database has to have one table of tokens and the users that these belong
// to, and dates in UTC, as they are with USE_TZ. What m does not say is found
// automatically.
func Open(ctx context.Context, source string, m tables.Mapping) (*Store, error) {
	open := openFile
	if isPostgres(source) {
		open = openPostgres
	}
	a, name, django, err := open(ctx, source, m)
	if err != nil {
		return nil, err
	}
	l, err := newLayout(a, django)
	if err == nil {
		err = l.prepare(ctx)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, errors.Join(err, a.Close()))
	}
	s := &Store{access: a, mapping: m, reading: make(chan struct{}, 1)}
	s.layout.Store(l)
	return s, nil
}

// prepare creates what is missing.
func (l *layout) prepare(ctx context.Context) (err error) {
	for tries := 0; ; tries++ {
		if err = l.alter(ctx, l.createAuxTables); err == nil {
			err = l.createAuditTriggers(ctx)
		}
		if err == nil {
			err = l.addLaterParts(ctx)
		}
		if !overtaken(err) || tries == maxOvertaken {
			break
		}
	}
	if err == nil {
		l.fold, err = l.findFold(ctx)
	}
	return err
}

// errUndecided says how to choose a table of tokens.
var errUndecided = errors.New("give it in a mapping (--map FILE.yaml, token_table: NAME)")

// checkTables returns the table of tokens, or why the tables can't be used live.
func (l *layout) checkTables() (t tables.TokenTable, err error) {
	users := l.shape.Users
	id, _ := users.Column(l.decoder.Mapping.ID)
	switch {
	case l.shape.Undecided != nil:
		return t, fmt.Errorf("%w; %w", l.shape.Undecided, errUndecided)
	case len(l.shape.Tokens) == 0:
		return t, errors.New("it has no table of tokens: neither authtoken's nor knox's")
	case len(l.shape.Tokens) > 1:
		return t, fmt.Errorf("it has several tables of tokens (%s and %s): to work on both at once is not possible; %w",
			l.shape.Tokens[0].Table, l.shape.Tokens[1].Table, errUndecided)
	case !id.IsInteger():
		return t, fmt.Errorf("the primary key %s of %s is no whole number (%s): such users can be imported, not worked on", id.Name, users, id.Kind)
	case !l.django.AssignsUserIDs():
		return t, fmt.Errorf("the database gives no primary keys to new rows of %s: such users can be imported, not worked on", users.Parts()[0])
	case len(l.django.UnfilledColumns()) > 0:
		return t, fmt.Errorf("each row of %s needs a value of its own in the column %s: say which in a mapping (--map FILE.yaml, defaults: {%s: $uuid})", users, l.django.UnfilledColumns()[0], l.django.UnfilledColumns()[0])
	case users.View || l.shape.Tokens[0].View:
		return t, errors.New("users or tokens are views: they can be imported from, not worked on")
	}
	t = l.shape.Tokens[0]
	if t.Plain {
		return t, errors.New("tables of knox 1 can be imported, not worked on")
	}
	parts, err := l.django.Dependents(t.Table)
	if err == nil && len(parts) > 0 {
		err = fmt.Errorf("rows of %s are parts of tokens of %s: such tokens can be imported, not worked on", parts[0], t.Table)
	}
	return t, err
}

// KeepsPlaintext implements [core.PlaintextStore].
func (s *Store) KeepsPlaintext() bool { return s.layout.Load().keepsPlaintext() }

// SingleTokenPerUser tells whether a user has at most one token, so that the profile has
// to return the same one at each login.
func (s *Store) SingleTokenPerUser() bool { return s.layout.Load().SingleTokenPerUser() }

// SingleTokenPerUser is [Store.SingleTokenPerUser].
func (l *layout) SingleTokenPerUser() bool { return !l.tokens.Many }

// CheckPolicy implements [core.PlaintextStore].
func (s *Store) CheckPolicy(p core.Policy) error {
	l := s.layout.Load()
	switch {
	case l.SingleTokenPerUser() && !p.Reuse:
		return errors.New("the store is Django REST framework's authtoken, where a user has one token: the profile needs per_user: one")
	case l.SingleTokenPerUser() && p.Realm != core.DefaultRealm:
		return errors.New("the store is Django REST framework's authtoken, where a user has one token: the profile can't have a realm of its own")
	case l.tokens.Undated() && l.tokens.Expiry != "" && p.MaxTTL != 0:
		return fmt.Errorf("the store is %s, which does not say when a token was created: the profile's sliding can have no max", l.tokens.Table)
	case l.keepsPlaintext() && utf8.RuneCountInString(p.Prefix)+p.TokenHex > l.keyLength():
		return fmt.Errorf("the store is %s, whose keys have at most %d characters: the profile's tokens are longer", l.tokens.Table, l.keyLength())
	case l.tokens.Format != core.Authtoken && l.tokens.Format != core.Knox5 && p.TokenHex%2 != 0:
		return errors.New("the store is knox's, which reads tokens as whole bytes: hex has to be even")
	case l.tokens.Format != core.Authtoken && l.tokens.Format != core.Knox5 && p.Prefix != "":
		return errors.New("the store is knox's of before 5, which reads a whole token as hex digits: the profile's tokens can have no prefix")
	case l.tokens.Format != core.Authtoken && l.tokens.Expiry == "" && p.TTL != 0:
		return errors.New("the store's tokens have no end: the profile needs ttl: never")
	}
	return nil
}

// CheckUser implements [core.PlaintextStore].
func (s *Store) CheckUser(u core.NewUser) error {
	l := s.layout.Load()
	return errors.Join(l.checkRights(nil, u.Attributes), l.checkLengths(newAccount(u)))
}

// keyLength is the maximum length of a key.
func (l *layout) keyLength() int {
	if c, _ := l.tokens.Column("key"); c.Length > 0 {
		return c.Length
	}
	return authtokenLength
}

// authtokenLength is the default maximum length of a key (rest_framework/authtoken/models.py).
const authtokenLength = 40

// Caveats implements [core.PlaintextStore].
func (s *Store) Caveats() []string {
	shape := s.layout.Load().shape
	caveats := []string{
		fmt.Sprintf("users log in by the column %s of %s: if that is another than before, name theirs in a mapping (--map FILE.yaml, username: COLUMN)", shape.Mapping.Username, shape.Users),
		"a token that Django issued belongs to the realm default, and to no profile",
		"rehashing at login is off: Django and this server would undo each other's hashes",
		"a username, or an address, has at most the characters that Django's column holds",
		"of the commands that manage users and tokens, only user create, limits clear, audit, audit purge and cutover work: for the rest use Django's own admin",
	}
	if s.SingleTokenPerUser() {
		return append(caveats,
			"a user has one token: profiles have to have per_user: one",
			"Django knows no end of a token: one that has ended here goes on working there until the user logs in again or logs out")
	}
	if s.KeepsPlaintext() {
		return append(caveats, "Django knows no end of a token: one that has ended here goes on working there until the user logs out")
	}
	return append(caveats, "tokens that Django issued can't be shown again: knox keeps digests alone")
}

// Ping implements [core.Store]. It reads users and tokens by the statement of FindToken.
func (s *Store) Ping(ctx context.Context) error {
	return s.onLayout(ctx, func(l *layout) error {
		_, from := l.presented("")
		_, query := l.selectRows(true, from+" = ''", "")
		return s.ping(ctx, query)
	})
}

// read runs do, which only reads, and may run it again.
func (s *Store) read(ctx context.Context, do func(context.Context, *layout) error) error {
	return s.onLayout(ctx, func(l *layout) error {
		return s.access.read(ctx, func(ctx context.Context) error { return do(ctx, l) })
	})
}

// readAll is read with time to read all rows of a table.
func (s *Store) readAll(ctx context.Context, do func(context.Context, *layout) error) error {
	return s.onLayout(ctx, func(l *layout) error {
		return s.access.readAll(ctx, func(ctx context.Context) error { return do(ctx, l) })
	})
}

// write runs do in one transaction, which may be tried again.
func (s *Store) write(ctx context.Context, do func(context.Context, *sql.Tx, *layout) error) error {
	return s.onLayout(ctx, func(l *layout) error {
		return s.access.write(ctx, func(ctx context.Context, tx *sql.Tx) error { return do(ctx, tx, l) })
	})
}

// writeAudited is write, with an audit entry in the same transaction unless it is nil.
func (s *Store) writeAudited(ctx context.Context, audit *core.AuditEntry, do func(context.Context, *sql.Tx, *layout) error) error {
	return s.write(ctx, func(ctx context.Context, tx *sql.Tx, l *layout) error {
		if err := do(ctx, tx, l); err != nil {
			return err
		}
		return l.writeAuditEntry(ctx, tx, audit)
	})
}

// readCommitted has a transaction of PostgreSQL see what was committed before each of its
// statements: at another level, whoever waits for a lock would look at what there was before.
// It has to be the first statement.
func (l *layout) readCommitted(ctx context.Context, tx *sql.Tx) error {
	if !l.django.IsPostgres() {
		return nil
	}
	if _, err := tx.ExecContext(ctx, `SET TRANSACTION ISOLATION LEVEL READ COMMITTED`); err != nil {
		return fmt.Errorf("set isolation level: %w", err)
	}
	return nil
}
