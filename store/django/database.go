package django

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"
)

// page is how many rows are read at once. Each page is a transaction of its own, so
// that no lock is held on a database that its Django goes on using.
const page = 5000

// dialect is what differs between the databases that Django runs on.
type dialect interface {
	// open opens the database; readOnly makes it refuse to write.
	open(source string, readOnly bool) (*sql.DB, error)
	// identity names the database without a password.
	identity(source string) string
	// begin begins a transaction that reads exactly what is there, with times in UTC.
	begin(ctx context.Context, db *sql.DB) (*sql.Tx, error)
	// catalogue reads all tables.
	catalogue(ctx context.Context, q queryer) (catalogue, error)
	// quote makes an identifier of a name.
	quote(name string) string
	// text is the expression that gives a column as text.
	text(c Column, quoted string) string
	// mark is the n-th parameter, from 1, to be compared with a column.
	mark(n int) string
	// rowID is the column, if it isn't the table's own, by which the rows of any
	// table can be read in order; empty: there is none.
	rowID(t Table) string
	// value gives what is written to a column: a time in the zone where the
	// database keeps none, a truth value, a number or a text.
	value(v any, zone *time.Location) any
	// beginWriting prepares a transaction that writes row by row.
	beginWriting(ctx context.Context, tx *sql.Tx) error
	// moveIDs lets the ids that the database gives begin above those it has.
	moveIDs(ctx context.Context, tx *sql.Tx, t Table, id string) error
	// lockUsers and lockTokens end a query whose rows stay as they are until the
	// transaction ends.
	lockUsers() string
	lockTokens() string
	lockRows() string // of a query on one table
	// serial is the type of a primary key that rises.
	serial() string
	// duplicate tells whether err is the breach of a unique constraint.
	duplicate(err error) bool
	// locked tells whether err comes of a lock of another, or of a transaction
	// that was in the way, so that the same step may go through later.
	locked(err error) bool
	// unavailable tells whether err says that the database can't serve now.
	unavailable(err error) bool
	// advise completes an error of opening with what to do about it.
	advise(err error) error
}

// database is a Source on tables.
type database struct {
	dialect
	db     *sql.DB
	source string
	all    catalogue
	shape  Shape
}

func openDatabase(ctx context.Context, d dialect, source string, m Mapping) (_ Source, err error) {
	if file, ok := d.(sqliteFile); ok {
		file.unshared = findUnshared(source)
		d = file
	}
	s := &database{dialect: d, source: source}
	if s.db, err = d.open(source, true); err != nil {
		return nil, err
	}
	if err = s.readShape(ctx, m); err != nil {
		s.db.Close()
		return nil, fmt.Errorf("%s: %w", d.identity(source), d.advise(err))
	}
	return s, nil
}

// readShape finds the users and the tokens of a database.
func (s *database) readShape(ctx context.Context, m Mapping) error {
	return s.reading(ctx, func(tx *sql.Tx) (err error) {
		if s.all, err = s.catalogue(ctx, tx); err != nil {
			return fmt.Errorf("list tables: %w", err)
		}
		s.shape, err = s.all.shape(m, func(t Table) (bool, error) {
			var one int
			err := tx.QueryRowContext(ctx, `SELECT 1 FROM `+s.name(t)+` LIMIT 1`).Scan(&one)
			if errors.Is(err, sql.ErrNoRows) {
				return true, nil
			}
			return false, err
		})
		if err != nil {
			return err
		}
		s.shape.Migrations, err = s.migrations(ctx, tx)
		s.shape.deadBefore()
		return err
	})
}

// migrations reads what django_migrations has, if it is there.
func (s *database) migrations(ctx context.Context, tx *sql.Tx) (map[string]string, error) {
	all := map[string]string{}
	t, ok := s.all.find("django_migrations")
	if !ok || !t.has("app", "name", "applied") || t.Unreadable {
		return all, nil
	}
	applied, _ := t.column("applied")
	rows, err := textRows(ctx, tx, `SELECT `+s.quote("app")+`, `+s.quote("name")+`, `+s.text(applied, s.quote("applied"))+` FROM `+s.name(t))
	for _, row := range rows {
		all[row[0]+"."+row[1]] = row[2]
	}
	return all, err
}

