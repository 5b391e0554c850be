package live

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/store/django/tables"
)

// Store is a [core.Store] on Django's own tables. Its methods are safe for concurrent
// use.
type Store struct {
	access
	name    string // of the database in messages
	django  *tables.Database
	db      *sql.DB // the access's
	shape   tables.Shape
	tokens  tables.TokenTable
	decoder tables.Decoder
	fold    usernameFold
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
	b := core.Backend{Store: s, RateLimiter: s, Auditor: s, Privacy: s, Warner: s, Plaintext: s, FoldUsername: s.fold}
	if s.django.IsPostgres() {
		b.DatabaseClock = s
	}
	return b
}

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
	s, err := open(ctx, source, m)
	if err != nil {
		return nil, err
	}
	s.db, s.shape = s.django.SQL(), s.django.Shape()
	s.decoder = tables.Decoder{Mapping: s.shape.Mapping, Zone: time.UTC, Live: true}
	if err := s.prepare(ctx); err != nil {
		return nil, fmt.Errorf("%s: %w", s.name, errors.Join(err, s.Close()))
	}
	return s, nil
}

func (s *Store) prepare(ctx context.Context) (err error) {
	if s.tokens, err = s.checkTables(); err != nil {
		return err
	}
	for tries := 0; ; tries++ {
		if err = s.alter(ctx, s.createAuxTables); err == nil {
			err = s.createAuditTriggers(ctx)
		}
		if !overtaken(err) || tries == maxOvertaken {
			break
		}
	}
	if err == nil {
		s.fold, err = s.findFold(ctx)
	}
	return err
}

// errUndecided says how to choose a table of tokens.
var errUndecided = errors.New("give it in a mapping (--map FILE.yaml, token_table: NAME)")

// checkTables returns the table of tokens, or why the tables can't be used live.
func (s *Store) checkTables() (t tables.TokenTable, err error) {
	users := s.shape.Users
	id, _ := users.Column(s.decoder.Mapping.ID)
	switch {
	case s.shape.Undecided != nil:
		return t, fmt.Errorf("%w; %w", s.shape.Undecided, errUndecided)
	case len(s.shape.Tokens) == 0:
		return t, errors.New("it has no table of tokens: neither authtoken's nor knox's")
	case len(s.shape.Tokens) > 1:
		return t, fmt.Errorf("it has several tables of tokens (%s and %s): to work on both at once is not possible; %w",
			s.shape.Tokens[0].Table, s.shape.Tokens[1].Table, errUndecided)
	case !id.IsInteger():
		return t, fmt.Errorf("the primary key %s of %s is no whole number (%s): such users can be imported, not worked on", id.Name, users, id.Kind)
	case !s.django.AssignsUserIDs():
		return t, fmt.Errorf("the database gives no primary keys to new rows of %s: such users can be imported, not worked on", users.Parts()[0])
	case len(s.django.UnfilledColumns()) > 0:
		return t, fmt.Errorf("each row of %s needs a value of its own in the column %s: say which in a mapping (--map FILE.yaml, defaults: {%s: $uuid})", users, s.django.UnfilledColumns()[0], s.django.UnfilledColumns()[0])
	case users.View || s.shape.Tokens[0].View:
		return t, errors.New("users or tokens are views: they can be imported from, not worked on")
	}
	t = s.shape.Tokens[0]
	if t.Plain {
		return t, errors.New("tables of knox 1 can be imported, not worked on")
	}
	parts, err := s.django.Dependents(t.Table)
	if err == nil && len(parts) > 0 {
		err = fmt.Errorf("rows of %s are parts of tokens of %s: such tokens can be imported, not worked on", parts[0], t.Table)
	}
	return t, err
}

// KeepsPlaintext implements [core.PlaintextStore].
func (s *Store) KeepsPlaintext() bool { return s.tokens.Format == core.Authtoken }

// SingleTokenPerUser tells whether a user has at most one token, so that the profile has
// to return the same one at each login.
func (s *Store) SingleTokenPerUser() bool { return !s.tokens.Many }

// CheckPolicy implements [core.PlaintextStore].
func (s *Store) CheckPolicy(p core.Policy) error {
	switch {
	case s.SingleTokenPerUser() && !p.Reuse:
		return errors.New("the store is Django REST framework's authtoken, where a user has one token: the profile needs per_user: one")
	case s.SingleTokenPerUser() && p.Realm != core.DefaultRealm:
		return errors.New("the store is Django REST framework's authtoken, where a user has one token: the profile can't have a realm of its own")
	case s.KeepsPlaintext() && p.TokenHex > s.keyLength():
		return fmt.Errorf("the store is %s, whose keys have at most %d characters: the profile's tokens are longer", s.tokens.Table, s.keyLength())
	case s.tokens.Format != core.Authtoken && s.tokens.Format != core.Knox5 && p.TokenHex%2 != 0:
		return errors.New("the store is knox's, which reads tokens as whole bytes: hex has to be even")
	case s.tokens.Format != core.Authtoken && s.tokens.Expiry == "" && p.TTL != 0:
		return errors.New("the store's tokens have no end: the profile needs ttl: never")
	}
	return nil
}

// keyLength is the maximum length of a key.
func (s *Store) keyLength() int {
	if c, _ := s.tokens.Column("key"); c.Length > 0 {
		return c.Length
	}
	return authtokenLength
}

// authtokenLength is the default maximum length of a key (rest_framework/authtoken/models.py).
const authtokenLength = 40

// Caveats implements [core.PlaintextStore].
func (s *Store) Caveats() []string {
	caveats := []string{
		"a token that Django issued belongs to the realm default, and to no profile",
		"rehashing at login is off: Django and this server would undo each other's hashes",
		"a username has at most the characters that Django's column holds",
		"of the commands that manage users and tokens, only user create, limits clear, audit and audit purge work: for the rest use Django's own admin",
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

// Ping implements [core.Store].
func (s *Store) Ping(ctx context.Context) error {
	return s.ping(ctx, `SELECT 1 FROM authcompat_users`)
}

// writeAudited is write, with an audit entry in the same transaction unless it is nil.
func (s *Store) writeAudited(ctx context.Context, audit *core.AuditEntry, do txFunc) error {
	return s.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		if err := do(ctx, tx); err != nil {
			return err
		}
		return s.writeAuditEntry(ctx, tx, audit)
	})
}

// sql replaces the parameters ? of a statement with the database's placeholders.
func (s *Store) sql(statement string) string {
	var out strings.Builder
	n := 0
	for part := range strings.SplitSeq(statement, "?") {
		if n > 0 {
			out.WriteString(s.django.Placeholder(n))
		}
		out.WriteString(part)
		n++
	}
	return out.String()
}
