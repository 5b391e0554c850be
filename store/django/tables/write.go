package tables

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/authcompat/authcompat/core"
)

// Writer writes the rows of users and tokens in one transaction.
type Writer struct {
	*Database
	tx *sql.Tx
	d  Decoder
}

// Writer returns a writer for a transaction. The decoder's mapping assigns columns
// their roles, and its zone applies to times in columns without one.
func (s *Database) Writer(tx *sql.Tx, d Decoder) Writer { return Writer{Database: s, tx: tx, d: d} }

// UnfilledColumns returns the user columns that need a distinct value in each new row
// and for which neither the database nor the mapping has one.
func (s *Database) UnfilledColumns() (names []string) {
	users, m := s.shape.Users, s.shape.Mapping
	for _, c := range users.Columns {
		_, given := m.Defaults[c.Name]
		uuid := c.Kind == "uuid" || c.Kind == "char" && c.Length == uuidHex
		if !given && !uuid && !c.Nullable && !c.Default && !c.Generated && users.Distinct(c.Name) &&
			!slices.Contains(m.columns(), c.Name) && c.Name != users.Parent {
			names = append(names, c.Name)
		}
	}
	return names
}

// AssignsUserIDs reports whether the database assigns the primary keys of new users.
func (s *Database) AssignsUserIDs() bool {
	users := s.shape.Users
	id, _ := users.Column(s.shape.Mapping.ID)
	if users.Base != nil {
		root := users.Parts()[0]
		id, _ = root.Column(root.KeyColumn())
	}
	return id.Default
}

// UserFields returns the values of a user's columns as far as they are known. nil
// stands for NULL.
func (d Decoder) UserFields(u core.Account, users Table) map[string]any {
	m := d.Mapping
	all := map[string]any{m.Password: u.PasswordHash}
	set := func(column string, value any) {
		c, ok := users.Column(column)
		if column == "" || !ok || c.Generated {
			return
		}
		if value == "" && c.Nullable {
			value = nil // a unique column may hold only one ""
		}
		all[column] = value
	}
	set(m.Email, u.Email)
	set(m.Username, u.Username)
	set(m.Active, u.Active)
	set(m.Created, u.CreatedAt)
	for _, right := range []string{"is_staff", "is_superuser"} {
		set(right, u.Attributes[right] == "true")
	}
	columns := m.Attributes
	if columns == nil {
		columns = make(map[string]string, len(m.extra))
		for _, column := range m.extra {
			columns[column] = column
		}
	}
	for attribute, column := range columns {
		text, ok := u.Attributes[attribute]
		if _, known := all[column]; ok && (!known || m.Attributes != nil) {
			c, _ := users.Column(column)
			set(column, c.typed(text))
		}
	}
	return all
}

// typed converts a text to the column's type.
func (c Column) typed(text string) any {
	if strings.HasPrefix(c.Kind, "bool") {
		if yes, err := boolean(text); err == nil {
			return yes
		}
	}
	return text
}

// Parts returns the table and those that it inherits from, each with only its own
// columns. The root of the inheritance comes first.
func (t Table) Parts() []Table {
	if t.Base == nil {
		return []Table{t}
	}
	own := t
	own.Base, own.Columns = nil, nil
	for _, c := range t.Columns {
		if c.Name == t.Parent || !t.Base.Has(c.Name) {
			own.Columns = append(own.Columns, c)
		}
	}
	return append(t.Base.Parts(), own)
}

// InsertUser inserts the rows of a user into all tables that it is part of, and returns
// the primary key. If key is empty, the database assigns it, or it is a random UUID if
// the column is one.
func (w Writer) InsertUser(ctx context.Context, fields map[string]any, key string, created time.Time) (string, error) {
	users := w.shape.Users
	for i, part := range users.Parts() {
		values := map[string]any{}
		for _, c := range part.Columns {
			if v, ok := fields[c.Name]; ok {
				values[c.Name] = v
			}
		}
		id := part.KeyColumn()
		if i == 0 && users.Base == nil {
			id = w.d.Mapping.ID
		}
		if key != "" {
			values[id] = w.owner(part, id, key)
		}
		w.fill(part, values, created)
		drawn, err := w.insert(ctx, part, values, id)
		if err != nil {
			return "", err
		}
		if key == "" {
			key = drawn
		}
	}
	return key, nil
}

// InsertToken inserts the row of a token.
func (w Writer) InsertToken(ctx context.Context, table TokenTable, t Token) error {
	fields := tokenFields(table, t)
	fields["user_id"] = w.owner(table.Table, "user_id", t.Owner)
	w.fill(table.Table, fields, t.CreatedAt)
	if c, _ := table.Column("id"); c.Kind != "" && !c.IsInteger() && fields["id"] == "" {
		delete(fields, "id")
	}
	_, err := w.insert(ctx, table.Table, fields, "")
	return err
}

// tokenFields returns the columns of a token except for its user.
func tokenFields(table TokenTable, t Token) map[string]any {
	fields := map[string]any{"created": t.CreatedAt}
	if table.Expiry != "" && !t.Expires.IsZero() {
		fields[table.Expiry] = t.Expires
	}
	if table.Format == core.Authtoken {
		fields["key"] = t.Text
		return fields
	}
	fields["digest"], fields["token_key"] = hex.EncodeToString(t.Digest), t.Prefix
	if table.Format == core.Knox41 {
		fields["salt"] = hex.EncodeToString(t.Salt)
	}
	return fields
}

