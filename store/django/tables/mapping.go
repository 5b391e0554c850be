package tables

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// Mapping assigns tables and columns their roles. Whatever is left out is detected.
type Mapping struct {
	UserTable string
	// TokenTables are the token tables to use; "none" alone means no tokens.
	TokenTables Names
	ID          string
	Username    string
	Email       string
	Password    string
	Active      string
	Created     string
	// Attributes maps attributes to columns. If nil, each remaining column becomes an
	// attribute of the same name, except for those that look like secrets.
	Attributes map[string]string
	// UsernameCase is keep (the default) or lower: usernames are imported in lower
	// case.
	UsernameCase string
	// Defaults are what an export writes to columns that it has no value for; $uuid
	// stands for a new random UUID (version 4) in each row, and $now for the time.
	Defaults map[string]string

	// Numbered is set if users have an integer that they keep as their ID: the primary
	// key, even where tokens refer to users by another column (to_field).
	Numbered bool
	number   string   // the column of that integer
	extra    []string // the columns that become attributes of the same name
}

// NoTokens is the token table name that means no tokens.
const NoTokens = "none"

// Names is a list of names.
type Names []string

// on completes the mapping for a user table, to whose rows tokens refer by the column
// identity (empty if unknown). It looks for the usual names and those common in custom
// user models. It fails if a column named by the mapping is missing, or if the primary
// key or the username is ambiguous; unsure lists sentences about what may be wrong.
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

// usernameOf finds the column that Django's USERNAME_FIELD names. That column has to be
// unique (django/contrib/auth/checks.py, auth.E003), which distinguishes an e-mail
// address used to log in from a username that is only displayed.
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
	if (t.Name == defaultUsers || t.Name == "auth.user") && column == usual[0] {
		return column, nil
	}
	for _, name := range usual {
		if name != column && (!known || t.Distinct(name) || t.Name == defaultUsers) {
			unsure = append(unsure, fmt.Sprintf("users of %s are taken to log in by the column %s; if they log in by %s (USERNAME_FIELD), say so in a mapping (--map FILE.yaml, username: %s)", t, column, name, name))
		}
	}
	return column, unsure
}

// Named returns the username under which a user is imported.
func (m Mapping) Named(username string) string {
	if m.UsernameCase == "lower" && utf8.ValidString(username) { // ToLower would replace invalid bytes
		return strings.ToLower(username)
	}
	return username
}

// columns returns the columns that are not attributes.
func (m Mapping) columns() []string {
	return []string{m.ID, m.number, m.Username, m.Email, m.Password, m.Active, m.Created}
}

// looksSecret matches columns that may hold secrets. They become attributes, which
// replies and reports may show, only if a mapping names them.
var looksSecret = regexp.MustCompile(`(?i)(secret|token|otp|api_?key|private_?key|passw|passcode|hash|salt|recovery|backup_?code|security_(question|answer)|ssn|(^|_)(pin|key|seed|mfa|iban)(_|$))`)

// Extra returns the columns of a table that become attributes, in order, and those that
// do not because they look like secrets.
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
