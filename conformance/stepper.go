package conformance

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/authcompat/authcompat/conformance/internal/jsontree"
	"github.com/authcompat/authcompat/conformance/internal/template"
	"github.com/authcompat/authcompat/conformance/wire"
)

// A Stepper goes through one exchange by hand: its caller sends the requests, one at a time and as often as it
// likes, where Run sends them all. It keeps nothing but its Memory, and is not safe for concurrent use.
type Stepper struct {
	exchange *Exchange
	replay   *replay
	memory   Memory
	missing  []User // that have to be created before the first request
	unmet    string
}

// A Memory is what a Stepper knows of an exchange that has begun. It has the tokens that steps captured. That of
// one exchange is good for no other.
type Memory struct {
	// Run makes the names of users unique: six letters and digits.
	Run string `json:"run,omitempty"`
	// Done is the number of steps that have been sent and answered, and Ready that of the step before whose
	// request everything has been done.
	Done  int `json:"done,omitempty"`
	Ready int `json:"ready,omitempty"`
	// Captures are the values that steps and mails gave, by name.
	Captures map[string]string `json:"captures,omitempty"`
}

// A Step is one step of an exchange, with the values that are known by now.
type Step struct {
	Number  int // from 1
	Request wire.Request
	// Unknown are the names of what its request refers to and nothing has captured yet. They stand in it as ${name}.
	Unknown    []string
	Documented Documented
}

// Documented is the response that an exchange file has for a step. In its texts, placeholders are left as they
// are written.
type Documented struct {
	Status  int
	Headers []DocumentedHeader // in the order of the file, those of all responses last
	// Body is the text, or of JSON whose white space is free, an indented document. It is empty where there is
	// none, and where any page will do.
	Body string
	// HTML says that the body is an HTML page, whatever it says.
	HTML bool
}

// A DocumentedHeader is what is documented of a header: its values, any value or none, or, with neither, that there
// is none.
type DocumentedHeader struct {
	Name   string
	Values []string
	Any    bool
}

// runPattern is what the Run of a Memory is like.
var runPattern = regexp.MustCompile(`^[a-z0-9]{6}$`)

// ErrNoExchange means that a file has no exchange of a name.
var ErrNoExchange = errors.New("no such exchange")

// Stepper returns a Stepper of one of the file's exchanges, at a server that is running. The client sends what comes
// before the caller's own requests. The zero Memory begins anew. Of the options, Users, Variables, User and Password
// are used.
//
// Names of users are unique, so that an exchange can be tried again and again. Only a user that the server
// has already, as it is documented, keeps its name in exchanges of one request, which leave users as they are. These
// are the existing ones.
//
// The error is ErrNoExchange.
func (f *File) Stepper(exchange string, server *Server, client Client, options Options, existing []User, memory Memory) (*Stepper, error) {
	i := slices.IndexFunc(f.Exchanges, func(e Exchange) bool { return e.Name == exchange })
	if i < 0 {
		return nil, fmt.Errorf("%s: %w", exchange, ErrNoExchange)
	}
	if !runPattern.MatchString(memory.Run) {
		memory = Memory{Run: runName()}
	}
	e := &f.Exchanges[i]
	// It may come from a page, where anybody can write anything.
	steps := len(e.steps)
	memory.Done, memory.Ready = min(max(memory.Done, 0), steps), min(max(memory.Ready, 0), steps)
	memory.Captures = maps.Clone(memory.Captures)
	if memory.Captures == nil {
		memory.Captures = map[string]string{}
	}
	run := &profileRun{file: f, options: options, names: &naming{run: memory.Run}}
	s := &Stepper{exchange: e, memory: memory, unmet: run.unmetRequirement(e, server)}
	s.replay = &replay{run: run, server: server, client: client, result: &Result{},
		scope: &template.Scope{Users: map[string]template.User{}, Captures: memory.Captures}}
	for _, v := range e.variables {
		if given := options.Variables[v.name]; given != "" {
			memory.Captures[v.name] = given
		}
	}
	for _, u := range s.replay.nameUsers(e) {
		if !s.takeExisting(u, existing) {
			s.missing = append(s.missing, u)
		}
	}
	s.nameAddresses()
	s.nameOthers()
	return s, nil
}

// nameAddresses makes the addresses of users unique, too, where an exchange verifies them: a later try could not, since an
// address that one user has verified is no other's. One that is written in a step stays as it is.
func (s *Stepper) nameAddresses() {
	verifies, written := map[string]bool{}, ""
	for _, one := range s.exchange.steps {
		if one.emailKey != nil {
			verifies[one.emailKey.user] = true
		}
		one.eachTemplate(func(_ string, t template.Template) { written += t.Source + "\n" })
	}
	for i := range s.missing {
		m := &s.missing[i]
		local, domain, ok := strings.Cut(m.Email, "@")
		if !ok || strings.Contains(strings.ToLower(written), strings.ToLower(m.Email)) {
			continue
		}
		for name, u := range s.replay.scope.Users {
			if u.Username == m.Username && verifies[name] {
				m.Email = local + "-" + s.memory.Run + "@" + domain
				u.Email = m.Email
				s.replay.scope.Users[name] = u
			}
		}
	}
}

