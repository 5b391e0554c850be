package differential

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"strings"

	"github.com/authcompat/authcompat/conformance/wire"
)

// A Generator makes random requests, the same ones for the same API and seed. Half of them are what a
// client would send but for one oddity; the others have several.
//
// It stays within HTTP/1.1: what net/http or gunicorn refuse before any application sees it
// (broken request lines, chunked bodies, wrong lengths) tells nothing about the applications.
type Generator struct {
	// Hostile makes one request in twenty an attack on the server rather than on its API's
	// details: huge bodies, many headers, runs of guesses at one name.
	Hostile bool

	api      API
	rand     *rand.Rand
	accounts []account
	issued   int // tokens that both servers have issued so far
	crowd    crowd
	made     int
	guesses  int     // that are still to be made
	guessed  account // at which name, with a wrong password
	odd      pools
}

// pools are what odd values are drawn from.
type pools struct {
	usernames, passwords, emails, json, bytes, types, charsets, accepts, schemes, basics, queries []string
	bodies                                                                                        [][]byte
}

// An account is a user that may exist, and its password if it does.
type account struct{ username, password string }

// The users that both servers must have when a run begins. They have the same password.
const (
	ActiveUser   = "john"
	InactiveUser = "ghost"
	StaffUser    = "boss" // where API.Staff is set
	UserPassword = "password"
)

// NewGenerator returns a generator of requests for an API.
func NewGenerator(api API, seed uint64) *Generator {
	g := &Generator{
		api:      api,
		rand:     rand.New(rand.NewPCG(seed, uint64(len(api.Name)))),
		accounts: []account{{ActiveUser, UserPassword}, {InactiveUser, UserPassword}},
		odd: pools{
			usernames: oddUsernames(), passwords: oddPasswords(), emails: emails(), json: oddValues(), bytes: oddBytes(),
			types: oddTypes(), charsets: charsets(), accepts: accepts(), schemes: schemes(), basics: basics(), queries: queries(), bodies: oddBodies(),
		},
	}
	if api.Staff {
		g.accounts = append(g.accounts, account{StaffUser, UserPassword})
	}
	if api.Churn {
		g.crowd.join(g.accounts...)
	}
	return g
}

// Issued tells the generator that both servers have answered with one more token. Later requests
// refer to it as {{N}} in Authorization, with its number, because each server has its own token.
func (g *Generator) Issued() {
	g.issued++
	g.crowd.loggedIn()
}

// Next returns the next request.
func (g *Generator) Next() wire.Request {
	g.crowd.token, g.crowd.link, g.crowd.person, g.crowd.words = -1, -1, nil, nil // an attack is nobody's
	if g.Hostile {
		if r, attack := g.attack(); attack {
			return r
		}
	}
	e := g.endpoint()
	g.begin(e)
	r := wire.Request{Method: cmp.Or(e.Method, "POST"), Path: e.Path}
	kind, body := g.body(e)
	r.Body = body
	if g.chance(8) {
		r.Method = g.method()
	}
	if g.chance(10) {
		r.Path = g.oddPath(e.Path)
	}
	for _, value := range g.contentTypes(kind) {
		r.Headers = append(r.Headers, wire.Header{Name: "Content-Type", Value: value})
	}
	if g.chance(30) {
		r.Headers = append(r.Headers, g.accept()...)
	}
	odds := 10
	if e.Token == MostlyToken {
		odds = 85
	}
	switch {
	case e.Basic == MostlyBasic && g.chance(85), e.Basic == HalfBasic && g.chance(odds/2):
		r.Headers = append(r.Headers, g.basic()...)
	case g.chance(odds):
		r.Headers = append(r.Headers, g.authorization()...)
	}
	if g.chance(5) {
		r.Headers = append(r.Headers, pick(g, otherHeaders()))
	}
	for i := range r.Headers {
		// Trailing white space is not part of a value; net/http drops it, gunicorn does not.
		r.Headers[i].Value = strings.TrimRight(r.Headers[i].Value, " \t")
	}
	g.rand.Shuffle(len(r.Headers), func(i, k int) { r.Headers[i], r.Headers[k] = r.Headers[k], r.Headers[i] })
	return r
}

func (g *Generator) endpoint() Endpoint {
	sum := 0
	for _, e := range g.api.Endpoints {
		sum += e.Weight
	}
	n := g.rand.IntN(sum)
	for _, e := range g.api.Endpoints {
		if n -= e.Weight; n < 0 {
			e.Path = g.withID(e.Path)
			return e
		}
	}
	return g.api.Endpoints[0]
}

// chance is true in the given percentage of cases.
func (g *Generator) chance(percent int) bool { return g.rand.IntN(100) < percent }

// pick returns a random element.
func pick[T any](g *Generator, of []T) T { return of[g.rand.IntN(len(of))] }

// name returns a username that has not been used yet.
func (g *Generator) name() string {
	g.made++
	return fmt.Sprintf("u%d", g.made)
}
