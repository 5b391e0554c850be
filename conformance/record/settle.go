package record

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"maps"
	"strings"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/authcompat/authcompat/conformance"
	"github.com/authcompat/authcompat/conformance/internal/fields"
	"github.com/authcompat/authcompat/conformance/internal/jsontree"
	"github.com/authcompat/authcompat/conformance/wire"
)

// maxRounds is how often Settle replays what did not pass. Each time at least one step more does, or
// the exchange is given up.
const maxRounds = 30

// An At is the server at which a draft is replayed.
type At struct {
	URL     string
	Timeout time.Duration
	TLS     *tls.Config // nil for the defaults
}

// Settle replays the draft at the recorded server. A value that differs there is noise, and becomes a
// placeholder of its type; an exchange that differs otherwise becomes one that is not replayable, with
// the reason. Users who were there before the recording log in with the passwords that were recorded,
// users whom the recording registers are registered again under names of their own. A variable without
// whose value an exchange passes is none. What changes a user who was
// there before is not replayed: it would change the user again. The error is that of the context, or says
// that the server could not be reached; the draft is good without, too.
func (d *Draft) Settle(ctx context.Context, at At) error {
	left, variables := map[int]bool{}, map[int][]variable{}
	for i, s := range d.sequences {
		if s.unfit != "" || s.changesSomebody() {
			continue
		}
		left[i] = true
		if len(s.variables) > 0 { // a made-up value may do as well
			variables[i], s.variables = s.variables, nil
		}
	}
	if err := d.settle(ctx, at, left); err != nil {
		for i, needed := range variables {
			d.sequences[i].variables = needed
		}
		return err
	}
	again := map[int]bool{}
	for i, needed := range variables {
		if s := d.sequences[i]; s.unfit != "" {
			s.unfit, s.variables, s.noise = "", needed, map[int]*noise{}
			again[i] = true
		}
	}
	return d.settle(ctx, at, again)
}

// settle replays the sequences that are left until none is.
func (d *Draft) settle(ctx context.Context, at At, left map[int]bool) error {
	for range maxRounds {
		if len(left) == 0 {
			return nil
		}
		if err := d.round(ctx, at, left); err != nil {
			return err
		}
	}
	for i := range left {
		d.sequences[i].unfit = "its responses were never the same twice at the recorded server"
	}
	return nil
}

// changesSomebody reports whether the sequence changes a user who was there before the recording.
func (s *sequence) changesSomebody() bool {
	for _, p := range s.people {
		if p.changed && !p.registered {
			return true
		}
	}
	return false
}

// round replays the sequences that are left, and leaves those that have to be replayed again.
func (d *Draft) round(ctx context.Context, at At, left map[int]bool) error {
	var numbers []int
	byName := map[string]int{}
	for i, s := range d.sequences {
		if left[i] {
			numbers = append(numbers, i)
			byName[s.name] = i
		}
	}
	data, _, err := d.encode(numbers)
	if err != nil {
		return err
	}
	file, err := conformance.Load("the recording", data)
	if err != nil {
		return fmt.Errorf("the recording makes no exchange file: %w", err)
	}
	got := map[string]map[int]*wire.Response{}
	options := conformance.Options{Timeout: at.Timeout, TLS: at.TLS, Users: map[string]conformance.User{},
		Observe: func(exchange string, step int, r *wire.Response) {
			if got[exchange] == nil {
				got[exchange] = map[int]*wire.Response{}
			}
			got[exchange][step] = r
		}}
	users, variables := d.known()
	options.Variables = variables
	for name, u := range users {
		options.Users[name] = conformance.User{Username: u.username, Password: u.password, Email: u.email}
	}
	report := conformance.Run(ctx, []*conformance.File{file}, conformance.Target{file.Profile: at.URL}, options)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	for _, result := range report.Profiles[0].Results {
		i := byName[result.Exchange]
		s := d.sequences[i]
		switch result.Outcome {
		case conformance.Passed:
			delete(left, i)
		case conformance.Mismatch:
			if d.learn(s, result, got[result.Exchange]) {
				continue
			}
			delete(left, i)
		case conformance.NotReplayable:
			s.unfit = result.Reason
			delete(left, i)
		default:
			return errors.New("the recorded server: " + result.Reason)
		}
	}
	return nil
}

