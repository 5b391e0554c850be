package django

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"sort"
	"strconv"
	"strings"
)

// naturalUser is the field that holds a user's natural key (dumpdata
// --natural-foreign) in rows of tokens.
const naturalUser = "user natural key"

// dump is a Source on a file of `manage.py dumpdata`: one JSON list of objects
// {"model": "auth.user", "pk": 1, "fields": {…}}. It is read from the beginning
// for each table, and only the object at hand is in memory.
type dump struct {
	path     string
	shape    Shape
	counts   map[string]int
	identity string
}

// object is one object of a dump.
type object struct {
	Model  string                     `json:"model"`
	PK     json.RawMessage            `json:"pk"`
	Fields map[string]json.RawMessage `json:"fields"`
}

func openDump(ctx context.Context, path, userModel string) (Source, error) {
	d := &dump{path: path, counts: map[string]int{}, identity: "dumpdata:" + path}
	if err := d.survey(ctx, userModel); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return d, nil
}

func (d *dump) Shape() Shape     { return d.shape }
func (d *dump) Identity() string { return d.identity }
func (d *dump) Close() error     { return nil }

// Count implements [Source].
func (d *dump) Count(_ context.Context, t Table) (int, error) { return d.counts[t.Name], nil }

// survey reads the file once to learn what is in it.
func (d *dump) survey(ctx context.Context, userModel string) error {
	columns := map[string]map[string]bool{}
	longest := map[string]int{} // token_key
	err := d.objects(ctx, func(_ int, o object) error {
		if o.Model == "authtoken.tokenproxy" { // the same rows again
			return nil
		}
		d.counts[o.Model]++
		if columns[o.Model] == nil {
			columns[o.Model] = map[string]bool{}
		}
		for name := range o.Fields {
			columns[o.Model][name] = true
		}
		var prefix string
		if json.Unmarshal(o.Fields["token_key"], &prefix) == nil {
			longest[o.Model] = max(longest[o.Model], len(prefix))
		}
		return nil
	})
	if err != nil {
		return err
	}
	var tables []Table
	for _, model := range sortedModels(columns) {
		tables = append(tables, dumpTable(model, columns[model], longest[model]))
	}
	d.shape, err = shapeOf(tables, userModel, func(string) string { return "auth.user" })
	return err
}

// dumpTable gives a model as the table that it would be.
func dumpTable(model string, fields map[string]bool, prefix int) Table {
	t := Table{Name: model}
	add := func(name string, length int) { t.Columns = append(t.Columns, Column{Name: name, Length: length}) }
	switch {
	case fields["password"]:
		add("id", 0)
	case fields["user"] && model == "authtoken.token":
		t.Name = authtokenTable
		add("key", 0)
	case fields["user"] && fields["token_key"], fields["user"] && fields["salt"]:
		add("digest", 0)
	}
	names := make([]string, 0, len(fields))
	for name := range fields {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		switch name {
		case "user":
			add("user_id", 0)
		case "token_key":
			add(name, prefix)
		default:
			add(name, 0)
		}
	}
	return t
}

// modelOf is the model whose objects a table has.
func modelOf(t Table) string {
	if t.Name == authtokenTable {
		return "authtoken.token"
	}
	return t.Name
}

// Each implements [Source]. A place is the number of the object in the file.
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
	return d.objects(ctx, func(n int, o object) error {
		if n <= from || o.Model != model {
			return nil
		}
		return do(rowOf(t, n, o))
	})
}

// rowOf gives an object as the row that it would be.
func rowOf(t Table, n int, o object) Row {
	row := Row{At: strconv.Itoa(n), Where: fmt.Sprintf("%s, object %d", o.Model, n), Fields: make(map[string]string, len(o.Fields)+1)}
	for name, raw := range o.Fields {
		text, ok := scalar(raw)
		if !ok {
			continue
		}
		if name != "user" {
			row.Fields[name] = text
			continue
		}
		var natural []string
		if json.Unmarshal(raw, &natural) == nil && len(natural) > 0 {
			row.Fields[naturalUser] = natural[0]
		} else {
			row.Fields["user_id"] = text
		}
	}
	if text, ok := scalar(o.PK); ok {
		row.Fields[t.Columns[0].Name] = text // id, key or digest
	}
	return row
}

// scalar gives a JSON value as text; a list or object as its JSON. null and what
// is missing is none.
func scalar(raw json.RawMessage) (string, bool) {
	if len(raw) == 0 || string(raw) == "null" || string(raw) == "[]" {
		return "", false
	}
	if raw[0] == '"' {
		var text string
		if err := json.Unmarshal(raw, &text); err != nil {
			return "", false
		}
		return text, true
	}
	return string(raw), true
}

// objects reads the file and gives each object with its number, from 1.
func (d *dump) objects(ctx context.Context, do func(int, object) error) error {
	f, err := os.Open(d.path)
	if err != nil {
		return err
	}
	defer f.Close()
	dec := json.NewDecoder(bufio.NewReaderSize(f, 1<<20))
	if opening, err := dec.Token(); err != nil || opening != json.Delim('[') {
		return errors.New("it is neither a SQLite database nor the JSON list that dumpdata writes")
	}
	n := 0
	for dec.More() {
		n++
		var o object
		if err := dec.Decode(&o); err != nil {
			return fmt.Errorf("object %d: %w", n, plain(err))
		}
		if err := do(n, o); err != nil {
			return err
		}
		if n%page == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
	}
	if _, err := dec.Token(); err != nil {
		return fmt.Errorf("after object %d: %w", n, plain(err))
	}
	return nil
}

// plain is a JSON error without what was read, which may be a secret.
func plain(err error) error {
	var kind *json.UnmarshalTypeError
	switch {
	case errors.As(err, &kind):
		return fmt.Errorf("%s is not what dumpdata writes there", strings.ToLower(kind.Field))
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return errors.New("the file ends too early")
	}
	return errors.New("it is not JSON")
}

func sortedModels(columns map[string]map[string]bool) []string {
	names := make([]string, 0, len(columns))
	for name := range columns {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}
