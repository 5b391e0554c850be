package live

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/store/django/tables"
)

// layout is how Django's tables were when they were last read, and what works on such
// tables. It is not changed: after a migration of Django there is another one.
type layout struct {
	access
	db      *sql.DB // the access's
	django  *tables.Database
	shape   tables.Shape
	tokens  tables.TokenTable
	decoder tables.Decoder
	fold    usernameFold
	later   laterParts
}

func newLayout(a access, django *tables.Database) (*layout, error) {
	l := &layout{access: a, db: django.SQL(), django: django, shape: django.Shape()}
	l.decoder = tables.Decoder{Mapping: l.shape.Mapping, Zone: time.UTC, Live: true}
	var err error
	l.tokens, err = l.checkTables()
	return l, err
}

// onLayout runs do on the layout. If the database refuses a statement because the tables are
// others than those that were read, as after a migration of Django, they are read again, and
// do runs once more: it has changed nothing, since it is one transaction at most.
func (s *Store) onLayout(ctx context.Context, do func(*layout) error) error {
	l := s.layout.Load()
	err := do(l)
	for range maxMigrations {
		if !mismatches(err) {
			return err
		}
		next, failed := s.readAgain(ctx, l)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case failed != nil:
			return fmt.Errorf("%w: Django's tables are not as they were, and can't be worked on as they are now: %w", core.ErrUnavailable, failed)
		case next == l:
			return &mismatchError{err: err, unchanged: true}
		}
		l = next
		err = do(l)
	}
	if mismatches(err) {
		err = &mismatchError{err: err}
	}
	return err
}

// maxMigrations limits how often a call is tried again while the tables are being changed.
const maxMigrations = 3

// mismatches is [tables.Mismatches], except for errors that say already that a later try may
// succeed.
func mismatches(err error) bool {
	return !errors.Is(err, core.ErrUnavailable) && tables.Mismatches(err)
}

// mismatchError is the error of a statement that does not fit the tables as they are.
type mismatchError struct {
	err       error
	unchanged bool // the tables are as they were when they were read before
}

// Error implements error. It goes to the log, where nothing may be that a client sent.
func (e *mismatchError) Error() string {
	return core.ErrUnavailable.Error() + ": a statement does not fit Django's tables, although they were read again: " + tables.WithoutValues(e.err) +
		"; let Django's migrations finish; if that does not help, give new columns a default, in the database or with --map FILE.yaml (defaults), and restart"
}

// refusedValue returns core.ErrInvalidUser with its reason if a value of a user's is to blame for an error,
// since the tables have not changed; nil: it is not.
func refusedValue(err error) error {
	var m *mismatchError
	if !errors.As(err, &m) || !m.unchanged || !tables.RefusesValue(m.err) {
		return nil
	}
	return fmt.Errorf("%w: a column of Django's refuses a value: %s", core.ErrInvalidUser, tables.WithoutValues(m.err))
}

// Unwrap returns core.ErrUnavailable and the database's error.
func (e *mismatchError) Unwrap() []error { return []error{core.ErrUnavailable, e.err} }

// readAgainEvery is how long tables are taken to be as they were when reading them again has
// shown nothing new, or has failed: a request that never succeeds must not make each of its
// repetitions read the whole catalogue.
const readAgainEvery = time.Second

// readAgain returns the layout after was: if calls fail together, one of them reads the tables
// for all. It returns was if the tables have not changed.
func (s *Store) readAgain(ctx context.Context, was *layout) (*layout, error) {
	select {
	case s.reading <- struct{}{}:
		defer func() { <-s.reading }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if l := s.layout.Load(); l != was {
		return l, nil
	}
	if s.again.last != nil && time.Since(*s.again.last) < readAgainEvery {
		return was, s.again.err
	}
	next, err := s.readLayout(ctx, was)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if err == nil && !next.resembles(was) {
		s.layout.Store(next)
		s.again = lastReading{}
		return next, nil
	}
	now := time.Now()
	s.again = lastReading{last: &now, err: err}
	return was, err
}

// lastReading is when the tables were last read again for nothing, and why.
type lastReading struct {
	last *time.Time
	err  error
}

// readLayout reads the tables again. The table of tokens stays the one that was found at the
// start, whatever others have rows by now.
func (s *Store) readLayout(ctx context.Context, was *layout) (next *layout, err error) {
	m := s.mapping
	m.TokenTables = []string{was.tokens.String()}
	// Another column, or none, must not take the place of one that says who is active, or who
	// is who: where one is gone, as in the midst of migrations, nothing is answered.
	d := was.decoder.Mapping
	m.ID, m.Username, m.Email, m.Password, m.Active, m.Created = d.ID, d.Username, d.Email, d.Password, d.Active, d.Created
	err = s.access.read(ctx, func(ctx context.Context) error {
		django, err := was.django.ReadAgain(ctx, m)
		if err == nil {
			next, err = newLayout(s.access, django)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	if next.keepsPlaintext() != was.keepsPlaintext() || next.SingleTokenPerUser() != was.SingleTokenPerUser() ||
		next.keyLength() < was.keyLength() || (next.tokens.Expiry == "") != (was.tokens.Expiry == "") || next.tokens.Undated() != was.tokens.Undated() {
		return nil, fmt.Errorf("the table %s has other tokens than at the start, for which the profiles have to be checked again: restart authcompat", next.tokens)
	}
	next.later = was.later
	next.fold, err = next.findFold(ctx)
	return next, err
}

// resembles reports whether statements on both layouts are the same.
func (l *layout) resembles(o *layout) bool {
	same := func(a, b tables.Table) bool { return a.String() == b.String() && slices.Equal(a.Columns, b.Columns) }
	return slices.EqualFunc(l.shape.Users.Parts(), o.shape.Users.Parts(), same) && same(l.tokens.Table, o.tokens.Table)
}

// keepsPlaintext reports whether the table of tokens has their text.
func (l *layout) keepsPlaintext() bool { return l.tokens.Format == core.Authtoken }

// sql replaces the parameters ? of a statement with the database's placeholders.
func (l *layout) sql(statement string) string {
	var out strings.Builder
	n := 0
	for part := range strings.SplitSeq(statement, "?") {
		if n > 0 {
			out.WriteString(l.django.Placeholder(n))
		}
		out.WriteString(part)
		n++
	}
	return out.String()
}
