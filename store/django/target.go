package django

import (
	"context"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/authcompat/authcompat/core"
)

// Target is a Django database that users and tokens are handed to.
type Target struct {
	*database
	Decoder Decoder
}

// OpenTarget opens a Django database to write to: its tables have to be there
// (manage.py migrate makes them). d says which column is what.
func OpenTarget(ctx context.Context, target, userTable string, d Decoder) (*Target, error) {
	from, err := Open(ctx, target, userTable)
	if err != nil {
		return nil, err
	}
	db, ok := from.(*database)
	if !ok {
		return nil, errors.Join(fmt.Errorf("%s is no database; a dump is written to a new file whose name ends in .json", target), from.Close())
	}
	if err := db.db.Close(); err != nil {
		return nil, err
	}
	if db.db, err = db.open(db.source, false); err != nil {
		return nil, err
	}
	if d.Mapping, err = d.Mapping.On(db.shape.Users); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return &Target{database: db, Decoder: d}, nil
}

// Batch is a transaction on a target. A row that the database refuses leaves
// the others as they are.
type Batch struct {
	target *Target
	tx     *sql.Tx
}

// Write runs do in one transaction.
func (t *Target) Write(ctx context.Context, do func(*Batch) error) error {
	tx, err := t.db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	defer func() { _ = tx.Rollback() }()
	if err := do(&Batch{target: t, tx: tx}); err != nil {
		return err
	}
	if err := t.moveIDs(ctx, tx, t.shape.Users, t.Decoder.Mapping.ID); err != nil {
		return fmt.Errorf("move ids on: %w", err)
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	return nil
}

// Accounts gives the users who are there under one of the ids or of the names.
func (b *Batch) Accounts(ctx context.Context, users []core.Account) ([]core.Account, error) {
	t := b.target
	ids, names := make([]any, len(users)), make([]any, len(users))
	for i, u := range users {
		ids[i], names[i] = u.ID, u.Username
	}
	found := map[int64]core.Account{}
	for column, values := range map[string][]any{t.Decoder.Mapping.ID: ids, t.Decoder.Mapping.Username: names} {
		rows, err := rowsOf(ctx, t.dialect, b.tx, t.shape.Users, column, values)
		if err != nil {
			return nil, fmt.Errorf("read users: %w", err)
		}
		for _, row := range rows {
			account, err := t.Decoder.Account(row)
			if err != nil {
				return nil, fmt.Errorf("%s %s: %w", t.shape.Users.Name, row.Fields[t.Decoder.Mapping.ID], err)
			}
			found[account.ID] = account
		}
	}
	all := make([]core.Account, 0, len(found))
	for _, account := range found {
		all = append(all, account)
	}
	return all, nil
}

// PutUser writes a user: a new row, or over the one with this id, of which it
// changes only the columns that differ from old.
func (b *Batch) PutUser(ctx context.Context, u core.Account, old *core.Account) error {
	t := b.target
	fields := t.Decoder.fields(u, t.shape.Users)
	if old != nil {
		for column, value := range t.Decoder.fields(*old, t.shape.Users) {
			if fields[column] == value || column == t.Decoder.Mapping.Created {
				delete(fields, column)
			}
		}
		delete(fields, t.Decoder.Mapping.ID)
		return b.try(ctx, func() error { return b.update(ctx, t.shape.Users, fields, t.Decoder.Mapping.ID, u.ID) })
	}
	fillRequired(t.shape.Users, fields, u.CreatedAt)
	return b.try(ctx, func() error { return b.insert(ctx, t.shape.Users, fields) })
}

// fields gives the columns of a user that this program knows.
func (d Decoder) fields(u core.Account, users Table) map[string]any {
	m := d.Mapping
	all := map[string]any{m.ID: u.ID, m.Password: u.PasswordHash}
	set := func(column string, value any) {
		if column != "" && users.has(column) {
			all[column] = value
		}
	}
	set(m.Email, u.Email)
	set(m.Username, u.Username)
	set(m.Active, u.Active)
	set(m.Created, u.CreatedAt)
	for _, right := range []string{"is_staff", "is_superuser"} {
		set(right, u.Attributes[right] == "true")
	}
	if m.Attributes == nil {
		for _, c := range users.Columns {
			if _, known := all[c.Name]; !known {
				if text, ok := u.Attributes[c.Name]; ok {
					all[c.Name] = c.typed(text)
				}
			}
		}
		return all
	}
	for attribute, column := range m.Attributes {
		if text, ok := u.Attributes[attribute]; ok {
			c, _ := users.column(column)
			all[column] = c.typed(text)
		}
	}
	return all
}

// typed gives a text as the column's kind has it.
func (c Column) typed(text string) any {
	if strings.HasPrefix(c.Kind, "bool") {
		if yes, err := boolean(text); err == nil {
			return yes
		}
	}
	return text
}

// fillRequired gives the columns that a row can't be without what Django's own
// fields have for nothing: an empty text, zero, false.
func fillRequired(t Table, fields map[string]any, created time.Time) {
	for _, c := range t.Columns {
		if _, given := fields[c.Name]; given || !c.Required {
			continue
		}
		switch {
		case strings.HasPrefix(c.Kind, "bool"):
			fields[c.Name] = false
		case strings.HasPrefix(c.Kind, "date"), strings.HasPrefix(c.Kind, "timestamp"):
			fields[c.Name] = created
		case strings.Contains(c.Kind, "int"), c.Kind == "real", c.Kind == "decimal", c.Kind == "numeric", c.Kind == "double precision":
			fields[c.Name] = 0
		default:
			fields[c.Name] = ""
		}
	}
}

// try runs one write so that its failure leaves the transaction good.
func (b *Batch) try(ctx context.Context, do func() error) error {
	if _, err := b.tx.ExecContext(ctx, `SAVEPOINT one_row`); err != nil {
		return err
	}
	failed := do()
	end := `RELEASE SAVEPOINT one_row`
	if failed != nil {
		end = `ROLLBACK TO SAVEPOINT one_row`
	}
	if _, err := b.tx.ExecContext(ctx, end); err != nil {
		return errors.Join(failed, err)
	}
	if failed != nil {
		return &RowError{failed}
	}
	return nil
}

// RowError is a row that the database refused.
type RowError struct{ Err error }

// Error implements error.
func (e *RowError) Error() string { return "the database refuses it: " + e.Err.Error() }

// Unwrap gives the database's error.
func (e *RowError) Unwrap() error { return e.Err }

func (b *Batch) insert(ctx context.Context, t Table, fields map[string]any) error {
	var columns, marks []string
	var values []any
	for _, c := range t.Columns {
		if value, ok := fields[c.Name]; ok {
			columns = append(columns, quote(c.Name))
			values = append(values, b.target.value(value, b.target.Decoder.Zone))
			marks = append(marks, b.target.mark(len(values)))
		}
	}
	_, err := b.tx.ExecContext(ctx, "INSERT INTO "+quote(t.Name)+" ("+strings.Join(columns, ", ")+") VALUES ("+strings.Join(marks, ", ")+")", values...)
	return err
}

func (b *Batch) update(ctx context.Context, t Table, fields map[string]any, key string, id any) error {
	var sets []string
	var values []any
	for _, c := range t.Columns {
		if value, ok := fields[c.Name]; ok {
			values = append(values, b.target.value(value, b.target.Decoder.Zone))
			sets = append(sets, quote(c.Name)+" = "+b.target.mark(len(values)))
		}
	}
	if len(sets) == 0 {
		return nil
	}
	values = append(values, id)
	_, err := b.tx.ExecContext(ctx, "UPDATE "+quote(t.Name)+" SET "+strings.Join(sets, ", ")+" WHERE "+quote(key)+" = "+b.target.mark(len(values)), values...)
	return err
}

// Kept is a token that a table has, in the words of the engine.
type Kept struct {
	Token
	// ID is the engine's digest of it: that of its text where the table keeps
	// the text.
	ID  core.Digest
	key string // the table's own
}

// kept gives the token of a row; ok is false where it is none that works.
func (t *Target) kept(table TokenTable, row Row) (Kept, bool) {
	token, err := t.Decoder.Token(table, row)
	if err != nil {
		return Kept{}, false
	}
	k := Kept{Token: token, ID: token.Digest, key: row.Fields[keyColumn(table)]}
	if token.Text != "" {
		k.ID = core.Presented(token.Text).SHA256()
	}
	return k, true
}

// keyColumn is the primary key of a table of tokens.
func keyColumn(t TokenTable) string {
	if t.has("key") {
		return "key"
	}
	return "digest"
}

// TokensOf gives the tokens of a table whose users are among the given.
func (b *Batch) TokensOf(ctx context.Context, table TokenTable, users []int64) ([]Kept, error) {
	values := make([]any, len(users))
	for i, id := range users {
		values[i] = id
	}
	rows, err := rowsOf(ctx, b.target.dialect, b.tx, table.Table, "user_id", values)
	if err != nil {
		return nil, fmt.Errorf("read tokens: %w", err)
	}
	var all []Kept
	for _, row := range rows {
		if k, ok := b.target.kept(table, row); ok {
			all = append(all, k)
		}
	}
	return all, nil
}

// EachToken gives the tokens of a table.
func (t *Target) EachToken(ctx context.Context, table TokenTable, do func(Kept) error) error {
	return t.Each(ctx, table.Table, "", func(row Row) error {
		if k, ok := t.kept(table, row); ok {
			return do(k)
		}
		return nil
	})
}

// PutToken writes a token in the form of a table.
func (b *Batch) PutToken(ctx context.Context, table TokenTable, t Token) error {
	return b.try(ctx, func() error { return b.insert(ctx, table.Table, tokenFields(table, t)) })
}

// tokenFields gives the columns of a token.
func tokenFields(table TokenTable, t Token) map[string]any {
	fields := map[string]any{"user_id": t.UserID, "created": t.CreatedAt}
	if table.Expiry != "" && !t.Expires.IsZero() {
		fields[table.Expiry] = t.Expires
	}
	if table.Generation == core.Authtoken {
		fields["key"] = t.Text
		return fields
	}
	fields["digest"], fields["token_key"] = hex.EncodeToString(t.Digest), t.Prefix
	if table.Generation == core.Knox41 {
		fields["salt"] = hex.EncodeToString(t.Salt)
	}
	return fields
}

// MoveToken moves the end of a token, if its table has ends.
func (b *Batch) MoveToken(ctx context.Context, table TokenTable, k Kept, to time.Time) error {
	if table.Expiry == "" {
		return nil
	}
	return b.try(ctx, func() error {
		return b.update(ctx, table.Table, map[string]any{table.Expiry: to}, keyColumn(table), k.key)
	})
}

// DropToken removes a token.
func (b *Batch) DropToken(ctx context.Context, table TokenTable, k Kept) error {
	_, err := b.tx.ExecContext(ctx, "DELETE FROM "+quote(table.Name)+" WHERE "+quote(keyColumn(table))+" = "+b.target.mark(1), k.key)
	return err
}
