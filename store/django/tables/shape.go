package tables

import (
	"fmt"
	"slices"
	"strings"

	"github.com/authcompat/authcompat/core"
)

// Tables created by Django's own apps and the token apps.
const (
	defaultUsers     = "auth_user"       // django/contrib/auth
	authtokenTable   = "authtoken_token" // rest_framework/authtoken
	knoxTable        = "knox_authtoken"  // django-rest-knox
	knox4PrefixLimit = 8                 // the length of token_key up to knox 4.2
)

// shape finds the users and the tokens of a database. empty reports whether a table has
// no rows.
func (c catalogue) shape(m Mapping, empty func(Table) (bool, error)) (s Shape, err error) {
	if s.Tokens, s.Named, err = c.namedTokens(m.TokenTables); err != nil {
		return s, err
	}
	for _, t := range c.tables {
		token, ok := tokenTable(t, slices.ContainsFunc(s.Tokens, t.sameToken))
		near := t.Schema == "" || slices.ContainsFunc(s.Tokens, t.sameToken) || strings.HasPrefix(m.UserTable, t.Schema+".")
		if !ok || !near {
			continue
		}
		if !t.Unreadable {
			if token.Empty, err = empty(t); err != nil {
				return s, err
			}
		}
		s.Found = append(s.Found, token)
	}
	if !s.Named {
		s.Tokens, s.Undecided = decide(s.Found)
	}
	referring := s.Tokens
	if len(referring) == 0 { // a project's own tables may refer to something else
		referring = slices.DeleteFunc(slices.Clone(s.Found), func(t TokenTable) bool { return t.Own })
	}
	users, identity, err := c.users(m, referring)
	if err != nil {
		return s, err
	}
	s.Users = users
	if s.Undecided == nil && !(users.View && m.ID != "") { // the mapping names a view's key
		s.Undecided = c.owned(users, s.Tokens)
	}
	for i := range s.Tokens {
		s.Tokens[i].Many = s.Tokens[i].Format != core.Authtoken || s.Tokens[i].Plain || s.Tokens[i].Own && !s.Tokens[i].Distinct("user_id")
		for _, found := range s.Found {
			if found.same(s.Tokens[i].Table) {
				s.Tokens[i].Empty = found.Empty
			}
		}
		if s.Tokens[i].Unreadable {
			s.Undecided = fmt.Errorf("the role may not read the table %s: GRANT SELECT ON %s TO it", s.Tokens[i].Table, s.Tokens[i].Table)
		}
	}
	if users.Unreadable {
		return s, fmt.Errorf("the role may not read the table %s: GRANT SELECT ON %s TO it", users, users)
	}
	s.Addresses = c.addresses()
	s.Mapping, s.Unsure, err = m.on(users, identity)
	return s, err
}

// sameToken reports whether t is token's table.
func (t Table) sameToken(token TokenTable) bool { return t.same(token.Table) }

// namedTokens returns the token tables that a mapping names.
func (c catalogue) namedTokens(names []string) (tokens []TokenTable, named bool, err error) {
	if len(names) == 1 && names[0] == NoTokens {
		return nil, true, nil
	}
	for _, name := range names {
		t, ok := c.find(name)
		if !ok {
			return nil, true, fmt.Errorf("there is no table %q, which --token-table names", name)
		}
		token, ok := tokenTable(t, true)
		if !ok {
			return nil, true, fmt.Errorf("table %s holds no tokens in a known form: it would have the columns key, user_id and created (or key and user_id alone), or knox's digest, token_key and user_id", t)
		}
		tokens = append(tokens, token)
	}
	return tokens, len(names) > 0, nil
}

// decide returns the token tables to use among those found, or an error if that is
// ambiguous. Of two tables with rows, one may be in use and the other a leftover whose
// tokens would become valid again.
func decide(found []TokenTable) ([]TokenTable, error) {
	var used, known, hidden []TokenTable
	for _, t := range found {
		if t.Unreadable {
			hidden = append(hidden, t)
		} else if !t.Empty {
			used = append(used, t)
		}
		if !t.Own {
			known = append(known, t)
		}
	}
	used = append(used, hidden...)
	switch {
	case len(used) == 1 && used[0].Own:
		return nil, fmt.Errorf("table %s looks like tokens of the project's own: take them over with --token-table %s, or leave them with --token-table %s", used[0].Table, used[0].Table, NoTokens)
	case len(used) == 1:
		return used, nil
	case len(used) > 1:
		var names []string
		for _, t := range used {
			names = append(names, t.Table.String())
		}
		return nil, fmt.Errorf("several tables hold tokens: %s; name those that are in use with --token-table (inspect tells which look left over)", strings.Join(names, ", "))
	}
	return known, nil
}

// tokenTable reports whether a table stores tokens, and in which format. It goes by the
// columns, since KNOX_TOKEN_MODEL can rename knox's table, and projects have their own
// models like authtoken's. Of a table with key and user_id alone, only its name tells that
// it holds tokens: named says that a mapping has it.
func tokenTable(t Table, named bool) (TokenTable, bool) {
	token := TokenTable{Table: t}
	for _, name := range []string{"expiry", "expires"} { // expires up to knox 3
		if t.Has(name) {
			token.Expiry = name
		}
	}
	switch {
	case t.Name == authtokenTable && t.Has("key", "created", "user_id"):
		token.Format = core.Authtoken
		token.Expiry = ""
	case t.Name == knoxTable && t.Has("key", "user_id"):
		token.Format, token.Plain, token.Many = core.Authtoken, true, true
	case t.Has("digest", "salt", "user_id"):
		token.Format = core.Knox41
	case t.Has("digest", "token_key", "user_id"):
		token.Format = core.Knox5
		if c, _ := t.Column("token_key"); c.Length > 0 && c.Length <= knox4PrefixLimit {
			token.Format = core.Knox42
		}
	case t.Has("key", "user_id") && (t.Has("created") || named && t.holdsOnly("key", "user_id", token.Expiry)):
		token.Format, token.Own = core.Authtoken, true
	default:
		return TokenTable{}, false
	}
	return token, true
}

