package conformance

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/authcompat/authcompat/conformance/internal/fields"
	"github.com/authcompat/authcompat/conformance/internal/jsontree"
	"github.com/authcompat/authcompat/conformance/wire"
)

// What a page on which a server is tried by hand takes from an exchange file, and from answers.

// ExampleUsers returns users that the file's exchanges say exist, with the names, passwords and addresses
// that their document has: those that most exchanges have first, and at most as many as asked for. Of
// several users of one name, who differ in more, it is the one that most exchanges have.
//
// They are for a server to be tried by hand: exchanges bring their own.
func (f *File) ExampleUsers(most int) []User {
	var all []User
	uses := make(map[string]int)
	for _, e := range f.Exchanges {
		for _, u := range e.users {
			if u.isNew || u.length > 0 || u.inactive {
				continue
			}
			made := User{Username: u.username, Password: u.password, Email: u.email, Attributes: u.attributes}
			if uses[made.key()]++; uses[made.key()] == 1 {
				all = append(all, made)
			}
		}
	}
	slices.SortStableFunc(all, func(a, b User) int { return cmp.Compare(uses[b.key()], uses[a.key()]) })
	var some []User
	for _, u := range all {
		if len(some) < most && !slices.ContainsFunc(some, func(o User) bool { return o.Username == u.Username }) {
			some = append(some, u)
		}
	}
	return some
}

// key tells users apart that are not the same to a client.
func (u User) key() string { return fmt.Sprintf("%q %q %q", u.Username, u.Password, u.Email) }

// TokenScheme returns what stands before a token in most of the file's Authorization headers, with the blank behind
// it, such as "Token "; empty if no request sends a token in this way.
func (f *File) TokenScheme() string {
	count, most := map[string]int{}, ""
	for _, e := range f.Exchanges {
		for _, s := range e.steps {
			for _, h := range s.request.headers {
				scheme, rest, found := strings.Cut(h.value.Source, "${")
				if !found || !strings.EqualFold(h.name, "Authorization") || strings.Index(rest, "}") != len(rest)-1 || s.response.status/100 != 2 {
					continue
				}
				if count[scheme]++; count[scheme] > count[most] {
					most = scheme
				}
			}
		}
	}
	return most
}

// TokenIn returns the token that a response shows: the first string of its JSON that is long enough for one, in
// a member that is named like one.
func TokenIn(r *wire.Response) (token string, ok bool) {
	tree, err := jsontree.Parse(r.Body)
	if err != nil {
		return "", false
	}
	return tokenIn(tree)
}

func tokenIn(v jsontree.Value) (token string, ok bool) {
	for _, m := range v.Members {
		if m.Value.Kind == jsontree.String && isToken(m.Value.Text) && fields.IsToken(m.Key) {
			return m.Value.Text, true
		}
		if token, ok := tokenIn(m.Value); ok {
			return token, true
		}
	}
	for _, item := range v.Items {
		if token, ok := tokenIn(item); ok {
			return token, true
		}
	}
	return "", false
}