// nameOthers gives the users that can neither be made nor are given their documented names: the caller has to write others
// into the request.
func (s *Stepper) nameOthers() {
	for _, u := range s.exchange.users {
		if s.replay.scope.Users[u.name].Username == "" {
			s.replay.scope.Users[u.name] = template.User{Username: u.username, Password: u.password, Email: u.email}
			s.unmet = "users can't be made here; write one that the server has into the request"
		}
	}
}

// takeExisting takes one of the existing users for the one that the exchange needs, who then keeps the documented name, and
// reports whether there is one that is the same.
func (s *Stepper) takeExisting(needed User, existing []User) bool {
	if len(s.exchange.steps) > 1 || s.exchange.steps[0].link != nil || s.exchange.steps[0].emailKey != nil {
		return false
	}
	for _, u := range s.exchange.users {
		if s.replay.scope.Users[u.name].Username != needed.Username || u.length > 0 || u.dedicated {
			continue
		}
		needed.Username = u.username
		for _, there := range existing {
			if needed.Username == there.Username && needed.Password == there.Password && needed.Inactive == there.Inactive &&
				(needed.Email == "" || needed.Email == there.Email) && maps.Equal(needed.Attributes, there.Attributes) {
				s.replay.scope.Users[u.name] = there.inTemplates()
				return true
			}
		}
	}
	return false
}

// Len returns how many steps the exchange has: one or more.
func (s *Stepper) Len() int { return len(s.exchange.steps) }

// Memory returns what the Stepper knows by now.
func (s *Stepper) Memory() Memory { return s.memory }

// Unmet returns what the exchange needs that the server cannot give, empty if it can be tried.
func (s *Stepper) Unmet() string { return s.unmet }

// Step returns the step of a number from 1 to Len.
func (s *Stepper) Step(number int) Step {
	one := s.exchange.steps[number-1]
	found := Step{Number: number}
	known := *s.replay.scope
	known.Captures = maps.Clone(known.Captures)
	one.eachTemplate(func(key string, t template.Template) {
		for _, part := range t.Parts {
			if part.Reference == nil {
				continue
			}
			name := part.Reference.Leaf().Capture
			if _, ok := known.Captures[name]; ok || name == "" {
				continue
			}
			known.Captures[name] = "${" + name + "}"
			if strings.HasPrefix(key, "request") {
				found.Unknown = append(found.Unknown, name)
			}
		}
	})
	found.Request = one.request.encode(&known)
	found.Documented = one.response.documented(&known)
	return found
}

func (r response) documented(s *template.Scope) Documented {
	d := Documented{Status: r.status, HTML: r.body.html}
	for _, h := range r.headers {
		one := DocumentedHeader{Name: h.name, Any: h.any}
		for _, value := range h.values {
			one.Values = append(one.Values, value.Expand(s))
		}
		d.Headers = append(d.Headers, one)
	}
	switch {
	case r.body.text != nil:
		d.Body = r.body.text.Expand(s)
	case r.body.json != nil:
		d.Body = jsontree.Indented(r.body.json.Tree(s))
	}
	return d
}

// Use takes a token that the caller has from elsewhere for the one that the Authorization header of a step refers to.
// What comes before the step then counts as done. Nothing changes if the header refers to none that is unknown, or the
// request to users, whose token it might not be.
func (s *Stepper) Use(number int, token string) {
	one := s.exchange.steps[number-1]
	unknown := s.Step(number).Unknown
	if len(unknown) != 1 || one.namesUser() || number == 1 {
		return
	}
	for _, h := range one.request.headers {
		if strings.EqualFold(h.name, "Authorization") && strings.HasSuffix(h.value.Source, "${"+unknown[0]+"}") {
			s.memory.Captures[unknown[0]] = token
			s.memory.Ready, s.memory.Done = max(s.memory.Ready, number-1), max(s.memory.Done, number-1)
		}
	}
}

// Now returns the server's clock where it can be read, and that of this process otherwise.
func (s *Stepper) Now() time.Time { return s.replay.now() }

// Match compares the response to a step's request with the documented one, and remembers what its placeholders
// captured. The request was sent at the time that Now said then, and its response is there.
func (s *Stepper) Match(number int, got *wire.Response, sent time.Time) []Difference {
	scope := s.replay.scope
	scope.Before, scope.After = sent, s.Now()
	s.memory.Ready, s.memory.Done = max(s.memory.Ready, number), max(s.memory.Done, number)
	return s.exchange.steps[number-1].response.match(got, scope)
}
