package transfer_test

import (
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/authcompat/authcompat/store/django/tables"
)

// write creates the source anew, with the current rows.
func (c *genCase) write() {
	switch c.kind {
	case inPostgres:
		c.writePostgres()
	case inDump:
		c.writeDump()
	default:
		c.writeSQLite()
	}
}

func (c *genCase) writeSQLite() {
	path := filepath.Join(c.folder, "source.sqlite3")
	c.must(removeIfThere(path))
	db, err := sql.Open("sqlite", "file:"+path+"?_pragma=synchronous(OFF)&_pragma=journal_mode(OFF)")
	c.must(err)
	defer db.Close()
	db.SetMaxOpenConns(1)
	var b strings.Builder
	b.WriteString("BEGIN;\n")
	for _, t := range c.tables {
		b.WriteString(t.create(false))
	}
	b.WriteString("COMMIT;\n")
	c.run(db, b.String())
	if c.wal {
		c.run(db, `PRAGMA journal_mode = WAL`)
	}
	c.sources = []string{"sqlite:" + path}
}

func removeIfThere(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

func (c *genCase) writePostgres() {
	db, err := sql.Open("postgres", c.dsn)
	c.must(err)
	defer db.Close()
	var b strings.Builder
	b.WriteString("DROP SCHEMA IF EXISTS app CASCADE; DROP SCHEMA IF EXISTS public CASCADE; CREATE SCHEMA public; CREATE SCHEMA app;\n")
	if c.blind {
		b.WriteString("CREATE EXTENSION citext SCHEMA public;\n")
	}
	for _, t := range c.tables {
		b.WriteString(t.create(true))
	}
	c.run(db, b.String())
	c.sources = []string{c.dsn}
}

func (c *genCase) writeDump() {
	var users, tokens []any
	natural := map[any]any{}
	for _, row := range c.users.rows {
		natural[row[c.users.key]] = []any{row[c.username]}
	}
	user := func(row genRow) any {
		if name, ok := natural[row["user_id"]]; ok && c.naturalForeign {
			return name
		}
		return row["user_id"]
	}
	for _, t := range c.tables {
		if strings.HasSuffix(t.model, "user") || strings.HasSuffix(t.model, "vendor") {
			users = append(users, t.objects(c.naturalPrimary && t == c.users, user)...)
		} else {
			tokens = append(tokens, t.objects(false, user)...)
		}
	}
	if c.chance(30) {
		tokens = append(tokens, map[string]any{"model": "admin.logentry", "pk": 1, "fields": map[string]any{"user": 1, "action_flag": 1}})
	}
	one, two := filepath.Join(c.folder, "dump.json"), filepath.Join(c.folder, "tokens.json")
	if c.twoFiles {
		c.must(errors.Join(os.WriteFile(one, dumped(users), 0o600), os.WriteFile(two, dumped(tokens), 0o600)))
		c.sources = []string{one, two}
		return
	}
	c.must(os.WriteFile(one, dumped(append(users, tokens...)), 0o600))
	c.sources = []string{one}
}

// run executes statements.
func (c *genCase) run(db *sql.DB, statements string) {
	if _, err := db.ExecContext(c.ctx, statements); err != nil {
		c.fatalf("the generator's own statements: %v\n%.3000s", err, statements)
	}
}

// open opens the source.
func (c *genCase) open(hint tables.Mapping) (tables.Source, error) {
	hint.TokenTables = slices.Clone(hint.TokenTables)
	return tables.Open(c.ctx, hint, c.sources...)
}

// untouched returns a fingerprint of the source, exact to the byte for files.
func (c *genCase) untouched() string {
	if c.kind == inPostgres {
		return fmt.Sprint(c.contents(c.dsn))
	}
	files, err := os.ReadDir(c.folder)
	c.must(err)
	var all []string
	for _, f := range files {
		if strings.HasPrefix(f.Name(), "source") || strings.HasSuffix(f.Name(), ".json") {
			text, err := os.ReadFile(filepath.Join(c.folder, f.Name()))
			c.must(err)
			all = append(all, fmt.Sprintf("%s %x", f.Name(), sha256.Sum256(text)))
		}
	}
	return strings.Join(all, "\n")
}

// contents returns all rows of all tables of the source itself, as text.
func (c *genCase) contents(source string) []string {
	db := c.reader(source)
	defer db.Close()
	var all []string
	for _, t := range c.tables {
		rows, err := db.QueryContext(c.ctx, "SELECT * FROM "+t.kept())
		c.must(err)
		all = append(all, c.texts(t.name, rows)...)
	}
	slices.Sort(all)
	return all
}

// reader opens a source for reading.
func (c *genCase) reader(source string) *sql.DB {
	driver, dsn := "postgres", source
	if path, ok := strings.CutPrefix(source, "sqlite:"); ok {
		driver, dsn = "sqlite", "file:"+path+"?mode=ro"
	}
	db, err := sql.Open(driver, dsn)
	c.must(err)
	return db
}

// texts returns rows as text, and closes them.
func (c *genCase) texts(name string, rows *sql.Rows) (all []string) {
	defer rows.Close()
	columns, err := rows.Columns()
	c.must(err)
	values, targets := make([]any, len(columns)), make([]any, len(columns))
	for i := range values {
		targets[i] = &values[i]
	}
	for rows.Next() {
		c.must(rows.Scan(targets...))
		var b strings.Builder
		b.WriteString(name)
		for i, v := range values {
			if raw, ok := v.([]byte); ok {
				v = string(raw)
			}
			fmt.Fprintf(&b, " %s=%v", columns[i], v)
		}
		all = append(all, b.String())
	}
	c.must(rows.Err())
	return all
}

// copied copies a source that is a single SQLite file, so that it can be written to.
func (c *genCase) copied(name string) string {
	if c.kind != inSQLite {
		return c.sources[0]
	}
	text, err := os.ReadFile(strings.TrimPrefix(c.sources[0], "sqlite:"))
	c.must(err)
	path := filepath.Join(c.folder, name)
	c.must(os.WriteFile(path, text, 0o600))
	return "sqlite:" + path
}

// described describes the shape of the source.
func (c *genCase) described() string {
	var b strings.Builder
	fmt.Fprintf(&b, "hint %+v, policy %+v, dump natural: foreign %t, primary %t\n", c.hint, c.policy, c.naturalForeign, c.naturalPrimary)
	for _, t := range c.tables {
		bare := *t
		bare.rows = nil
		create, _, _ := strings.Cut(bare.create(c.kind == inPostgres), "\n")
		fmt.Fprintf(&b, "%s -- %d rows\n", create, len(t.rows))
	}
	return b.String()
}
