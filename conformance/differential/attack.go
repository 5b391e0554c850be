package differential

import (
	"fmt"
	"strings"

	"github.com/authcompat/authcompat/conformance/wire"
)

// attack returns a request of a client that means harm, or none for most requests.
func (g *Generator) attack() (r wire.Request, attack bool) {
	if g.guesses > 0 {
		g.guesses--
		return g.guess(), true
	}
	if !g.chance(5) {
		return r, false
	}
	switch n := g.rand.IntN(100); {
	case n < 2:
		return g.hugeBody(1<<20 + pick(g, []int{-1, 0, 1, 1 << 20})), true // the limit of bodies is 1 MiB
	case n < 20:
		return g.hugeBody(pick(g, []int{10, 16<<10 - 1, 16 << 10, 16<<10 + 1, 40000, 70000})), true
	case n < 50:
		e := g.endpoint()
		r = wire.Request{Method: g.method(), Path: e.Path, Body: pick(g, g.odd.bodies)}
		r.Headers = []wire.Header{{Name: "Content-Type", Value: strings.TrimRight(pick(g, g.odd.types), " ")}}
		return r, true
	case n < 60:
		return g.manyHeaders(), true
	case n < 80:
		return g.again(), true
	case n < 95:
		return g.likeness(), true
	}
	g.guesses = g.rand.IntN(15)
	g.guessed = g.login()
	return g.guess(), true
}

// endpointWith returns an endpoint that has the property, or any if none has it.
func (g *Generator) endpointWith(property func(Endpoint) bool) Endpoint {
	for _, e := range g.api.Endpoints {
		if property(e) {
			return e
		}
	}
	return g.endpoint()
}

func (e Endpoint) logsIn() bool { return len(e.Fields) == 2 && !e.registers() }

// guess is a login with a wrong password.
func (g *Generator) guess() wire.Request {
	return g.plain(g.endpointWith(Endpoint.logsIn), account{g.guessed.username, fmt.Sprint("wrong", g.rand.IntN(1000))})
}

// again registers a name that exists, or logs in where users can't register.
func (g *Generator) again() wire.Request {
	return g.plain(g.endpointWith(Endpoint.registers), pick(g, g.accounts))
}

// likeness logs in with, or registers, a name that a database could take for one that exists.
func (g *Generator) likeness() wire.Request {
	a := pick(g, g.accounts)
	if g.chance(50) {
		a = g.accounts[0]
	}
	switch g.rand.IntN(6) {
	case 0:
		a.username = strings.ToUpper(a.username)
	case 1:
		a.username += pick(g, []string{" ", "\u0301", "\u200d", "\u00ad", "%", "_", "'", "\\"})
	case 2:
		a.username = " " + a.username
	case 3:
		a.username = strings.ToUpper(a.username[:min(1, len(a.username))]) + a.username[min(1, len(a.username)):]
	case 4:
		a.username = strings.NewReplacer("j", "\uff4a", "u", "\uff55").Replace(a.username) // NFKC
	default:
		a.password = strings.ToUpper(a.password)
	}
	return g.plain(pick(g, []Endpoint{g.endpointWith(Endpoint.logsIn), g.endpointWith(Endpoint.registers)}), a)
}

// plain is a request without oddities.
func (g *Generator) plain(e Endpoint, a account) wire.Request {
	var pairs []pair
	for _, f := range e.Fields {
		text := a.password
		switch f.Role {
		case Username, NewUsername:
			text = a.username
		case NewEmail:
			text = a.username + "@example.com"
		case Accept:
			text = "on"
		}
		pairs = append(pairs, pair{name: f.Name, text: text, json: plainString(text)})
	}
	r := wire.Request{Method: "POST", Path: e.Path, Headers: []wire.Header{{Name: "Content-Type", Value: jsonType}}}
	if e.Body == FormBody {
		r.Headers[0].Value = formType
		r.Body = g.formBody(pairs)
		return r
	}
	r.Body = g.jsonBody(pairs)
	return r
}

// hugeBody is a request whose body has the size, and one of the shapes that are dear to parse.
func (g *Generator) hugeBody(size int) wire.Request {
	e := g.endpoint()
	kind, start, unit := jsonType, `{"username":"`, "a"
	switch g.rand.IntN(6) {
	case 0:
		start, unit = "[", "[],"
	case 1:
		start, unit = "{", `"a":{},`
	case 2:
		kind, start, unit = formType, "username=john", "&a=b"
	case 3:
		kind, start, unit = formType, "username=", "%C3%A9"
	case 4:
		kind, start, unit = "multipart/form-data; boundary=x", "", "--x\r\nContent-Disposition: form-data; name=a\r\n\r\nb\r\n"
	}
	body := start + strings.Repeat(unit, 1+max(0, size-len(start))/len(unit))
	return wire.Request{Method: "POST", Path: e.Path, Headers: []wire.Header{{Name: "Content-Type", Value: kind}}, Body: []byte(body[:size])}
}

// manyHeaders is a request with nearly as many headers as a server takes.
func (g *Generator) manyHeaders() wire.Request {
	e := g.endpoint()
	r := wire.Request{Method: "POST", Path: e.Path}
	name, value := pick(g, []string{"Accept", "Authorization", "Cookie", "X-Other"}), pick(g, []string{"", "a", "a/b;q=0.5", "Token x", strings.Repeat(",", 100), strings.Repeat("a/b,", 25)})
	for range 90 {
		r.Headers = append(r.Headers, wire.Header{Name: name, Value: value})
	}
	return r
}
