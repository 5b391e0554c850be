package tables

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"gopkg.in/yaml.v3"
)

// Mapping says which table and column is what. As a file it is YAML with the keys
// user_table, token_table, id, username, email, password, active, created,
// attributes (attribute: column), username_case and defaults (column: value); what
// is left out is found.
type Mapping struct {
	UserTable string `yaml:"user_table"`
	// TokenTables are the tables of tokens that are meant; "none" alone: none are.
	TokenTables Names  `yaml:"token_table"`
	ID          string `yaml:"id"`
	Username    string `yaml:"username"`
	Email       string `yaml:"email"`
	Password    string `yaml:"password"`
	Active      string `yaml:"active"`
	Created     string `yaml:"created"`
	// Attributes returns the column of each attribute; nil: each further column is
	// an attribute of its own name, but for those that look like secrets.
	Attributes map[string]string `yaml:"attributes"`
	// UsernameCase is keep (the default) or lower: names come over in lower case.
	UsernameCase string `yaml:"username_case"`
	// Defaults are what an export writes to columns that it has nothing for; the
	// word $uuid is a new random UUID (version 4) for each row, $now the time.
	Defaults map[string]string `yaml:"defaults"`

	// Numbered tells that there is a whole number that users keep as their id: the
	// primary key, also where tokens name users by another column (to_field).
	Numbered bool     `yaml:"-"`
	number   string   // its column
	extra    []string // the columns that become attributes of their own names
}

// NoTokens is the name of a table of tokens that says that none is meant.
const NoTokens = "none"

// Names is a list of names, in YAML also a single one.
type Names []string

// UnmarshalYAML implements yaml.Unmarshaler.
func (n *Names) UnmarshalYAML(node *yaml.Node) error {
	if node.Kind == yaml.ScalarNode {
		*n = Names{node.Value}
		return nil
	}
	return node.Decode((*[]string)(n))
}

// ParseMapping reads a mapping. Unknown keys are refused.
func ParseMapping(data []byte) (Mapping, error) {
	var m Mapping
	d := yaml.NewDecoder(bytes.NewReader(data))
	d.KnownFields(true)
	if err := d.Decode(&m); err != nil && !errors.Is(err, io.EOF) {
		return m, errors.New(strings.ReplaceAll(err.Error(), "\n ", ""))
	}
	if m.UsernameCase != "" && m.UsernameCase != "keep" && m.UsernameCase != "lower" {
		return m, fmt.Errorf("username_case: %q is neither keep nor lower", m.UsernameCase)
	}
	return m, nil
}

// on completes the mapping for a table of users, whose rows tokens name by the
// column identity (empty: it isn't known): by the usual names, and those that a
// custom user model often has. It fails where a column that it names is missing, or
// where it is not certain what the primary key or the username is; unsure are
// sentences about what may be wrong.
func (m Mapping) on(t Table, identity string) (_ Mapping, unsure []string, err error) {
	find := func(column *string, usual ...string) {
		for _, name := range usual {
			if *column == "" && t.Has(name) {
				*column = name
			}
		}
	}
	if m.ID == "" {
		m.ID = identity
	}
	if m.ID == "" {
		return m, nil, fmt.Errorf("which column of %s is the primary key can't be told: name it in a mapping (--map FILE.yaml, id: COLUMN)", t)
	}
	if m.Username == "" {
		m.Username, unsure = usernameOf(t)
	}
	find(&m.Email, "email", "email_address")
	find(&m.Password, "password")
	find(&m.Active, "is_active", "active")
	find(&m.Created, "date_joined", "created_at", "created")
	switch {
	case m.Username == "":
		return m, nil, fmt.Errorf("no column of %s looks like a username: name one in a mapping (--map FILE.yaml, username: COLUMN)", t)
	case m.Password == "":
		return m, nil, fmt.Errorf("no column of %s looks like a password: name one in a mapping (--map FILE.yaml, password: COLUMN)", t)
	}
	columns := m.columns()
	for _, attribute := range slices.Sorted(maps.Keys(m.Attributes)) {
		columns = append(columns, m.Attributes[attribute])
	}
	for _, column := range append(columns, slices.Sorted(maps.Keys(m.Defaults))...) {
		if column != "" && !t.Has(column) {
			return m, nil, errNoColumn(t, column)
		}
	}
	if c, _ := t.Column(m.Username); c.CaseBlind && m.UsernameCase != "lower" {
		unsure = append(unsure, fmt.Sprintf("usernames in %s are case-blind at the source (Ann and ann are one); here they are not: "+
			"give username_case: lower in the mapping, and lower: true to the profile's field username", t))
	}
	for _, column := range []string{m.ID, t.KeyColumn()} {
		if c, ok := t.Column(column); ok && c.IsInteger() {
			m.number, m.Numbered = column, true
		}
	}
	m.extra, _ = m.Extra(t)
	return m, unsure, nil
}

// usernameOf finds the column that Django's USERNAME_FIELD names. It has to be
// unique (django/contrib/auth/checks.py, auth.E003), which tells an e-mail that is
// logged in with from a username that is only shown.
func usernameOf(t Table) (column string, unsure []string) {
	usual := slices.DeleteFunc([]string{"username", "email", "user_name", "login", "email_address"}, func(name string) bool { return !t.Has(name) })
	if len(usual) < 2 {
		return strings.Join(usual, ""), nil
	}
	known := !t.Unconstrained && !t.View
	for _, name := range usual {
		if known && t.Distinct(name) {
			column = name
			break
		}
	}
	if column == "" {
		column = usual[0]
	}
	if t.Name == defaultUsers || t.Name == "auth.user" {
		return column, nil
	}
	for _, name := range usual {
		if name != column && (!known || t.Distinct(name)) {
			unsure = append(unsure, fmt.Sprintf("users of %s are taken to log in by the column %s; if they log in by %s (USERNAME_FIELD), say so in a mapping (--map FILE.yaml, username: %s)", t, column, name, name))
		}
	}
	return column, unsure
}

// Named returns a username as it comes over.
func (m Mapping) Named(username string) string {
	if m.UsernameCase == "lower" && utf8.ValidString(username) { // else other bytes would be put in
		return strings.ToLower(username)
	}
	return username
}

// columns are those that are no attributes.
func (m Mapping) columns() []string {
	return []string{m.ID, m.number, m.Username, m.Email, m.Password, m.Active, m.Created}
}

// looksSecret matches columns that may hold secrets: they become attributes, which
// replies and reports may show, only if a mapping names them.
var looksSecret = regexp.MustCompile(`(?i)(secret|token|otp|api_?key|private_?key|passw|passcode|hash|salt|recovery|backup_?code|security_(question|answer)|ssn|(^|_)(pin|key|seed|mfa|iban)(_|$))`)

// Extra returns the columns of a table that become attributes, in order, and those
// that don't because they look like secrets.
func (m Mapping) Extra(t Table) (extra, secret []string) {
	if m.Attributes != nil {
		for _, column := range m.Attributes {
			extra = append(extra, column)
		}
		slices.Sort(extra)
		return extra, nil
	}
	used := append(m.columns(), notAttributes()...)
	for _, c := range t.Columns {
		switch {
		case slices.Contains(used, c.Name) || c.Name == t.Parent:
		case looksSecret.MatchString(c.Name):
			secret = append(secret, c.Name)
		default:
			extra = append(extra, c.Name)
		}
	}
	slices.Sort(extra)
	slices.Sort(secret)
	return extra, secret
}
