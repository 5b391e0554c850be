package profiles_test

import (
	"fmt"
	"strings"

	"github.com/authcompat/authcompat/profiles"
)

// Load a profile by the name of a built-in one, or by the path of a file.
func ExampleLoad() {
	p, err := profiles.Load("ocd-users")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(p.Title, "is of family", p.Family)
	for _, e := range p.Endpoints {
		fmt.Println(strings.Join(e.Methods, " "), e.Path, e.Reply.Status)
	}
	fmt.Println("tokens live for", p.Tokens.TTL)
	fmt.Println(p.Messages.Format("max_length", "max", "150"))
	// Output:
	// ocd_users API is of family drf
	// POST /api/register/ 200
	// POST /api/login/ 200
	// POST /api/logout/ 204
	// POST /api/logoutall/ 204
	// tokens live for 10h0m0s
	// Ensure this field has no more than 150 characters.
}

// Report all problems of a file at once, each with its position.
func ExampleParse() {
	_, err := profiles.Parse("mine.yaml", []byte(`name: mine
family: drf
stack: drf-3.14
tokens: {hex: 40, ttl: 10h, per_user: two}
endpoints:
  login:
    path: /login/
    fields: {username: {}, password: {}}
    reply: {status: 200, body: {token: $token.kay}}
`))
	fmt.Println(err)
	// Output:
	// mine.yaml:4:39: tokens.per_user: want many or one, not "two"
	// mine.yaml:9:40: endpoints.login.reply.body.token: unknown value $token.kay; did you mean $token.key?
}
