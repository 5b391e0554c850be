package tables

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// Table is a table or view, or the objects of one model in a dump.
type Table struct {
	Schema string // empty if the name alone resolves to it
	Name   string
	View   bool
	// Unreadable is set if the role may not read the table.
	Unreadable bool
	// Unconstrained is set if constraints are unknown, as in a dump.
	Unconstrained bool
	// NoRowID is set for a SQLite table declared WITHOUT ROWID.
	NoRowID    bool
	Columns    []Column
	Key        []string   // the primary key's columns
	Unique     [][]string // the columns of each further unique constraint
	References []Reference
	// Base is the table that this one inherits from: each row extends one of Base's,
	// whose key is in the column Parent. Columns has the columns of both.
	Base   *Table
	Parent string

	index map[string]int // position in Columns by name
}

// Column is one column of a table.
type Column struct {
	Name   string
	Length int    // of a varchar; 0 if unknown
	Kind   string // the type's name in lower case, without its length
	// Nullable is set if the column may be NULL, Default if the database has a default
	// for it, and Generated if only the database may set it.
	Nullable, Default, Generated bool
	// CaseBlind is set if the database considers "Ann" and "ann" equal.
	CaseBlind bool
}

// Reference is a foreign key of one column. An empty To means the primary key.
type Reference struct{ Column, Schema, Table, To string }

// String names the table as an operator would.
func (t Table) String() string {
	if t.Schema != "" {
		return t.Schema + "." + t.Name
	}
	return t.Name
}

// indexed builds the index of the columns.
func (t *Table) indexed() {
	t.index = make(map[string]int, len(t.Columns))
	for i, c := range t.Columns {
		t.index[c.Name] = i
	}
}

// Has reports whether the table has all of the named columns.
func (t Table) Has(names ...string) bool {
	for _, name := range names {
		if _, ok := t.Column(name); !ok {
			return false
		}
	}
	return true
}

// Column returns the column called name.
func (t Table) Column(name string) (Column, bool) {
	if t.index != nil {
		if i, ok := t.index[name]; ok {
			return t.Columns[i], true
		}
		return Column{}, false
	}
	for _, c := range t.Columns {
		if c.Name == name {
			return c, true
		}
	}
	return Column{}, false
}

// Distinct reports whether no two rows have the same value in the column.
func (t Table) Distinct(column string) bool {
	one := func(columns []string) bool { return len(columns) == 1 && columns[0] == column }
	return one(t.Key) || slices.ContainsFunc(t.Unique, one) || t.Base != nil && t.Base.Distinct(column)
}

// reference returns the foreign key on a column.
func (t Table) reference(column string) (Reference, bool) {
	for _, r := range t.References {
		if r.Column == column {
			return r, true
		}
	}
	return Reference{}, false
}

// same reports whether t and o are the same table.
func (t Table) same(o Table) bool { return t.Schema == o.Schema && t.Name == o.Name }

// catalogue holds all tables of a database.
type catalogue struct {
	tables []Table
	// path lists the schemas in which an unqualified name is looked up, in order.
	path []string
}

// find returns the table called name, which may be qualified by a schema.
func (c catalogue) find(name string) (Table, bool) {
	schema, rest, qualified := strings.Cut(name, ".")
	for _, t := range c.tables {
		visible := qualified && t.Schema == "" && slices.Contains(c.path, schema)
		if t.Schema == "" && t.Name == name || qualified && t.Name == rest && (t.Schema == schema || visible) {
			return t, true
		}
	}
	return Table{}, false
}

// target returns the table that a foreign key refers to.
func (c catalogue) target(r Reference) (Table, bool) {
	for _, t := range c.tables {
		if t.Name == r.Table && t.Schema == r.Schema {
			return t, true
		}
	}
	return Table{}, false
}

// maxInheritance is deeper than any real model hierarchy. Tables may refer to each other in
// a circle.
const maxInheritance = 5

// inheriting returns t with the columns of the tables it inherits from (Django's
// multi-table inheritance: the primary key is a foreign key to the parent's), provided
// that one of them has a password column; otherwise ok is false.
func (c catalogue) inheriting(t Table) (Table, bool) { return c.inheritingWithin(t, maxInheritance) }

func (c catalogue) inheritingWithin(t Table, depth int) (Table, bool) {
	if t.Has("password") {
		return t, true
	}
	if len(t.Key) != 1 || depth == 0 {
		return t, false
	}
	r, ok := t.reference(t.Key[0])
	if !ok {
		return t, false
	}
	parent, ok := c.target(r)
	if !ok {
		return t, false
	}
	if parent, ok = c.inheritingWithin(parent, depth-1); !ok {
		return t, false
	}
	t.Parent, t.Base = t.Key[0], &parent
	t.Columns = append(slices.Clone(t.Columns), slices.DeleteFunc(slices.Clone(parent.Columns), func(c Column) bool { return t.Has(c.Name) })...)
	t.indexed()
	return t, true
}

// queryer is a database or a transaction.
type queryer interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// textRows reads the rows of a query as text; NULL becomes "".
func textRows(ctx context.Context, q queryer, query string) ([][]string, error) {
	rows, err := q.QueryContext(ctx, query)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	var all [][]string
	values, targets := make([]sql.NullString, len(columns)), make([]any, len(columns))
	for i := range values {
		targets[i] = &values[i]
	}
	for rows.Next() {
		if err := rows.Scan(targets...); err != nil {
			return nil, err
		}
		row := make([]string, len(values))
		for i, v := range values {
			row[i] = v.String
		}
		all = append(all, row)
	}
	return all, rows.Err()
}

