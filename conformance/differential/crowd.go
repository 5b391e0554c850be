package differential

import (
	"slices"
	"strings"
)

// A crowd is what the generator knows of the users of an API where they change: without that, most of its
// requests would soon be about nobody. It follows what requests were to do; one that did something else,
// because a value in it was changed on the way, is noticed when a login fails.
type crowd struct {
	people []*person
	owners []*person // of the tokens, by their numbers
	links  []sentLink

	token    int     // that the request has, if it has one; -1: none is known
	person   *person // who asks, or logs in
	endpoint Endpoint
	link     int // that the request has, -1 for none
	words    map[Role]string
}

// A person is a user who is there.
type person struct {
	account
	email  string
	failed int // logins in a row
}

// A sentLink is a link that both servers have sent.
type sentLink struct {
	kind, to string
	over     bool // used, or the user has logged in since
}

// maxFailed is how many logins with the right words fail in a row before a person is taken not to be there: the words of one in
// three are spoilt on the way.
const maxFailed = 6

// someone is how many people are kept at least.
const someone = 3

func (c *crowd) join(accounts ...account) {
	for _, a := range accounts {
		c.people = append(c.people, &person{account: a, email: a.username + "@example.com"})
	}
}

// leave forgets a person.
func (c *crowd) leave(p *person) {
	if len(c.people) > someone {
		c.people = slices.DeleteFunc(c.people, func(one *person) bool { return one == p })
	}
}

// begin begins a request: it has the token of somebody who is there, mostly, and of one of the last to log in.
func (g *Generator) begin(e Endpoint) {
	c := &g.crowd
	c.endpoint, c.token, c.link, c.person, c.words = e, -1, -1, nil, map[Role]string{}
	if !g.api.Churn || len(c.owners) == 0 {
		return
	}
	c.token = len(c.owners) - 1 - min(g.rand.IntN(12), len(c.owners)-1)
	for n := len(c.owners) - 1; n >= 0 && !slices.Contains(c.people, c.owners[c.token]); n-- {
		c.token = n
	}
	if e.Token == MostlyToken {
		c.person = c.owners[c.token]
	}
}

// asked returns the account that a body is about: that of the token, or somebody's who is there.
func (g *Generator) asked(e Endpoint, other account) account {
	c := &g.crowd
	switch {
	case e.registers():
		return other
	case c.person != nil:
		return c.person.account
	case len(c.people) == 0 || g.chance(10):
		return other
	}
	c.person = c.people[len(c.people)-1-min(g.rand.IntN(10), len(c.people)-1)]
	if g.chance(20) {
		c.person = pick(g, c.people)
	}
	return c.person.account
}

// said notes the value of a field.
func (c *crowd) said(r Role, text string) {
	if c.words != nil {
		c.words[r] = text
	}
}

// loggedIn notes that the request was answered with a token: Django's links end with a login.
func (c *crowd) loggedIn() {
	c.owners = append(c.owners, c.person)
	if c.person != nil {
		c.person.failed = 0
		c.end(c.person.email)
	}
}

func (c *crowd) end(email string) {
	for i := range c.links {
		c.links[i].over = c.links[i].over || c.links[i].to == email
	}
}

// link returns the number of a link for an endpoint, mostly one that may be good, or -1.
func (g *Generator) link(e Endpoint) int {
	if len(e.Links) == 0 {
		return -1
	}
	kind := pick(g, e.Links)
	var all, good []int
	for n, l := range g.crowd.links {
		if l.kind != kind {
			continue
		}
		all = append(all, n)
		if !l.over {
			good = append(good, n)
		}
	}
	likely := 70
	if kind == Activation {
		likely = 45 // they are asked about again, when their users have logged in
	}
	if len(good) > 0 && g.chance(likely) {
		all = good
	}
	if len(all) == 0 {
		return -1
	}
	g.crowd.link = all[len(all)-1-min(g.rand.IntN(6), g.rand.IntN(6), len(all)-1)]
	return g.crowd.link
}

// Linked tells the generator that both servers have sent a link of a kind to an address. Later bodies refer to it.
func (g *Generator) Linked(kind, to string) {
	g.crowd.links = append(g.crowd.links, sentLink{kind: kind, to: to})
}

// ForgetLinks tells the generator that the links so far may be good at one server alone.
func (g *Generator) ForgetLinks() {
	for i := range g.crowd.links {
		g.crowd.links[i].kind = ""
	}
}

// UsesLink returns the number of the link that the last request may use, or -1, and whether that is one of an
// activation.
func (g *Generator) UsesLink() (number int, activation bool) {
	c := &g.crowd
	if c.link < 0 || c.links[c.link].over {
		return -1, false
	}
	activation = c.links[c.link].kind == Activation
	if strings.HasSuffix(c.endpoint.Path, "/activation/") && !activation {
		return -1, false
	}
	return c.link, activation
}

// Answered tells the generator the status with which the reference server has answered the last request.
func (g *Generator) Answered(status int) {
	c := &g.crowd
	if !g.api.Churn || c.words == nil {
		return
	}
	done, e := status/100 == 2, c.endpoint
	of := c.person
	if c.link >= 0 {
		of = nil
		if done {
			for _, p := range c.people {
				if p.email == c.links[c.link].to {
					of = p
				}
			}
			c.end(c.links[c.link].to)
		}
	}
	switch {
	case e.registers():
		if done {
			c.people = append(c.people, &person{account: account{c.words[NewUsername], c.words[NewPassword]}, email: c.words[NewEmail]})
		}
	case of == nil:
	case e.logsIn() && strings.Contains(e.Path, "login"):
		if status != 400 || c.words[Username] != of.username || c.words[Password] != of.password {
			break
		}
		if of.failed++; of.failed == maxFailed {
			c.leave(of)
		}
	case !done:
	case e.Method == "DELETE" && strings.HasSuffix(e.Path, "/me/"):
		c.leave(of)
	case strings.Contains(e.Path, "password"):
		of.password = c.words[NewPassword]
	case strings.Contains(e.Path, "username"):
		of.username = c.words[OtherName]
	case strings.HasSuffix(e.Path, "/me/") && e.Body != NoBody:
		of.email = c.words[NewEmail]
	}
	c.words = nil
}