// UpdateUser changes columns of a user in the tables that have them.
func (w Writer) UpdateUser(ctx context.Context, key string, fields map[string]any) error {
	users := w.shape.Users
	for i, part := range users.Parts() {
		id := part.KeyColumn()
		if i == 0 && users.Base == nil {
			id = w.d.Mapping.ID
		}
		if err := w.update(ctx, part, fields, id, w.owner(part, id, key)); err != nil {
			return err
		}
	}
	return nil
}

// owner converts a key to the type of its column.
func (w Writer) owner(t Table, column, key string) any {
	if c, _ := t.Column(column); c.IsInteger() || c.Kind == "" {
		if n, err := integer(key); err == nil {
			return n
		}
	}
	return key
}

// fill sets the columns that must not be left out: to the default in the mapping, or to
// what Django's own fields default to (empty text, zero, false), or to a new UUID.
func (w Writer) fill(t Table, fields map[string]any, created time.Time) {
	for _, c := range t.Columns {
		if v, given := fields[c.Name]; given && v != nil || c.Generated {
			continue
		}
		if text, ok := w.d.Mapping.Defaults[c.Name]; ok {
			fields[c.Name] = c.filled(text, created)
			continue
		}
		if c.Nullable || c.Default || c.Name == t.KeyColumn() && c.IsInteger() {
			continue // a primary key can't be guessed
		}
		switch {
		case c.Kind == "uuid", c.Kind == "char" && c.Length == uuidHex:
			fields[c.Name] = c.filled("$uuid", created)
		case slices.Contains(t.Key, c.Name): // no default is unique
		case strings.HasPrefix(c.Kind, "bool"):
			fields[c.Name] = false
		case strings.HasPrefix(c.Kind, "date"), strings.HasPrefix(c.Kind, "timestamp"):
			fields[c.Name] = created
		case c.IsInteger(), c.Kind == "real", c.Kind == "float", c.Kind == "decimal", c.Kind == "numeric", c.Kind == "double", c.Kind == "double precision":
			fields[c.Name] = 0
		default:
			fields[c.Name] = ""
		}
	}
}

// uuidHex is the length of a UUID as Django stores it in databases without a UUID type
// (django/db/models/fields, UUIDField).
const uuidHex = 32

// filled returns the value that a default in the mapping stands for.
func (c Column) filled(text string, created time.Time) any {
	switch text {
	case "$now":
		return created
	case "$uuid":
		raw := make([]byte, 16)
		_, _ = rand.Read(raw) // never fails
		raw[6], raw[8] = raw[6]&0x0f|0x40, raw[8]&0x3f|0x80
		digits := hex.EncodeToString(raw)
		if c.Length == uuidHex {
			return digits
		}
		return strings.Join([]string{digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]}, "-")
	}
	return c.typed(text)
}

// insert inserts a row. If returning names a column, it returns that column's value.
func (w Writer) insert(ctx context.Context, t Table, fields map[string]any, returning string) (key string, err error) {
	var columns, marks []string
	var values []any
	for _, c := range t.Columns {
		if value, ok := fields[c.Name]; ok && !c.Generated {
			columns = append(columns, w.Quote(c.Name))
			values = append(values, w.Encode(value, w.d.Zone))
			marks = append(marks, w.Placeholder(len(values)))
		}
	}
	statement := "INSERT INTO " + w.TableName(t) + " (" + strings.Join(columns, ", ") + ") VALUES (" + strings.Join(marks, ", ") + ")"
	if _, isMySQL := w.dialect.(mysql); isMySQL || returning == "" {
		result, err := w.tx.ExecContext(ctx, statement, values...)
		if err != nil {
			return "", err
		}
		if id, err := result.LastInsertId(); err == nil && id > 0 {
			key = fmt.Sprint(id)
		}
	} else {
		c, _ := t.Column(returning)
		err = w.tx.QueryRowContext(ctx, statement+" RETURNING "+w.TextExpr(c, w.Quote(returning)), values...).Scan(&key)
	}
	if given, ok := fields[returning]; ok && err == nil {
		key = fmt.Sprint(given)
	}
	if err == nil {
		err = w.checkReferences(ctx, t, fields)
	}
	return key, err
}

// checkReferences reports early what SQLite would report on commit: Django's foreign
// keys are deferred there, and one bad row must not fail the others.
func (w Writer) checkReferences(ctx context.Context, t Table, fields map[string]any) error {
	if _, ok := w.dialect.(sqliteFile); !ok {
		return nil
	}
	for _, r := range t.References {
		value, ok := fields[r.Column]
		target, known := w.all.target(r)
		to := r.To
		if to == "" {
			to = target.KeyColumn()
		}
		if !ok || value == nil || !known || to == "" {
			continue
		}
		var found bool
		if err := w.tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM `+w.TableName(target)+` WHERE `+w.Quote(to)+` = ?)`, value).Scan(&found); err != nil {
			return err
		}
		if !found {
			return fmt.Errorf("column %s: there is no such row in %s", r.Column, target)
		}
	}
	return nil
}

// update changes columns of the row identified by key and id; fields that the table
// lacks are ignored.
func (w Writer) update(ctx context.Context, t Table, fields map[string]any, key string, id any) error {
	var sets []string
	var values []any
	for _, c := range t.Columns {
		if value, ok := fields[c.Name]; ok && !c.Generated {
			values = append(values, w.Encode(value, w.d.Zone))
			sets = append(sets, w.Quote(c.Name)+" = "+w.Placeholder(len(values)))
		}
	}
	if len(sets) == 0 {
		return nil
	}
	values = append(values, id)
	_, err := w.tx.ExecContext(ctx, "UPDATE "+w.TableName(t)+" SET "+strings.Join(sets, ", ")+" WHERE "+w.Quote(key)+" = "+w.Placeholder(len(values)), values...)
	return err
}