// catalogueRows is what a dialect reads about all tables, as text. True is "1".
type catalogueRows struct {
	tables     [][]string // schema, name, is view, unreadable, no row ID
	columns    [][]string // schema, table, name, type, nullable, default, generated, case-blind
	keys       [][]string // schema, table, column, by position
	unique     [][]string // schema, table, constraint, column, by position
	references [][]string // schema, table, constraint, column, schema, table, column
}

// catalogue assembles the rows. Tables in the first schema of the path, or in a
// database without schemas, have no schema in their name.
func (r catalogueRows) catalogue(path []string) catalogue {
	c := catalogue{path: path}
	at := map[[2]string]int{}
	for _, row := range r.tables {
		at[[2]string{row[0], row[1]}] = len(c.tables)
		c.tables = append(c.tables, Table{Schema: row[0], Name: row[1], View: row[2] == "1", Unreadable: row[3] == "1", NoRowID: row[4] == "1"})
	}
	table := func(schema, name string) *Table {
		if i, ok := at[[2]string{schema, name}]; ok {
			return &c.tables[i]
		}
		return &Table{}
	}
	for _, row := range r.columns {
		kind, _, _ := strings.Cut(strings.ToLower(row[3]), "(")
		t := table(row[0], row[1])
		t.Columns = append(t.Columns, Column{
			Name: row[2], Length: lengthOf(row[3]), Kind: strings.TrimSpace(kind),
			Nullable: row[4] == "1", Default: row[5] == "1", Generated: row[6] == "1", CaseBlind: row[7] == "1",
		})
	}
	for _, row := range r.keys {
		t := table(row[0], row[1])
		t.Key = append(t.Key, row[2])
	}
	last := [3]string{}
	for _, row := range r.unique {
		t := table(row[0], row[1])
		if name := [3]string{row[0], row[1], row[2]}; name != last || len(t.Unique) == 0 { // not of a table that was made since
			last, t.Unique = name, append(t.Unique, nil)
		}
		t.Unique[len(t.Unique)-1] = append(t.Unique[len(t.Unique)-1], row[3])
	}
	seen := map[[3]string]int{}
	for _, row := range r.references {
		seen[[3]string{row[0], row[1], row[2]}]++
	}
	for _, row := range r.references {
		if seen[[3]string{row[0], row[1], row[2]}] == 1 {
			t := table(row[0], row[1])
			t.References = append(t.References, Reference{Column: row[3], Schema: row[4], Table: row[5], To: row[6]})
		}
	}
	for i := range c.tables {
		c.tables[i].indexed()
	}
	return c
}

// lengthOf returns the length in a type such as varchar(8), or 0 if there is none.
func lengthOf(kind string) int {
	_, rest, ok := strings.Cut(kind, "(")
	if !ok {
		return 0
	}
	number, _, _ := strings.Cut(rest, ")")
	n, err := integer(number)
	if err != nil {
		return 0
	}
	return int(n)
}

// IsInteger reports whether the column holds integers.
func (c Column) IsInteger() bool {
	switch strings.TrimSuffix(strings.TrimSuffix(c.Kind, " unsigned"), " zerofill") {
	case "int", "integer", "bigint", "smallint", "mediumint", "tinyint", "serial", "bigserial", "int2", "int4", "int8":
		return true
	}
	return false
}

// Fits reports whether a text has at most as many characters as the column's type allows.
func (c Column) Fits(text string) bool {
	return c.Length == 0 || !strings.Contains(c.Kind, "char") || utf8.RuneCountInString(text) <= c.Length
}

// errNoColumn is the error for a mapping that names a missing column.
func errNoColumn(t Table, column string) error {
	return fmt.Errorf("table %s has no column %q, which the mapping names", t, column)
}

// dependents returns the tables whose rows refer to rows of a table and are parts of
// them (multi-table inheritance: their primary key is the reference). It fails if other
// tables refer to it, since only Django knows what to do with their rows.
func (c catalogue) dependents(of Table) (parts []Table, err error) {
	return c.dependentsWithin(of, maxInheritance)
}

func (c catalogue) dependentsWithin(of Table, depth int) (parts []Table, err error) {
	for _, t := range c.tables {
		for _, r := range t.References {
			target, ok := c.target(r)
			switch {
			case !ok || !target.same(of) || t.same(of):
			case t.KeyColumn() != r.Column:
				return nil, fmt.Errorf("rows of %s refer to tokens of %s (column %s); what becomes of them when a token ends is known to Django alone", t, of, r.Column)
			case depth == 0:
				return nil, fmt.Errorf("rows of %s are parts of those of %s, and so on, too deep or in a circle", t, of)
			default:
				deeper, err := c.dependentsWithin(t, depth-1)
				if err != nil {
					return nil, err
				}
				parts = append(append(parts, deeper...), t)
			}
		}
	}
	return parts, nil
}

// Dependents returns the tables whose rows are parts of the rows of a table.
func (s *Database) Dependents(of Table) ([]Table, error) { return s.all.dependents(of) }
