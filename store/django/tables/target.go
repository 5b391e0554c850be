package tables

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/transfer"
)

// Target is a Django database that users and tokens are exported to.
type Target struct {
	*Database
	Decoder Decoder
	parts   map[string][]Table // of token tables, by name: the tables whose rows are parts of their tokens
}

// OpenTarget opens a Django database for writing. Its tables have to exist (manage.py
// migrate creates them). m assigns columns their roles, and zone is that of times
// stored without one.
func OpenTarget(ctx context.Context, target string, m Mapping, zone *time.Location) (*Target, error) {
	db, err := OpenForWriting(ctx, m, target, false)
	if errors.Is(err, errNoDatabase) {
		return nil, fmt.Errorf("%w; a dump is written to a new file whose name ends in .json", err)
	}
	if err != nil {
		return nil, err
	}
	t := &Target{Database: db, Decoder: Decoder{Mapping: db.shape.Mapping, Zone: zone}, parts: map[string][]Table{}}
	if err := t.prepare(); err != nil {
		return nil, fmt.Errorf("%s: %w", db.Identity(), errors.Join(err, db.Close()))
	}
	return t, nil
}

// prepare refuses a target that cannot be written to.
func (t *Target) prepare() error {
	switch {
	case t.shape.Users.View:
		return fmt.Errorf("users are read from the view %s: they can't be written there", t.shape.Users)
	case t.shape.Undecided != nil:
		return t.shape.Undecided
	}
	for _, table := range t.shape.Tokens {
		parts, err := t.Dependents(table.Table)
		if err != nil {
			return err
		}
		t.parts[table.Name] = parts
	}
	return nil
}

// Batch is a transaction on a target. A row that the database refuses leaves the other
// rows intact.
type Batch struct {
	target *Target
	tx     *sql.Tx
	broken error // the error that ended the transaction, undoing all its rows
}

func (b *Batch) writer() Writer { return b.target.Writer(b.tx, b.target.Decoder) }

// Write runs do in a transaction.
func (t *Target) Write(ctx context.Context, do func(*Batch) error) error {
	tx, err := t.db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	defer func() { _ = tx.Rollback() }()
	if err := t.beginWriting(ctx, tx); err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	b := &Batch{target: t, tx: tx}
	if err := do(b); err != nil {
		return err
	}
	if b.broken != nil {
		return b.broken
	}
	if _, err := t.renumber(ctx, tx); err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	return nil
}

// renumber makes the database assign IDs above those of existing users, and returns the highest that is known to have been
// given to one.
func (t *Target) renumber(ctx context.Context, tx *sql.Tx) (given int64, err error) {
	id := t.Decoder.Mapping.ID
	root := t.shape.Users.Parts()[0]
	if t.shape.Users.Base != nil {
		id = root.KeyColumn()
	}
	if given, err = t.moveIDs(ctx, tx, root, id); err != nil {
		return 0, fmt.Errorf("move ids on: %w", err)
	}
	return given, nil
}

// Given returns the highest primary key, if they are integers, that the target knows to have been given to a user, who may be
// gone: what an application keeps of such a user, or has signed, must not be another's. 0: it does not know of any.
func (b *Batch) Given(ctx context.Context) (int64, error) { return b.target.renumber(ctx, b.tx) }

// KeyFor returns the primary key in the target for a user of the engine who was never
// there: the user's ID, or "" if the target's keys are not integers.
func (t *Target) KeyFor(userID int64) string {
	if c, _ := t.shape.Users.Column(t.Decoder.Mapping.ID); !c.IsInteger() {
		return ""
	}
	return strconv.FormatInt(userID, 10)
}

// Accounts returns the users in the target that have one of the keys or names.
func (b *Batch) Accounts(ctx context.Context, keys, names []string) ([]transfer.ImportedUser, error) {
	t := b.target
	m := t.Decoder.Mapping
	values := map[string][]any{}
	for _, key := range keys {
		if key != "" {
			values[m.ID] = append(values[m.ID], b.writer().owner(t.shape.Users, m.ID, key))
		}
	}
	for _, name := range names {
		values[m.Username] = append(values[m.Username], name)
	}
	// A row that Django itself would fail on exists nonetheless.
	d := t.Decoder
	d.Live = true
	found := map[string]bool{}
	var all []transfer.ImportedUser
	for _, column := range []string{m.ID, m.Username} {
		rows, err := t.rowsOf(ctx, b.tx, t.shape.Users, column, values[column])
		if err != nil {
			return nil, fmt.Errorf("read users: %w", err)
		}
		for _, row := range rows {
			u, err := d.User(row)
			if err != nil {
				return nil, fmt.Errorf("%s %s: %w", t.shape.Users, row.Text(m.ID), err)
			}
			if !found[u.Key] {
				found[u.Key] = true
				all = append(all, u)
			}
		}
	}
	return all, nil
}

// PutUser writes a user. It inserts a row, or updates the one with this key, changing
// only the columns that differ from old, and last_login if it is later. It returns the key. It fails with
// ErrUserChanged unless the row is as old still.
func (b *Batch) PutUser(ctx context.Context, u transfer.ImportedUser, old *core.Account) (key string, err error) {
	t := b.target
	fields := t.Decoder.UserFields(u.Account, t.shape.Users)
	w := b.writer()
	if !u.LastLogin.IsZero() && (old == nil || u.LastLogin.After(old.LastLogin)) { // ends links that were mailed before, there as here
		fields["last_login"] = u.LastLogin
	}
	if old == nil {
		if u.Key == "" {
			if _, err := b.target.renumber(ctx, b.tx); err != nil {
				return "", err
			}
		}
		err = b.try(ctx, func() error {
			key, err = w.InsertUser(ctx, fields, u.Key, u.CreatedAt)
			return err
		})
		return key, err
	}
	for column, value := range t.Decoder.UserFields(*old, t.shape.Users) {
		if fields[column] == value || column == t.Decoder.Mapping.Created {
			delete(fields, column)
		}
	}
	return u.Key, b.tryUnchanged(ctx, u.Key, *old, func() error { return w.UpdateUser(ctx, u.Key, fields) })
}

