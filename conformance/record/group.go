package record

import (
	"fmt"
	"slices"
	"strings"

	"github.com/authcompat/authcompat/conformance/internal/fields"
)

// A variable is a secret that was there before the recording began, and without which an exchange is
// not the same.
type variable struct {
	name   string
	secret *secret
}

const variableReason = "it was issued before the recording began"

// A sequence is what becomes one exchange.
type sequence struct {
	name      string
	calls     []int // by their numbers in the recording, in order
	people    []*person
	variables []variable
	unfit     string // why it cannot be replayed
	noise     map[int]*noise
}

func (s *sequence) has(p *person) bool { return slices.Contains(s.people, p) }

// A union joins numbers into sets.
type union []int

func (u union) root(i int) int {
	for u[i] != i {
		u[i] = u[u[i]]
		i = u[i]
	}
	return i
}

func (u union) join(a, b int) {
	a, b = u.root(a), u.root(b)
	u[max(a, b)] = min(a, b)
}

// group finds out which calls belong together.
func (d *Draft) group() {
	sets := make(union, len(d.calls))
	for i := range sets {
		sets[i] = i
	}
	first := map[string]int{}
	link := func(key string, i int) {
		if at, ok := first[key]; ok {
			sets.join(at, i)
			return
		}
		first[key] = i
	}
	for i, c := range d.calls {
		for _, s := range d.vault.inRequest(c) {
			if s.issued || d.isVariable(s) {
				link("secret "+s.value, i)
			}
		}
		for _, s := range d.vault.inResponse(c) {
			if s.issued {
				link("secret "+s.value, i)
			}
		}
		path, _, _ := strings.Cut(c.Request.Path, "?")
		for segment := range strings.SplitSeq(path, "/") {
			key := "id " + c.Client + " " + segment
			if _, shown := first[key]; shown && isInteger(segment) {
				link(key, i)
			}
		}
		for _, id := range shownIDs(string(c.Response.Body)) {
			first["id "+c.Client+" "+id] = i
		}
	}
	d.joinPeople(sets)
	d.gather(sets)
}

// joinPeople joins all calls about each user who is registered or changed in the recording, or one of
// whose tokens another sequence ended: such calls depend on each other.
func (d *Draft) joinPeople(sets union) {
	about := map[*person][]int{}
	dependent := map[*person]bool{}
	members := map[int][]int{}
	for i := range d.calls {
		members[sets.root(i)] = append(members[sets.root(i)], i)
		if p := d.of[i]; p != nil && p.known {
			about[p] = append(about[p], i)
			dependent[p] = dependent[p] || p.registered
		}
	}
	changing := map[int]bool{} // sets with a call that changes something
	ending := map[int]bool{}   // likewise: one of whose tokens another set ended
	for root, own := range members {
		changing[root] = slices.ContainsFunc(own, func(k int) bool { return changes(d.calls[k]) })
		ending[root] = d.endsElsewhere(own)
	}
	for p, calls := range about {
		for _, i := range calls {
			root := sets.root(i)
			dependent[p] = dependent[p] || changing[root] || ending[root]
			p.changed = p.changed || !p.registered && changing[root]
		}
	}
	for p, calls := range about {
		for _, i := range calls {
			if dependent[p] {
				sets.join(calls[0], i)
			}
		}
	}
}

// endsElsewhere reports whether a token is accepted in the calls and later not, though none of them
// ended it.
func (d *Draft) endsElsewhere(calls []int) bool {
	accepted := map[*secret]bool{}
	for _, i := range calls {
		c := d.calls[i]
		if endingPath().MatchString(c.Request.Path) && c.Response.Status < 400 || c.Request.Method == "DELETE" {
			clear(accepted)
			continue
		}
		for _, s := range d.vault.inRequest(c) {
			if c.Response.Status < 400 {
				accepted[s] = true
			}
			if accepted[s] && s.issued && (c.Response.Status == 401 || c.Response.Status == 403) {
				return true
			}
		}
	}
	return false
}