// reading runs do in a transaction that only reads, maybe twice.
func (s *database) reading(ctx context.Context, do func(*sql.Tx) error) error {
	if file, ok := s.dialect.(sqliteFile); ok && file.unshared != nil {
		return s.readUnshared(ctx, file.unshared, do)
	}
	return s.transaction(ctx, do)
}

func (s *database) transaction(ctx context.Context, do func(*sql.Tx) error) error {
	tx, err := s.begin(ctx, s.db)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // it has written nothing
	return do(tx)
}

func (s *database) Shape() Shape     { return s.shape }
func (s *database) Identity() string { return s.identity(s.source) }
func (s *database) Close() error     { return s.db.Close() }

// name gives a table as SQL names it.
func (s *database) name(t Table) string {
	if t.Schema != "" {
		return s.quote(t.Schema) + "." + s.quote(t.Name)
	}
	return s.quote(t.Name)
}

// from gives a table as a query reads from it, under an alias: with those that it
// inherits from.
func (s *database) from(t Table, alias string) string {
	if t.Base == nil {
		return s.name(t) + " " + alias
	}
	var columns []string
	for _, c := range t.Columns {
		of := "c"
		if t.Base.has(c.Name) && c.Name != t.Parent {
			of = "p"
		}
		columns = append(columns, of+"."+s.quote(c.Name))
	}
	return "(SELECT " + strings.Join(columns, ", ") + " FROM " + s.name(plainTable(t)) + " c JOIN " + s.from(*t.Base, "p") +
		" ON p." + s.quote(t.Base.keyColumn()) + " = c." + s.quote(t.Parent) + ") " + alias
}

// plainTable is the table without those that it inherits from.
func plainTable(t Table) Table { return Table{Schema: t.Schema, Name: t.Name} }

// Count implements [Source].
func (s *database) Count(ctx context.Context, t Table) (n int, err error) {
	err = s.reading(ctx, func(tx *sql.Tx) error {
		return tx.QueryRowContext(ctx, `SELECT count(*) FROM `+s.from(t, "t")).Scan(&n)
	})
	if err != nil {
		err = s.advise(err)
	}
	return n, err
}

// order is how a table is read: by a column that is unique and indexed.
type order struct {
	column Column
	rowID  bool // the column is none of the table's own
	// secret tells that a value must not be kept, nor told; resumable, that it names
	// the same row for good.
	secret, resumable bool
}

// orderOf finds how to read a table.
func (s *database) orderOf(t Table) (order, error) {
	key := t.keyColumn()
	if t.same(s.shape.Users) && !t.View {
		key = s.shape.Mapping.ID
		if c, ok := t.column(key); ok && (t.Distinct(key) || t.Base != nil) {
			return order{column: c, resumable: true}, nil
		}
		key = t.keyColumn()
	}
	if t.View {
		key = s.shape.Mapping.ID
	}
	if id := s.rowID(t); id != "" {
		c, _ := t.column(key)
		return order{column: Column{Name: id}, rowID: true, resumable: c.Kind == "integer"}, nil
	}
	candidates := []string{key}
	for _, unique := range t.Unique {
		if len(unique) == 1 {
			candidates = append(candidates, unique[0])
		}
	}
	for _, name := range candidates {
		if c, ok := t.column(name); ok && name != "key" && !c.Nullable {
			return order{column: c, resumable: true}, nil
		}
	}
	if c, ok := t.column(key); ok {
		return order{column: c, secret: key == "key"}, nil
	}
	return order{}, fmt.Errorf("table %s has no key of one column to be read by", t)
}

