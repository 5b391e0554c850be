package django

import (
	"fmt"
	"strings"

	"github.com/authcompat/authcompat/core"
)

// The tables that Django's own apps and the token apps make.
const (
	defaultUsers     = "auth_user"       // django/contrib/auth
	authtokenTable   = "authtoken_token" // rest_framework/authtoken
	knoxTable        = "knox_authtoken"  // django-rest-knox
	knox4PrefixLimit = 8                 // the length of token_key up to knox 4.2
)

// shapeOf finds the users and the tokens among the tables. refers gives the
// tables that a table's user_id points to, as far as the database says.
func shapeOf(tables []Table, userTable string, refers func(table string) string) (Shape, error) {
	var s Shape
	for _, t := range tables {
		if token, ok := tokenTable(t); ok {
			s.Tokens = append(s.Tokens, token)
		}
	}
	users, err := usersAmong(tables, userTable, s.Tokens, refers)
	s.Users = users
	return s, err
}

// tokenTable tells whether a table keeps tokens, and in which generation's form:
// by its columns, since KNOX_TOKEN_MODEL can rename knox's.
func tokenTable(t Table) (TokenTable, bool) {
	token := TokenTable{Table: t}
	for _, name := range []string{"expiry", "expires"} { // expires up to knox 3
		if t.has(name) {
			token.Expiry = name
		}
	}
	switch {
	case t.Name == authtokenTable && t.has("key", "created", "user_id"):
		token.Generation = core.Authtoken
		token.Expiry = ""
	case t.Name == knoxTable && t.has("key", "user_id"):
		token.Generation, token.Plain = core.Authtoken, true
	case t.has("digest", "salt", "user_id"):
		token.Generation = core.Knox41
	case t.has("digest", "token_key", "user_id"):
		token.Generation = core.Knox5
		if c, _ := t.column("token_key"); c.Length > 0 && c.Length <= knox4PrefixLimit {
			token.Generation = core.Knox42
		}
	default:
		return TokenTable{}, false
	}
	return token, true
}

// usersAmong finds the table of the users: the named one; that which the tokens
// belong to; or the one that looks like an AbstractBaseUser
// (django/contrib/auth/base_user.py: password and last_login).
func usersAmong(tables []Table, userTable string, tokens []TokenTable, refers func(string) string) (Table, error) {
	named := map[string]Table{}
	var like []string
	for _, t := range tables {
		named[t.Name] = t
		if t.has("password", "last_login") {
			like = append(like, t.Name)
		}
	}
	if userTable != "" {
		t, ok := named[userTable]
		if !ok {
			return Table{}, fmt.Errorf("there is no table %q", userTable)
		}
		if !t.has("password") {
			return Table{}, fmt.Errorf("table %q has no column password", userTable)
		}
		return t, nil
	}
	for _, referring := range tokens {
		if t, ok := named[refers(referring.Name)]; ok && t.has("password") {
			return t, nil
		}
	}
	if t, ok := named[refers("django_admin_log")]; ok && t.has("password") {
		return t, nil
	}
	switch {
	case len(like) == 1:
		return named[like[0]], nil
	case len(like) > 1:
		return Table{}, fmt.Errorf("several tables look like users: %s; name one with --user-table", strings.Join(like, ", "))
	}
	return Table{}, ErrNoUsers
}
