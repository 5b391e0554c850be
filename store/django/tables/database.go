package tables

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// Rows are read in pages, each in a transaction of its own, so that no lock is held for
// long on a database that Django is still using. A page has at most pageRows rows, and ends
// with the row that makes it pageBytes long; the first is small, since nothing is known
// of the rows' size.
const (
	pageRows  = 5000
	firstPage = 200
	pageBytes = 16 << 20
)

// Database is a [Source] on the tables of a database.
type Database struct {
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
	s := &Database{dialect: d, source: source}
	if s.db, err = d.open(source, true); err != nil {
		return nil, err
	}
	if err = s.readShape(ctx, m); err != nil {
		s.db.Close()
		return nil, fmt.Errorf("%s: %w", d.identity(source), d.advise(err))
	}
	return s, nil
}

// errNoDatabase says that a source is something else, such as a dump.
var errNoDatabase = errors.New("no database")

// OpenForWriting opens a Django database for reading and writing; m is as for [Open].
// With retrying, the caller retries when a SQLite file is locked, and SQLite itself
// does not wait for locks.
func OpenForWriting(ctx context.Context, m Mapping, source string, retrying bool) (*Database, error) {
	if path, _ := strings.CutPrefix(source, "sqlite:"); !strings.Contains(path, "://") {
		if err := rollBack(ctx, path); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
	}
	from, err := Open(ctx, m, source)
	if err != nil {
		return nil, err
	}
	db, ok := from.(*Database)
	if !ok {
		return nil, errors.Join(fmt.Errorf("%s is %w", source, errNoDatabase), from.Close())
	}
	if err := db.db.Close(); err != nil {
		return nil, err
	}
	if _, isSQLite := db.dialect.(sqliteFile); isSQLite {
		db.dialect = sqliteFile{retried: retrying}
	}
	if db.db, err = db.open(db.source, false); err != nil {
		return nil, err
	}
	return db, nil
}

// OpenThrough is [OpenForWriting] for a PostgreSQL database, through connections of the
// caller's, who closes them.
func OpenThrough(ctx context.Context, m Mapping, source string, db *sql.DB) (*Database, error) {
	s := &Database{dialect: postgres{}, db: db, source: source}
	if err := s.readShape(ctx, m); err != nil {
		return nil, s.advise(err)
	}
	return s, nil
}

// Table returns the table called name, which an unqualified name resolves to.
func (s *Database) Table(name string) (Table, bool) { return s.all.find(name) }

// SQL returns the database's connection pool.
func (s *Database) SQL() *sql.DB { return s.db }

// IsMySQL reports whether the database is a MySQL or MariaDB one.
func (s *Database) IsMySQL() bool { _, is := s.dialect.(mysql); return is }

// IsPostgres reports whether the database is one of PostgreSQL.
func (s *Database) IsPostgres() bool { _, is := s.dialect.(postgres); return is }

