package tables

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// naturalUser is the column for a user's natural key (dumpdata --natural-foreign) in
// rows of tokens.
const naturalUser = "user natural key"

// authtokenModel is the model behind authtokenTable.
const authtokenModel = "authtoken.token"

// dump is a Source on files of `manage.py dumpdata`: lists of objects {"model":
// "auth.user", "pk": 1, "fields": {…}}. They are read from the beginning for each
// table, and only the current object is in memory.
type dump struct {
	paths  []string
	shape  Shape
	models map[string]*dumpModel
}

// dumpModel summarizes the objects of a model.
type dumpModel struct {
	count, withoutPK int
	fields           map[string]bool
	textPK           bool // some primary key is a string
	prefix           int  // length of the longest token_key
	// The number of objects that refer to their user by primary key, by a natural key
	// of one part, or by one of several parts.
	byKey, byName, byParts int
}

func openDump(ctx context.Context, m Mapping, paths []string) (Source, error) {
	d := &dump{paths: paths, models: map[string]*dumpModel{}}
	m.UserTable = strings.ToLower(m.UserTable)
	for i, name := range m.TokenTables {
		if m.TokenTables[i] = strings.ToLower(name); m.TokenTables[i] == authtokenModel {
			m.TokenTables[i] = authtokenTable
		}
	}
	if err := d.survey(ctx, m); err != nil {
		return nil, err
	}
	return d, nil
}

func (d *dump) Shape() Shape     { return d.shape }
func (d *dump) Identity() string { return "dumpdata:" + strings.Join(d.paths, ",") }
func (d *dump) Close() error     { return nil }

// Count implements [Source].
func (d *dump) Count(_ context.Context, t Table) (int, error) {
	if m := d.models[modelOf(t)]; m != nil {
		return m.count, nil
	}
	return 0, nil
}

// survey reads the files once to learn what is in them.
func (d *dump) survey(ctx context.Context, given Mapping) error {
	err := eachDumpObject(ctx, d.paths, func(o dumpObject) error {
		if o.Model == "authtoken.tokenproxy" { // the same rows again
			return nil
		}
		m := d.models[o.Model]
		if m == nil {
			m = &dumpModel{fields: map[string]bool{}}
			d.models[o.Model] = m
		}
		m.see(o)
		return nil
	})
	if err != nil {
		return err
	}
	var c catalogue
	for _, name := range slices.Sorted(maps.Keys(d.models)) {
		c.tables = append(c.tables, d.models[name].table(name, slices.Contains(given.TokenTables, name)))
	}
	s, err := c.shape(given, func(Table) (bool, error) { return false, nil })
	if err != nil {
		if errors.Is(err, ErrNoUsers) {
			err = fmt.Errorf("%w; where users and tokens are in two files, give both", err)
		}
		return fmt.Errorf("%s: %w", strings.Join(d.paths, ", "), err)
	}
	d.shape = s
	if s.Undecided == nil {
		d.shape.Undecided = d.owners(given)
	}
	for _, t := range s.Tokens {
		d.shape.ByName = d.shape.ByName || d.models[modelOf(t.Table)].byName > 0
	}
	return nil
}

// see adds an object to the summary.
func (m *dumpModel) see(o dumpObject) {
	m.count++
	for name := range o.Fields {
		m.fields[name] = true
	}
	switch pk := string(o.PK); {
	case pk == "" || pk == "null":
		m.withoutPK++
	case pk[0] == '"':
		m.textPK = true
	}
	var text string
	if json.Unmarshal(o.Fields["token_key"], &text) == nil {
		m.prefix = max(m.prefix, len(text))
	}
	switch parts := naturalKeyOf(o.Fields["user"]); {
	case len(parts) == 1:
		m.byName++
	case len(parts) > 1:
		m.byParts++
	case m.fields["user"]:
		m.byKey++
	}
}

// naturalKeyOf returns the parts of a natural key, or nil for a primary key.
func naturalKeyOf(raw json.RawMessage) (parts []json.RawMessage) {
	if len(raw) == 0 || raw[0] != '[' || json.Unmarshal(raw, &parts) != nil {
		return nil
	}
	return parts
}

