package django

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"sort"
	"strings"

	"gopkg.in/yaml.v3"
)

// Mapping says which column of a user table is what. As a file it is YAML with
// the keys user_table, id, username, email, password, active, created and
// attributes (attribute: column); what is left out is found by name.
type Mapping struct {
	UserTable string `yaml:"user_table"`
	ID        string `yaml:"id"`
	Username  string `yaml:"username"`
	Email     string `yaml:"email"`
	Password  string `yaml:"password"`
	Active    string `yaml:"active"`
	Created   string `yaml:"created"`
	// Attributes gives the column of each attribute; nil: each further column is
	// an attribute of its own name.
	Attributes map[string]string `yaml:"attributes"`
}

// ParseMapping reads a mapping. Unknown keys are refused.
func ParseMapping(data []byte) (Mapping, error) {
	var m Mapping
	d := yaml.NewDecoder(bytes.NewReader(data))
	d.KnownFields(true)
	if err := d.Decode(&m); err != nil && !errors.Is(err, io.EOF) {
		return m, errors.New(strings.ReplaceAll(err.Error(), "\n ", ""))
	}
	return m, nil
}

// On completes the mapping for a table of users: by the usual names, and those
// that a custom user model often has. It fails where a column that it names is
// missing, or nothing can be the username.
func (m Mapping) On(t Table) (Mapping, error) {
	find := func(column *string, usual ...string) {
		for _, name := range usual {
			if *column == "" && t.has(name) {
				*column = name
			}
		}
	}
	find(&m.ID, "id", "user_ptr_id", "pk")
	find(&m.Username, "username", "email", "user_name", "login")
	find(&m.Email, "email", "email_address")
	find(&m.Password, "password")
	find(&m.Active, "is_active", "active")
	find(&m.Created, "date_joined", "created_at", "created")
	if m.Username == "" {
		return m, fmt.Errorf("no column of %s looks like a username: name one in a mapping (--map FILE.yaml, username: COLUMN)", t.Name)
	}
	columns := m.columns()
	for _, attribute := range sortedKeys(m.Attributes) {
		columns = append(columns, m.Attributes[attribute])
	}
	for _, column := range columns {
		if column != "" && column != m.ID && !t.has(column) {
			return m, fmt.Errorf("table %s has no column %q, which the mapping names", t.Name, column)
		}
	}
	return m, nil
}

// columns are those that are no attributes.
func (m Mapping) columns() []string {
	return []string{m.ID, m.Username, m.Email, m.Password, m.Active, m.Created}
}

// Extra gives the columns of a table that become attributes, in order.
func (m Mapping) Extra(t Table) []string {
	var extra []string
	if m.Attributes != nil {
		for _, column := range m.Attributes {
			extra = append(extra, column)
		}
	} else {
		used := append(m.columns(), notAttributes()...)
		for _, c := range t.Columns {
			if !slices.Contains(used, c.Name) {
				extra = append(extra, c.Name)
			}
		}
	}
	sort.Strings(extra)
	return extra
}

func sortedKeys(m map[string]string) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}