// learn makes noise of what differs in a step. It reports whether the sequence is worth another try.
func (d *Draft) learn(s *sequence, result conformance.Result, got map[int]*wire.Response) bool {
	position := result.Step.Number - 1
	r := got[result.Step.Number]
	if position < 0 || r == nil {
		s.unfit = "a user could not be registered when it was replayed at the recorded server"
		return false
	}
	recorded := d.calls[s.calls[position]].Response
	where := fmt.Sprintf("step %d, when it was replayed at the recorded server: ", position+1)
	if r.Status != recorded.Status {
		s.unfit = fmt.Sprintf("%sthe status was %d and is %d", where, recorded.Status, r.Status)
		return false
	}
	n := s.noise[position]
	if n == nil {
		n = &noise{headers: map[string]bool{}, values: map[string]string{}}
	}
	before := len(n.headers) + len(n.values)
	for _, difference := range result.Differences {
		name, isHeader := strings.CutPrefix(difference.Part, "header ")
		switch {
		case isHeader:
			if strings.EqualFold(name, "Set-Cookie") {
				s.unfit = where + "other cookies were set"
				return false
			}
			n.headers[strings.ToLower(name)] = true
		case difference.Part == "body":
			values, ok := noisy(recorded.Body, r.Body)
			if !ok {
				s.unfit = where + "the body differs in more than single values"
				return false
			}
			maps.Copy(n.values, d.unexplained(s, position, values))
		}
	}
	if len(n.headers)+len(n.values) == before {
		s.unfit = where + "what differs is a value that was recorded of a user or a token"
		return false
	}
	s.noise[position] = n
	return true
}

// unexplained returns the placeholders of those values that are not written as references or
// placeholders anyway.
func (d *Draft) unexplained(s *sequence, position int, values map[string]string) map[string]string {
	recorded := d.calls[s.calls[position]].Response.Body
	v, err := fields.ParseJSON(recorded)
	if err != nil {
		return nil
	}
	left := map[string]string{}
	r := d.renderer(s)
	r.response = true
	// Secrets that earlier steps have captured are references, whatever their names.
	for _, secret := range d.vault.secrets {
		if secret.issued {
			r.refs[secret] = "token"
		}
	}
	jsonNode("", v, func(name, path string, v jsontree.Value) *yaml.Node {
		if p := values[path]; p != "" {
			written := r.expected(`"`+name+`":"`+v.Text+`"`, map[*secret]string{}, func(string) bool { return false })
			if v.Kind == jsontree.Number {
				written = r.expected(`"`+name+`":`+v.Text, map[*secret]string{}, func(string) bool { return false })
			}
			if !strings.Contains(written, "${") && !strings.Contains(strings.ReplaceAll(written, "<<", ""), "<") {
				left[path] = p
			}
		}
		return text("")
	}, "$")
	return left
}

// noisy returns a placeholder for each value that differs between two JSON bodies, by its path. It
// reports whether there is one for each.
func noisy(a, b []byte) (map[string]string, bool) {
	v, errV := fields.ParseJSON(a)
	w, errW := fields.ParseJSON(b)
	if errV != nil || errW != nil {
		return nil, false
	}
	values := map[string]string{}
	return values, differ(v, w, "$", values)
}

func differ(v, w jsontree.Value, path string, values map[string]string) bool {
	if v.Kind != w.Kind || len(v.Items) != len(w.Items) || len(v.Members) != len(w.Members) {
		return false
	}
	for i := range v.Items {
		if !differ(v.Items[i], w.Items[i], fmt.Sprintf("%s[%d]", path, i), values) {
			return false
		}
	}
	for i := range v.Members {
		if v.Members[i].Key != w.Members[i].Key || !differ(v.Members[i].Value, w.Members[i].Value, path+"."+v.Members[i].Key, values) {
			return false
		}
	}
	if v.Text == w.Text {
		return true
	}
	switch {
	case v.Kind == jsontree.Number && isWhole(v.Text) && isWhole(w.Text):
		values[path] = "integer"
	case v.Kind == jsontree.String:
		values[path] = common(v.Text, w.Text)
	default:
		return false
	}
	return true
}

func isWhole(text string) bool { return !strings.ContainsAny(text, ".eE") }

// common returns the narrowest placeholder that matches two texts.
func common(a, b string) string {
	if p := timePlaceholder(a); p != "" && p == timePlaceholder(b) {
		return p
	}
	p, q := secretPlaceholder(a), secretPlaceholder(b)
	switch {
	case p != "" && p == q && (p != "token68" || fields.IsOpaque(a) && fields.IsOpaque(b)):
		return p
	case fields.IsOpaque(a) && fields.IsOpaque(b):
		return "token68"
	}
	return "text"
}
