package django

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"path/filepath"
	"strings"
	"time"

	_ "github.com/lib/pq"  // the driver "postgres"
	_ "modernc.org/sqlite" // the driver "sqlite"
)

// page is how many rows are read at once. Each page is a query of its own, so
// that no lock is held on a database that its Django goes on using.
const page = 2000

// dialect is what differs between the databases that Django runs on.
type dialect interface {
	// open opens the database; readOnly makes it refuse to write.
	open(source string, readOnly bool) (*sql.DB, error)
	// identity names the database without a password.
	identity(source string) string
	// tables lists the tables with their columns.
	tables(ctx context.Context, db *sql.DB) ([]Table, error)
	// refers gives the table that each table's user_id points to.
	refers(ctx context.Context, db *sql.DB) (map[string]string, error)
	// text is the expression that gives a column as text.
	text(column string) string
	// mark is the n-th parameter, from 1, to be compared with a column.
	mark(n int) string
	// value gives what is written to a column: a time in the zone where the
	// database keeps none, a truth value, a number or a text.
	value(v any, zone *time.Location) any
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
}

// database is a Source on tables.
type database struct {
	dialect
	db     *sql.DB
	source string
	shape  Shape
}

func openDatabase(ctx context.Context, d dialect, source, userTable string) (_ Source, err error) {
	s := &database{dialect: d, source: source}
	if s.db, err = d.open(source, true); err != nil {
		return nil, err
	}
	if s.shape, err = readShape(ctx, d, s.db, userTable); err != nil {
		s.db.Close()
		return nil, fmt.Errorf("%s: %w", d.identity(source), err)
	}
	return s, nil
}

// readShape finds the users and the tokens of a database.
func readShape(ctx context.Context, d dialect, db *sql.DB, userTable string) (Shape, error) {
	tables, err := d.tables(ctx, db)
	if err != nil {
		return Shape{}, fmt.Errorf("list tables: %w", err)
	}
	refers, err := d.refers(ctx, db)
	if err != nil {
		return Shape{}, fmt.Errorf("list references: %w", err)
	}
	return shapeOf(tables, userTable, func(table string) string { return refers[table] })
}

func (s *database) Shape() Shape     { return s.shape }
func (s *database) Identity() string { return s.identity(s.source) }
func (s *database) Close() error     { return s.db.Close() }

// Count implements [Source].
func (s *database) Count(ctx context.Context, t Table) (n int, err error) {
	err = s.db.QueryRowContext(ctx, `SELECT count(*) FROM `+quote(t.Name)).Scan(&n)
	return n, err
}

// order is the column by which a table is read: unique and indexed. A place
// tells it, unless it is a secret.
func order(t Table) (column string, secret bool) {
	switch {
	case t.Name == authtokenTable:
		return "user_id", false
	case t.has("digest"):
		return "digest", false
	case t.Name == knoxTable:
		return "key", true
	case t.has("id"):
		return "id", false
	}
	return "user_ptr_id", false
}

// Each implements [Source].
func (s *database) Each(ctx context.Context, t Table, after string, do func(Row) error) error {
	key, secret := order(t)
	for {
		rows, err := s.page(ctx, t, key, after)
		if err != nil {
			return fmt.Errorf("read %s: %w", t.Name, err)
		}
		for _, row := range rows {
			after = row.Fields[key]
			row.Where = t.Name
			if !secret {
				row.At = after
			}
			switch {
			case !secret && key != "digest":
				row.Where = t.Name + " " + key + " " + after
			case row.Fields["user_id"] != "":
				row.Where = t.Name + " of user " + row.Fields["user_id"]
			}
			if err := do(row); err != nil {
				return err
			}
		}
		if len(rows) < page {
			return nil
		}
	}
}

// page reads the rows that come after one with this key, as many as a page has.
func (s *database) page(ctx context.Context, t Table, key, after string) ([]Row, error) {
	query := "SELECT " + columnsOf(s.dialect, t) + " FROM " + quote(t.Name)
	var args []any
	if after != "" {
		query += " WHERE " + quote(key) + " > " + s.mark(1)
		args = append(args, keyOf(key, after))
	}
	query += fmt.Sprintf(" ORDER BY %s LIMIT %d", quote(key), page)
	return readRows(ctx, s.db, t, query, args...)
}