// holdsOnly reports whether a row of the table needs values in these columns alone, beside
// a number as its primary key. In a dump, where it is not known what a row needs, no other
// column may be there.
func (t Table) holdsOnly(names ...string) bool {
	return !slices.ContainsFunc(t.Columns, func(c Column) bool {
		number := c.Name == t.KeyColumn() && c.IsInteger()
		return !slices.Contains(names, c.Name) && !number && !c.Nullable && !c.Default && !c.Generated && c.Name != naturalUser
	})
}

// users finds the user table and the column by which tokens refer to it. That is the
// table named by the mapping, the one the tokens belong to, or the one that looks like
// an AbstractBaseUser (django/contrib/auth/base_user.py: password and last_login).
func (c catalogue) users(m Mapping, tokens []TokenTable) (users Table, identity string, err error) {
	if m.UserTable != "" {
		t, ok := c.find(m.UserTable)
		if !ok {
			return t, "", fmt.Errorf("there is no table %q", m.UserTable)
		}
		if m.Password == "" {
			if t, ok = c.inheriting(t); !ok {
				return t, "", fmt.Errorf("table %q has no column password", m.UserTable)
			}
		}
		return t, identityOf(t, tokens), nil
	}
	for _, name := range append(tokens, TokenTable{Table: c.adminLog()}) {
		if r, ok := name.reference("user_id"); ok {
			if t, ok := c.target(r); ok {
				if t, ok = c.inheriting(t); ok {
					return t, identityOf(t, tokens), nil
				}
			}
		}
	}
	t, err := c.likeUsers()
	return t, identityOf(t, tokens), err
}

func (c catalogue) adminLog() Table {
	t, _ := c.find("django_admin_log")
	return t
}

// addresses finds django-allauth's table (allauth/account/models.py, EmailAddress), by the name of its model
// in a dump.
func (c catalogue) addresses() *Table {
	for _, name := range []string{"account_emailaddress", "account.emailaddress"} {
		if t, ok := c.find(name); ok && !t.Unreadable && t.Has("user_id", "email", "verified") {
			return &t
		}
	}
	return nil
}

// likeUsers finds the only table that looks like a user table.
func (c catalogue) likeUsers() (Table, error) {
	var near, far, passwords []string
	for _, t := range c.tables {
		switch {
		case t.Has("password", "last_login") && t.Schema == "":
			near = append(near, t.Name)
		case t.Has("password", "last_login"):
			far = append(far, t.String())
		case t.Has("password"):
			passwords = append(passwords, t.String())
		}
	}
	switch {
	case len(near) == 1:
		t, _ := c.find(near[0])
		return t, nil
	case len(near) > 1:
		return Table{}, fmt.Errorf("several tables look like users: %s; name one with --user-table", strings.Join(near, ", "))
	case len(far) > 0:
		return Table{}, fmt.Errorf("no table of users found in the schema of the connection; elsewhere there is %s: name it with --user-table %s", strings.Join(far, ", "), far[0])
	case len(passwords) > 0:
		return Table{}, fmt.Errorf("%w; with a password there is %s: name the right one with --user-table", ErrNoUsers, strings.Join(passwords, ", "))
	}
	return Table{}, fmt.Errorf("%w: is it the right database, and may the role see its tables?", ErrNoUsers)
}

// identityOf returns the column by which tokens refer to users: the target of their
// foreign keys, or else the primary key; empty if that is ambiguous.
func identityOf(t Table, tokens []TokenTable) string {
	for _, token := range tokens {
		if r, ok := token.reference("user_id"); ok && r.To != "" && t.Has(r.To) {
			return r.To
		}
	}
	if len(t.Key) == 1 {
		return t.Key[0]
	}
	return ""
}

// owned returns an error unless all token tables refer to these users, and by the same
// column.
func (c catalogue) owned(users Table, tokens []TokenTable) error {
	identity := identityOf(users, tokens)
	for _, token := range tokens {
		r, ok := token.reference("user_id")
		if !ok {
			continue // no constraint contradicts it
		}
		t, _ := c.target(r)
		base := users
		for !t.same(base) && base.Base != nil {
			base = *base.Base
		}
		if !t.same(base) {
			return fmt.Errorf("the tokens of %s belong to users of %s, not of %s: name that with --user-table", token.Table, t, users)
		}
		to := r.To
		if to == "" && len(t.Key) == 1 {
			to = t.Key[0]
		}
		if to != identity && !(base.Base == nil && users.Base != nil && to == base.KeyColumn()) && to != users.Parent {
			return fmt.Errorf("the tokens of %s name users by the column %s and those of others by %s: take them over apart, with --token-table", token.Table, to, identity)
		}
	}
	return nil
}

// KeyColumn returns the primary key's column, or "" if the key has several.
func (t Table) KeyColumn() string {
	if len(t.Key) == 1 {
		return t.Key[0]
	}
	return ""
}