// DeleteUser deletes a user with the tokens, and the rows that Django's own models have of the user. It fails with
// *ReferredError if other rows refer to the user, and with ErrUserChanged unless the row is as old still.
func (b *Batch) DeleteUser(ctx context.Context, key string, old core.Account) error {
	var referred *ReferredError
	err := b.tryUnchanged(ctx, key, old, func() error {
		for _, table := range b.target.shape.Tokens {
			tokens, err := b.TokensOf(ctx, table, []string{key})
			for _, k := range tokens {
				if err == nil {
					err = b.DeleteToken(ctx, table, k) // with its parts
				}
			}
			if err != nil {
				return err
			}
		}
		err := b.writer().DeleteUser(ctx, key)
		errors.As(err, &referred)
		return err
	})
	if referred != nil && b.broken == nil {
		return referred
	}
	return err
}

// try runs one write so that its failure leaves the transaction usable. A deadlock
// breaks the transaction: MySQL has rolled it back by then, and each further row would
// be committed on its own.
func (b *Batch) try(ctx context.Context, do func() error) error {
	if b.broken != nil {
		return b.broken
	}
	if _, err := b.tx.ExecContext(ctx, `SAVEPOINT one_row`); err != nil {
		b.broken = err
		return err
	}
	failed := do()
	end := `RELEASE SAVEPOINT one_row`
	if failed != nil {
		end = `ROLLBACK TO SAVEPOINT one_row`
	}
	if _, err := b.tx.ExecContext(ctx, end); err != nil {
		if b.broken = err; failed != nil {
			b.broken = failed
		}
		return b.broken
	}
	if failed != nil {
		return &RowError{withoutValue(failed)}
	}
	return nil
}

// RowError is the error for a row that the database refused.
type RowError struct{ Err error }

// Error implements error.
func (e *RowError) Error() string { return "the database refuses it: " + e.Err.Error() }

// Unwrap returns the database's error.
func (e *RowError) Unwrap() error { return e.Err }

// ExistingToken is a token of a table, in the engine's terms.
type ExistingToken struct {
	Token
	// ID is the engine's digest of the token: that of its text if the table stores the
	// text.
	ID  core.Digest
	key string // the value of the table's IDColumn
}

// existingToken decodes the token of a row; ok is false if it is unusable.
func (t *Target) existingToken(table TokenTable, row Row) (ExistingToken, bool) {
	token, err := t.Decoder.Token(table, row)
	if err != nil {
		return ExistingToken{}, false
	}
	k := ExistingToken{Token: token, ID: token.Digest, key: row.Text(table.IDColumn())}
	if token.Text != "" {
		k.ID = core.Presented(token.Text).SHA256()
	}
	return k, true
}

// TokensOf returns the tokens of a table that belong to the users with the given keys.
func (b *Batch) TokensOf(ctx context.Context, table TokenTable, owners []string) ([]ExistingToken, error) {
	values := make([]any, len(owners))
	for i, key := range owners {
		values[i] = b.writer().owner(table.Table, "user_id", key)
	}
	rows, err := b.target.rowsOf(ctx, b.tx, table.Table, "user_id", values)
	if err != nil {
		return nil, fmt.Errorf("read tokens: %w", err)
	}
	var all []ExistingToken
	for _, row := range rows {
		if k, ok := b.target.existingToken(table, row); ok {
			all = append(all, k)
		}
	}
	return all, nil
}

// EachToken calls do with each usable token of a table.
func (t *Target) EachToken(ctx context.Context, table TokenTable, do func(ExistingToken) error) error {
	return t.Each(ctx, table.Table, "", func(row Row) error {
		if k, ok := t.existingToken(table, row); ok {
			return do(k)
		}
		return nil
	})
}

// PutToken writes a token in the format of a table.
func (b *Batch) PutToken(ctx context.Context, table TokenTable, t Token) error {
	return b.try(ctx, func() error { return b.writer().InsertToken(ctx, table, t) })
}

// ExtendToken sets the expiry of a token, if its table has one.
func (b *Batch) ExtendToken(ctx context.Context, table TokenTable, k ExistingToken, to time.Time) error {
	if table.Expiry == "" {
		return nil
	}
	return b.try(ctx, func() error {
		return b.writer().update(ctx, table.Table, map[string]any{table.Expiry: to}, table.IDColumn(), k.key)
	})
}

// DeleteToken deletes a token and the rows that are parts of it.
func (b *Batch) DeleteToken(ctx context.Context, table TokenTable, k ExistingToken) error {
	t := b.target
	column := table.IDColumn()
	for _, part := range t.parts[table.Name] {
		if column != table.KeyColumn() {
			return fmt.Errorf("tokens of %s have parts in %s that can't be told by their %s", table.Table, part, column)
		}
		if _, err := b.tx.ExecContext(ctx, "DELETE FROM "+t.TableName(part)+" WHERE "+t.Quote(part.KeyColumn())+" = "+t.Placeholder(1), k.key); err != nil {
			return err
		}
	}
	_, err := b.tx.ExecContext(ctx, "DELETE FROM "+t.TableName(table.Table)+" WHERE "+t.Quote(column)+" = "+t.Placeholder(1), k.key)
	return err
}