// readRows reads the rows of a query for all columns of a table.
func readRows(ctx context.Context, q queryer, t Table, query string, args ...any) ([]Row, error) {
	found, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer found.Close()
	var rows []Row
	values := make([]sql.NullString, len(t.Columns))
	targets := make([]any, len(values))
	for i := range values {
		targets[i] = &values[i]
	}
	for found.Next() {
		if err := found.Scan(targets...); err != nil {
			return nil, err
		}
		row := Row{Fields: make(map[string]string, len(values))}
		for i, v := range values {
			if v.Valid {
				row.Fields[t.Columns[i].Name] = v.String
			}
		}
		rows = append(rows, row)
	}
	return rows, found.Err()
}

// rowsOf reads the rows whose column has one of the values.
func rowsOf(ctx context.Context, d dialect, q queryer, t Table, column string, values []any) ([]Row, error) {
	if len(values) == 0 {
		return nil, nil
	}
	marks := make([]string, len(values))
	for i := range values {
		marks[i] = d.mark(i + 1)
	}
	return readRows(ctx, q, t, "SELECT "+columnsOf(d, t)+" FROM "+quote(t.Name)+" WHERE "+quote(column)+" IN ("+strings.Join(marks, ", ")+")", values...)
}

// queryer is a database or a transaction.
type queryer interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// columnsOf lists the columns of a table as text.
func columnsOf(d dialect, t Table) string {
	texts := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		texts[i] = d.text(quote(c.Name))
	}
	return strings.Join(texts, ", ")
}

// keyOf gives a key as its column has it.
func keyOf(column, text string) any {
	if n, err := integer(text); err == nil && column != "digest" && column != "key" {
		return n
	}
	return text
}