// Each implements [Source].
func (s *database) Each(ctx context.Context, t Table, after string, do func(Row) error) error {
	by, err := s.orderOf(t)
	if err != nil {
		return err
	}
	began := after != ""
	for {
		rows, last, err := s.page(ctx, t, by, began, after)
		if err != nil {
			return fmt.Errorf("read %s: %w", t, s.advise(err))
		}
		if len(rows) > 0 && began && last == after {
			return fmt.Errorf("read %s: its rows are in no order by %s", t, by.column.Name)
		}
		began, after = true, last
		for _, row := range rows {
			if err := do(row); err != nil {
				return err
			}
		}
		if len(rows) < page {
			return nil
		}
	}
}

// page reads the rows that come after one with this key, as many as a page has,
// and gives the key of the last one.
func (s *database) page(ctx context.Context, t Table, by order, began bool, after string) (rows []Row, last string, err error) {
	key := s.quote(by.column.Name)
	if by.rowID {
		key = by.column.Name
	}
	query := "SELECT " + s.columns(t, "t") + ", " + s.text(by.column, "t."+key) + " FROM " + s.from(t, "t")
	var args []any
	if began {
		query += " WHERE t." + key + " > " + s.mark(1)
		args = append(args, s.key(by.column, after))
	}
	query += fmt.Sprintf(" ORDER BY t.%s LIMIT %d", key, page)
	err = s.reading(ctx, func(tx *sql.Tx) error {
		rows, err = readRows(ctx, tx, t, query, args...)
		return err
	})
	for i := range rows {
		at := rows[i].values[len(t.Columns)]
		if !at.Valid {
			return nil, "", fmt.Errorf("the key %s of a row is NULL", by.column.Name)
		}
		last = at.String
		rows[i].Where = s.where(t, rows[i])
		if by.resumable && !by.secret && utf8.ValidString(last) { // which stores can keep
			rows[i].At = last
		}
	}
	return rows, last, err
}

// where names a row for people.
func (s *database) where(t Table, row Row) string {
	id := s.shape.Mapping.ID
	if t.same(s.shape.Users) {
		return t.String() + " " + id + " " + row.text(id)
	}
	return t.String() + " of user " + row.text("user_id")
}

// key gives a key as it is compared with its column.
func (s *database) key(c Column, text string) any {
	if n, err := integer(text); err == nil && (c.whole() || c.Kind == "" && c.Name != "") {
		return n
	}
	return text
}

// readRows reads the rows of a query for all columns of a table, and maybe more.
func readRows(ctx context.Context, q queryer, t Table, query string, args ...any) ([]Row, error) {
	found, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer found.Close()
	names, err := found.Columns()
	if err != nil {
		return nil, err
	}
	var rows []Row
	targets := make([]any, len(names))
	for found.Next() {
		row := Row{index: t.index, values: make([]sql.NullString, len(names))}
		for i := range row.values {
			targets[i] = &row.values[i]
		}
		if err := found.Scan(targets...); err != nil {
			return nil, err
		}
		rows = append(rows, row)
	}
	return rows, found.Err()
}

// rowsOf reads the rows whose column has one of the values.
func (s *database) rowsOf(ctx context.Context, q queryer, t Table, column string, values []any) ([]Row, error) {
	if len(values) == 0 {
		return nil, nil
	}
	marks := make([]string, len(values))
	for i := range values {
		marks[i] = s.mark(i + 1)
	}
	rows, err := readRows(ctx, q, t, "SELECT "+s.columns(t, "t")+" FROM "+s.from(t, "t")+" WHERE t."+s.quote(column)+" IN ("+strings.Join(marks, ", ")+")", values...)
	switch {
	case !incomparable(err):
		return rows, err
	case len(values) == 1:
		return nil, nil // no row can have it
	}
	half := len(values) / 2
	if rows, err = s.rowsOf(ctx, q, t, column, values[:half]); err != nil {
		return nil, err
	}
	others, err := s.rowsOf(ctx, q, t, column, values[half:])
	return append(rows, others...), err
}

// columns lists the columns of a table as text.
func (s *database) columns(t Table, alias string) string {
	texts := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		texts[i] = s.text(c, alias+"."+s.quote(c.Name))
	}
	return strings.Join(texts, ", ")
}