// owners returns an error if it is ambiguous whom the tokens belong to.
func (d *dump) owners(given Mapping) error {
	users := d.models[modelOf(d.shape.Users)]
	for _, t := range d.shape.Tokens {
		tokens := d.models[modelOf(t.Table)]
		switch {
		case tokens.byParts > 0:
			return fmt.Errorf("objects of %s name their users by natural keys of several parts: dump them again without --natural-foreign and --natural-primary", modelOf(t.Table))
		case tokens.byKey > 0 && users.withoutPK > 0:
			return fmt.Errorf("users of %s have no primary keys (--natural-primary), and the objects of %s name them by these: dump them again with --natural-foreign, or without --natural-primary", d.shape.Users.Name, modelOf(t.Table))
		case tokens.byName > 0 && given.Username == "" && len(d.shape.Unsure) > 0:
			return fmt.Errorf("objects of %s name their users by natural keys, and which column of %s these are isn't certain: say so in a mapping (--map FILE.yaml, username: COLUMN)", modelOf(t.Table), d.shape.Users.Name)
		}
	}
	return nil
}

// table returns the table that corresponds to the model. tokens says that the mapping names it
// as one of tokens.
func (m *dumpModel) table(name string, tokens bool) Table {
	t := Table{Name: name, Unconstrained: true}
	add := func(name string, length int) { t.Columns = append(t.Columns, Column{Name: name, Length: length}) }
	switch {
	case m.fields["user"] && name == authtokenModel:
		t.Name = authtokenTable
		add("key", 0)
	case m.fields["user"] && (m.fields["token_key"] || m.fields["salt"]):
		add("digest", 0)
	case m.fields["user"] && (m.fields["created"] || tokens) && !m.fields["key"] && m.textPK:
		add("key", 0)
	default:
		add("id", 0)
	}
	t.Key = []string{t.Columns[0].Name}
	if !m.textPK {
		t.Columns[0].Kind = "integer"
	}
	for _, name := range slices.Sorted(maps.Keys(m.fields)) {
		switch name {
		case t.Key[0]: // the primary key is added already
		case "user":
			add("user_id", 0)
			add(naturalUser, 0)
		case "token_key":
			add(name, m.prefix)
		default:
			add(name, 0)
		}
	}
	t.indexed()
	return t
}

// modelOf returns the model whose objects a table holds.
func modelOf(t Table) string {
	if t.Name == authtokenTable {
		return authtokenModel
	}
	return t.Name
}

// Each implements [Source]. A position is the number of the object over all files.
func (d *dump) Each(ctx context.Context, t Table, after string, do func(Row) error) error {
	from := 0
	if after != "" {
		n, err := strconv.Atoi(after)
		if err != nil {
			return fmt.Errorf("place %q is no number", after)
		}
		from = n
	}
	model := modelOf(t)
	return eachDumpObject(ctx, d.paths, func(o dumpObject) error {
		if o.Number <= from || o.Model != model {
			return nil
		}
		row, err := rowOf(t, o)
		if err != nil {
			return err
		}
		return do(row)
	})
}

// rowOf returns the row that corresponds to an object.
func rowOf(t Table, o dumpObject) (Row, error) {
	row := Row{At: strconv.Itoa(o.Number), Where: o.Model + ", " + o.Where, index: t.index, values: make([]sql.NullString, len(t.Columns))}
	set := func(column string, raw json.RawMessage) error {
		text, ok, err := dumpScalar(raw)
		if err != nil {
			return fmt.Errorf("%s: %s: %w", o.Where, column, err)
		}
		if i, has := t.index[column]; has && text != "[]" { // no related rows
			row.values[i] = sql.NullString{String: text, Valid: ok}
		}
		return nil
	}
	for name, raw := range o.Fields {
		column := name
		if name == "user" {
			column = "user_id"
			if parts := naturalKeyOf(raw); len(parts) == 1 {
				column, raw = naturalUser, parts[0]
			}
		}
		if err := set(column, raw); err != nil {
			return row, err
		}
	}
	return row, set(t.Key[0], o.PK)
}