// quote makes an identifier of a name, as standard SQL does.
func quote(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

// sqliteFile is the dialect of a SQLite file.
type sqliteFile struct {
	// retried tells that whoever uses it tries again by itself where the file is
	// locked. SQLite's own way backs off for so long that a file which is always
	// in use may be missed for seconds.
	retried bool
}

func (f sqliteFile) open(path string, readOnly bool) (*sql.DB, error) {
	options := "_pragma=busy_timeout(10000)&_error_rc=1"
	if f.retried {
		options = "_pragma=busy_timeout(0)&_error_rc=1"
	}
	if readOnly {
		options += "&mode=ro&_pragma=query_only(1)"
	} else {
		options += "&mode=rw&_txlock=immediate&_pragma=foreign_keys(1)"
	}
	return sql.Open("sqlite", (&url.URL{Scheme: "file", Path: filepath.ToSlash(path), RawQuery: options}).String())
}

func (sqliteFile) identity(path string) string { return "sqlite:" + path }

func (sqliteFile) tables(ctx context.Context, db *sql.DB) ([]Table, error) {
	return collect(ctx, db, `
		SELECT t.name, c.name, c.type, c."notnull" = 1 AND c.dflt_value IS NULL AND c.pk = 0 FROM sqlite_schema t, pragma_table_info(t.name) c
		WHERE t.type = 'table' ORDER BY t.name, c.cid`)
}

func (sqliteFile) refers(ctx context.Context, db *sql.DB) (map[string]string, error) {
	return pairs(ctx, db, `
		SELECT t.name, f."table" FROM sqlite_schema t, pragma_foreign_key_list(t.name) f
		WHERE t.type = 'table' AND f."from" = 'user_id'`)
}

// SQLite's types are the values'; a cast to text leaves text as it is.
func (sqliteFile) text(column string) string { return "CAST(" + column + " AS TEXT)" }
func (sqliteFile) mark(int) string           { return "?" }

// value writes as django/db/backends/sqlite3/operations.py does.
func (sqliteFile) value(v any, zone *time.Location) any {
	switch v := v.(type) {
	case time.Time:
		return v.In(zone).Format("2006-01-02 15:04:05.999999")
	case bool:
		if v {
			return 1
		}
		return 0
	}
	return v
}

func (sqliteFile) moveIDs(context.Context, *sql.Tx, Table, string) error { return nil } // AUTOINCREMENT does

// postgres is the dialect of a PostgreSQL database.
type postgres struct{}

func (postgres) open(dsn string, readOnly bool) (*sql.DB, error) {
	u, err := url.Parse(dsn)
	if err != nil {
		return nil, fmt.Errorf("the DSN is no URL of the form postgres://USER@HOST/DATABASE")
	}
	q := u.Query()
	q.Set("timezone", "UTC")
	if readOnly {
		q.Set("default_transaction_read_only", "on")
	}
	u.RawQuery = q.Encode()
	db, err := sql.Open("postgres", u.String())
	if err != nil {
		return nil, fmt.Errorf("the DSN is no URL of the form postgres://USER@HOST/DATABASE")
	}
	return db, nil
}

func (postgres) identity(dsn string) string {
	u, err := url.Parse(dsn)
	if err != nil {
		return "postgres"
	}
	host := u.Host
	if h := u.Query().Get("host"); h != "" {
		host = h
	}
	return "postgres://" + host + u.Path
}

func (postgres) tables(ctx context.Context, db *sql.DB) ([]Table, error) {
	return collect(ctx, db, `
		SELECT table_name, column_name, data_type || '(' || coalesce(character_maximum_length, 0) || ')',
		       is_nullable = 'NO' AND column_default IS NULL AND is_identity = 'NO'
		FROM information_schema.columns JOIN information_schema.tables USING (table_schema, table_name)
		WHERE table_schema = current_schema() AND table_type = 'BASE TABLE' ORDER BY table_name, ordinal_position`)
}

func (postgres) refers(ctx context.Context, db *sql.DB) (map[string]string, error) {
	return pairs(ctx, db, `
		SELECT t.relname::text, u.relname::text FROM pg_constraint k
		JOIN pg_class t ON t.oid = k.conrelid JOIN pg_class u ON u.oid = k.confrelid
		JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = k.conkey[1]
		WHERE k.contype = 'f' AND a.attname = 'user_id' AND t.relnamespace = current_schema()::regnamespace`)
}

func (postgres) text(column string) string { return column + "::text" }
func (postgres) mark(n int) string         { return fmt.Sprintf("$%d", n) }

func (postgres) value(v any, _ *time.Location) any {
	if t, ok := v.(time.Time); ok {
		return t.Format(time.RFC3339Nano)
	}
	return v
}

func (postgres) moveIDs(ctx context.Context, tx *sql.Tx, t Table, id string) error {
	_, err := tx.ExecContext(ctx, fmt.Sprintf(
		`SELECT setval(s, greatest((SELECT max(%[1]s) FROM %[2]s), nextval(s) - 1, 1)) FROM pg_get_serial_sequence($1, $2) s WHERE s IS NOT NULL`,
		quote(id), quote(t.Name)), quote(t.Name), id)
	return err
}

// collect reads a list of table, column, type, and whether a value is required.
func collect(ctx context.Context, db *sql.DB, query string) ([]Table, error) {
	rows, err := db.QueryContext(ctx, query)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var tables []Table
	for rows.Next() {
		var table, column, kind string
		var required bool
		if err := rows.Scan(&table, &column, &kind, &required); err != nil {
			return nil, err
		}
		if len(tables) == 0 || tables[len(tables)-1].Name != table {
			tables = append(tables, Table{Name: table})
		}
		last := &tables[len(tables)-1]
		name, _, _ := strings.Cut(strings.ToLower(kind), "(")
		last.Columns = append(last.Columns, Column{Name: column, Length: lengthOf(kind), Kind: name, Required: required})
	}
	return tables, rows.Err()
}

// lengthOf gives the number in a type such as varchar(8); 0 if there is none.
func lengthOf(kind string) int {
	_, rest, ok := strings.Cut(kind, "(")
	if !ok {
		return 0
	}
	n, err := integer(strings.TrimSuffix(rest, ")"))
	if err != nil {
		return 0
	}
	return int(n)
}

// pairs reads two columns as a map.
func pairs(ctx context.Context, db *sql.DB, query string) (map[string]string, error) {
	rows, err := db.QueryContext(ctx, query)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	all := make(map[string]string)
	for rows.Next() {
		var key, value string
		if err := rows.Scan(&key, &value); err != nil {
			return nil, err
		}
		all[key] = value
	}
	return all, rows.Err()
}
