package django

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

// writer writes rows in one transaction.
type writer struct {
	*database
	tx *sql.Tx
	d  Decoder
}

// fields gives the columns of a user that this program knows. nil is NULL.
func (d Decoder) fields(u core.Account, users Table) map[string]any {
	m := d.Mapping
	all := map[string]any{m.Password: u.PasswordHash}
	set := func(column string, value any) {
		c, ok := users.column(column)
		if column == "" || !ok || c.Generated {
			return
		}
		if value == "" && c.Nullable {
			value = nil // a unique column may hold it once alone
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
			c, _ := users.column(column)
			set(column, c.typed(text))
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

// parts gives the table and those that it inherits from, the last of these first,
// each with its own columns.
func (t Table) parts() []Table {
	if t.Base == nil {
		return []Table{t}
	}
	own := t
	own.Base, own.Columns = nil, nil
	for _, c := range t.Columns {
		if c.Name == t.Parent || !t.Base.has(c.Name) {
			own.Columns = append(own.Columns, c)
		}
	}
	return append(t.Base.parts(), own)
}

// insertUser adds the row of a user, in all tables that it has a part in, and
// gives its primary key. An empty key is given by the database, or drawn where it
// is a UUID.
func (w writer) insertUser(ctx context.Context, fields map[string]any, key string, created time.Time) (string, error) {
	users := w.shape.Users
	for i, part := range users.parts() {
		values := map[string]any{}
		for _, c := range part.Columns {
			if v, ok := fields[c.Name]; ok {
				values[c.Name] = v
			}
		}
		id := part.keyColumn()
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

// updateUser changes columns of a user, in whichever table has them.
func (w writer) updateUser(ctx context.Context, key string, fields map[string]any) error {
	users := w.shape.Users
	for i, part := range users.parts() {
		id := part.keyColumn()
		if i == 0 && users.Base == nil {
			id = w.d.Mapping.ID
		}
		if err := w.update(ctx, part, fields, id, w.owner(part, id, key)); err != nil {
			return err
		}
	}
	return nil
}

// owner gives a key as its column takes it.
func (w writer) owner(t Table, column, key string) any {
	if c, _ := t.column(column); c.whole() || c.Kind == "" {
		if n, err := integer(key); err == nil {
			return n
		}
	}
	return key
}

// fill gives the columns that a row can't be without what the mapping says, or
// what Django's own fields have for nothing: an empty text, zero, false; and a UUID
// that nobody else has.
func (w writer) fill(t Table, fields map[string]any, created time.Time) {
	for _, c := range t.Columns {
		if v, given := fields[c.Name]; given && v != nil || c.Generated {
			continue
		}
		if text, ok := w.d.Mapping.Defaults[c.Name]; ok {
			fields[c.Name] = c.filled(text, created)
			continue
		}
		if c.Nullable || c.Default || c.Name == t.keyColumn() && c.whole() {
			continue // a primary key is nobody's to guess
		}
		switch {
		case c.Kind == "uuid", c.Kind == "char" && c.Length == uuidHex:
			fields[c.Name] = c.filled("$uuid", created)
		case slices.Contains(t.Key, c.Name): // no value is nobody's for sure
		case strings.HasPrefix(c.Kind, "bool"):
			fields[c.Name] = false
		case strings.HasPrefix(c.Kind, "date"), strings.HasPrefix(c.Kind, "timestamp"):
			fields[c.Name] = created
		case c.whole(), c.Kind == "real", c.Kind == "float", c.Kind == "decimal", c.Kind == "numeric", c.Kind == "double", c.Kind == "double precision":
			fields[c.Name] = 0
		default:
			fields[c.Name] = ""
		}
	}
}

// uuidHex is the length of a UUID as Django keeps it where the database has no
// such type (django/db/models/fields, UUIDField).
const uuidHex = 32

// filled gives the value that the mapping's text stands for.
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

// insert adds a row. Where returning names a column, it gives its value.
func (w writer) insert(ctx context.Context, t Table, fields map[string]any, returning string) (key string, err error) {
	var columns, marks []string
	var values []any
	for _, c := range t.Columns {
		if value, ok := fields[c.Name]; ok && !c.Generated {
			columns = append(columns, w.quote(c.Name))
			values = append(values, w.value(value, w.d.Zone))
			marks = append(marks, w.mark(len(values)))
		}
	}
	statement := "INSERT INTO " + w.name(t) + " (" + strings.Join(columns, ", ") + ") VALUES (" + strings.Join(marks, ", ") + ")"
	if _, isMySQL := w.dialect.(mysql); isMySQL || returning == "" {
		result, err := w.tx.ExecContext(ctx, statement, values...)
		if err != nil {
			return "", err
		}
		if id, err := result.LastInsertId(); err == nil && id > 0 {
			key = fmt.Sprint(id)
		}
	} else {
		c, _ := t.column(returning)
		err = w.tx.QueryRowContext(ctx, statement+" RETURNING "+w.text(c, w.quote(returning)), values...).Scan(&key)
	}
	if given, ok := fields[returning]; ok && err == nil {
		key = fmt.Sprint(given)
	}
	if err == nil {
		err = w.checkReferences(ctx, t, fields)
	}
	return key, err
}

// checkReferences tells at once what SQLite tells at the commit: Django's foreign
// keys are deferred there, and one row must not stop the others.
func (w writer) checkReferences(ctx context.Context, t Table, fields map[string]any) error {
	if _, ok := w.dialect.(sqliteFile); !ok {
		return nil
	}
	for _, r := range t.References {
		value, ok := fields[r.Column]
		target, known := w.all.target(r)
		to := r.To
		if to == "" {
			to = target.keyColumn()
		}
		if !ok || value == nil || !known || to == "" {
			continue
		}
		var found bool
		if err := w.tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM `+w.name(target)+` WHERE `+w.quote(to)+` = ?)`, value).Scan(&found); err != nil {
			return err
		}
		if !found {
			return fmt.Errorf("column %s: there is no such row in %s", r.Column, target)
		}
	}
	return nil
}

// update changes columns of the rows whose key is id; columns that the table
// hasn't are left alone.
func (w writer) update(ctx context.Context, t Table, fields map[string]any, key string, id any) error {
	var sets []string
	var values []any
	for _, c := range t.Columns {
		if value, ok := fields[c.Name]; ok && !c.Generated {
			values = append(values, w.value(value, w.d.Zone))
			sets = append(sets, w.quote(c.Name)+" = "+w.mark(len(values)))
		}
	}
	if len(sets) == 0 {
		return nil
	}
	values = append(values, id)
	_, err := w.tx.ExecContext(ctx, "UPDATE "+w.name(t)+" SET "+strings.Join(sets, ", ")+" WHERE "+w.quote(key)+" = "+w.mark(len(values)), values...)
	return err
}

// dependents gives the tables whose rows refer to those of a table, and are parts
// of them (multi-table inheritance: their primary key is the reference); others
// are refused, since what Django does with their rows is not known to the database.
func (c catalogue) dependents(of Table) (parts []Table, err error) {
	for _, t := range c.tables {
		for _, r := range t.References {
			target, ok := c.target(r)
			switch {
			case !ok || !target.same(of) || t.same(of):
			case t.keyColumn() != r.Column:
				return nil, fmt.Errorf("rows of %s refer to tokens of %s (column %s); what becomes of them when a token ends is known to Django alone", t, of, r.Column)
			default:
				deeper, err := c.dependents(t)
				if err != nil {
					return nil, err
				}
				parts = append(append(parts, deeper...), t)
			}
		}
	}
	return parts, nil
}