// readShape finds the users and the tokens of a database.
func (s *Database) readShape(ctx context.Context, m Mapping) error {
	return s.reading(ctx, func(tx *sql.Tx) (err error) {
		if s.all, err = s.catalogue(ctx, tx); err != nil {
			return fmt.Errorf("list tables: %w", err)
		}
		s.shape, err = s.all.shape(m, func(t Table) (bool, error) {
			var one int
			err := tx.QueryRowContext(ctx, `SELECT 1 FROM `+s.TableName(t)+` LIMIT 1`).Scan(&one)
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

// migrations reads django_migrations, if it exists.
func (s *Database) migrations(ctx context.Context, tx *sql.Tx) (map[string]string, error) {
	all := map[string]string{}
	t, ok := s.all.find("django_migrations")
	if !ok || !t.Has("app", "name", "applied") || t.Unreadable {
		return all, nil
	}
	applied, _ := t.Column("applied")
	rows, err := textRows(ctx, tx, `SELECT `+s.Quote("app")+`, `+s.Quote("name")+`, `+s.TextExpr(applied, s.Quote("applied"))+` FROM `+s.TableName(t))
	for _, row := range rows {
		all[row[0]+"."+row[1]] = row[2]
	}
	return all, err
}

// reading runs do in a read-only transaction. It may run do twice.
func (s *Database) reading(ctx context.Context, do func(*sql.Tx) error) error {
	if file, ok := s.dialect.(sqliteFile); ok && file.unshared != nil {
		return s.readUnshared(ctx, file.unshared, do)
	}
	return s.transaction(ctx, do)
}

func (s *Database) transaction(ctx context.Context, do func(*sql.Tx) error) error {
	tx, err := s.begin(ctx, s.db)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // nothing was written
	return do(tx)
}

// Shape implements [Source].
func (s *Database) Shape() Shape { return s.shape }

// Identity implements [Source].
func (s *Database) Identity() string { return s.identity(s.source) }

// Close implements [Source].
func (s *Database) Close() error { return s.db.Close() }

// TableName returns a table's name as an SQL identifier.
func (s *Database) TableName(t Table) string {
	if t.Schema != "" {
		return s.Quote(t.Schema) + "." + s.Quote(t.Name)
	}
	return s.Quote(t.Name)
}

// FromClause returns the table under an alias for a FROM clause, joined with those that
// it inherits from.
func (s *Database) FromClause(t Table, alias string) string {
	if t.Base == nil {
		return s.TableName(t) + " " + alias
	}
	var columns []string
	for _, c := range t.Columns {
		of := "c"
		if t.Base.Has(c.Name) && c.Name != t.Parent {
			of = "p"
		}
		columns = append(columns, of+"."+s.Quote(c.Name))
	}
	return "(SELECT " + strings.Join(columns, ", ") + " FROM " + s.TableName(plainTable(t)) + " c JOIN " + s.FromClause(*t.Base, "p") +
		" ON p." + s.Quote(t.Base.KeyColumn()) + " = c." + s.Quote(t.Parent) + ") " + alias
}

// plainTable returns the table without those that it inherits from.
func plainTable(t Table) Table { return Table{Schema: t.Schema, Name: t.Name} }

// Count implements [Source].
func (s *Database) Count(ctx context.Context, t Table) (n int, err error) {
	err = s.reading(ctx, func(tx *sql.Tx) error {
		return tx.QueryRowContext(ctx, `SELECT count(*) FROM `+s.FromClause(t, "t")).Scan(&n)
	})
	if err != nil {
		err = s.advise(err)
	}
	return n, err
}

// order is the unique and indexed column by which a table is read.
type order struct {
	column Column
	rowID  bool // the column is implicit
	// secret is set if the column's values must not be stored or shown; resumable, if a
	// value identifies the same row forever.
	secret, resumable bool
}

// orderOf determines the order in which to read a table.
func (s *Database) orderOf(t Table) (order, error) {
	key := t.KeyColumn()
	if t.same(s.shape.Users) && !t.View {
		key = s.shape.Mapping.ID
		if c, ok := t.Column(key); ok && (t.Distinct(key) || t.Base != nil) {
			return order{column: c, resumable: true}, nil
		}
		key = t.KeyColumn()
	}
	if t.View {
		key = s.shape.Mapping.ID
	}
	if id := s.rowID(t); id != "" {
		c, _ := t.Column(key)
		return order{column: Column{Name: id}, rowID: true, resumable: c.Kind == "integer"}, nil
	}
	candidates := []string{key}
	for _, unique := range t.Unique {
		if len(unique) == 1 {
			candidates = append(candidates, unique[0])
		}
	}
	for _, name := range candidates {
		if c, ok := t.Column(name); ok && name != "key" && !c.Nullable {
			return order{column: c, resumable: true}, nil
		}
	}
	if c, ok := t.Column(key); ok {
		return order{column: c, secret: key == "key"}, nil
	}
	return order{}, fmt.Errorf("table %s has no key of one column to be read by", t)
}

// Each implements [Source].
func (s *Database) Each(ctx context.Context, t Table, after string, do func(Row) error) error {
	by, err := s.orderOf(t)
	if err != nil {
		return err
	}
	began := after != ""
	for limit := firstPage; ; {
		rows, last, err := s.page(ctx, t, by, began, after, limit)
		if err != nil {
			return fmt.Errorf("read %s: %w", t, s.advise(err))
		}
		if len(rows) > 0 && began && last == after {
			return fmt.Errorf("read %s: its rows are in no order by %s", t, by.column.Name)
		}
		began, after = true, last
		size := 0
		for _, row := range rows {
			size += row.Size()
			if err := do(row); err != nil {
				return err
			}
		}
		if len(rows) < limit && size < pageBytes {
			return nil
		}
		limit = min(max(1, pageBytes/max(1, size/len(rows))), pageRows)
	}
}

// page reads one page of at most limit rows that come after the key after, and returns the
// key of the last one.
func (s *Database) page(ctx context.Context, t Table, by order, began bool, after string, limit int) (rows []Row, last string, err error) {
	key := s.Quote(by.column.Name)
	if by.rowID {
		key = by.column.Name
	}
	query := "SELECT " + s.columns(t, "t") + ", " + s.TextExpr(by.column, "t."+key) + " FROM " + s.FromClause(t, "t")
	var args []any
	if began {
		query += " WHERE t." + key + " > " + s.Placeholder(1)
		args = append(args, s.key(by.column, after))
	}
	query += fmt.Sprintf(" ORDER BY t.%s LIMIT %d", key, limit)
	err = s.reading(ctx, func(tx *sql.Tx) error {
		rows, err = readRows(ctx, tx, t, pageBytes, query, args...)
		return err
	})
	for i := range rows {
		at := rows[i].values[len(t.Columns)]
		if !at.Valid {
			return nil, "", fmt.Errorf("the key %s of a row is NULL", by.column.Name)
		}
		last = at.String
		rows[i].Where = s.where(t, rows[i])
		if by.resumable && !by.secret && utf8.ValidString(last) { // UTF-8, which stores can keep
			rows[i].At = last
		}
	}
	return rows, last, err
}

// where identifies a row in messages.
func (s *Database) where(t Table, row Row) string {
	id := s.shape.Mapping.ID
	if t.same(s.shape.Users) {
		return t.String() + " " + id + " " + row.Text(id)
	}
	return t.String() + " of user " + row.Text("user_id")
}

// key returns a key as the argument that is compared with its column.
func (s *Database) key(c Column, text string) any {
	if n, err := integer(text); err == nil && (c.IsInteger() || c.Kind == "" && c.Name != "") {
		return n
	}
	return text
}

// readRows runs a query that selects all columns of a table first, then maybe others. It
// stops with the row that makes the rows as long as most; 0: it reads all.
func readRows(ctx context.Context, q queryer, t Table, most int, query string, args ...any) ([]Row, error) {
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
	size := 0
	targets := make([]any, len(names))
	for (most == 0 || size < most) && found.Next() {
		row := Row{index: t.index, values: make([]sql.NullString, len(names))}
		for i := range row.values {
			targets[i] = &row.values[i]
		}
		if err := found.Scan(targets...); err != nil {
			return nil, err
		}
		rows, size = append(rows, row), size+row.Size()
	}
	return rows, found.Err()
}

// rowsOf reads the rows whose column has one of the values.
func (s *Database) rowsOf(ctx context.Context, q queryer, t Table, column string, values []any) ([]Row, error) {
	if len(values) == 0 {
		return nil, nil
	}
	marks := make([]string, len(values))
	for i := range values {
		marks[i] = s.Placeholder(i + 1)
	}
	rows, err := readRows(ctx, q, t, 0, "SELECT "+s.columns(t, "t")+" FROM "+s.FromClause(t, "t")+" WHERE t."+s.Quote(column)+" IN ("+strings.Join(marks, ", ")+")", values...)
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

// columns lists the columns of a table as text expressions.
func (s *Database) columns(t Table, alias string) string {
	texts := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		texts[i] = s.TextExpr(c, alias+"."+s.Quote(c.Name))
	}
	return strings.Join(texts, ", ")
}