// gather makes the sequences.
func (d *Draft) gather(sets union) {
	byRoot := map[int]*sequence{}
	for i := range d.calls {
		root := sets.root(i)
		s := byRoot[root]
		if s == nil {
			s = &sequence{noise: map[int]*noise{}}
			byRoot[root] = s
			d.sequences = append(d.sequences, s)
		}
		s.calls = append(s.calls, i)
		if p := d.of[i]; p != nil && !s.has(p) {
			s.people = append(s.people, p)
		}
		for _, found := range d.vault.inRequest(d.calls[i]) {
			if d.isVariable(found) && !slices.ContainsFunc(s.variables, func(v variable) bool { return v.secret == found }) {
				s.variables = append(s.variables, variable{d.variableNames[found], found})
			}
		}
	}
}

// isVariable reports whether a secret is a variable.
func (d *Draft) isVariable(s *secret) bool { return d.variableNames[s] != "" }

// findVariables finds the secrets that the server accepted and no recorded response issued.
func (d *Draft) findVariables() {
	for _, c := range d.calls {
		if c.Response.Status >= 400 {
			continue
		}
		note := func(value string) {
			s := d.vault.secrets[value]
			if s != nil && !s.issued && !s.password && d.variableNames[s] == "" {
				d.variableNames[s] = fmt.Sprint("given", len(d.variableNames)+1)
			}
		}
		for _, h := range c.Request.Headers {
			switch name := strings.ToLower(h.Name); {
			case name == "authorization":
				if scheme, credentials := fields.SplitCredentials(h.Value); !strings.EqualFold(strings.TrimSpace(scheme), "basic") {
					note(credentials)
				}
			case name == "cookie":
				for _, pair := range fields.Cookies(h.Value) {
					if fields.IsSecret(pair[0]) && !strings.Contains(strings.ToLower(pair[0]), "csrf") {
						note(pair[1])
					}
				}
			case fields.IsSecretHeader(name):
				note(h.Value)
			}
		}
		for _, f := range append(fields.OfQuery(c.Request.Path), fields.OfBody(c.Request.Headers, c.Request.Body)...) {
			if f.Text && fields.IsSecret(f.Name) && !fields.IsPassword(f.Name) {
				note(f.Value)
			}
		}
	}
}

// inRequest returns the secrets that a request has.
func (v *vault) inRequest(c Call) []*secret {
	var found []*secret
	look := func(text string) {
		if s := v.secrets[text]; s != nil {
			found = append(found, s)
			return
		}
		v.table.all(text, func(e entry) {
			if e.secret != nil {
				found = append(found, e.secret)
			}
		})
	}
	look(c.Request.Path)
	for _, h := range c.Request.Headers {
		switch strings.ToLower(h.Name) {
		case "authorization":
			_, credentials := fields.SplitCredentials(h.Value)
			look(credentials)
		case "cookie":
			for _, pair := range fields.Cookies(h.Value) {
				look(pair[1])
			}
		default:
			look(h.Value)
		}
	}
	look(string(c.Request.Body))
	return found
}

// inResponse returns the secrets that a response has.
func (v *vault) inResponse(c Call) []*secret {
	var found []*secret
	look := func(text string) {
		v.table.all(text, func(e entry) {
			if e.secret != nil {
				found = append(found, e.secret)
			}
		})
	}
	for _, h := range c.Response.Headers {
		look(h.Value)
	}
	look(string(c.Response.Body))
	return found
}

func isInteger(text string) bool { return integer().MatchString(text) }

// idPattern matches ids in JSON.
var idPattern = pattern(`"(?:[A-Za-z_]*_)?(?:id|pk)"\s*:\s*([0-9]{1,19})\b`)

func shownIDs(body string) []string {
	var ids []string
	for _, m := range idPattern().FindAllStringSubmatch(body, -1) {
		ids = append(ids, m[1])
	}
	return ids
}
