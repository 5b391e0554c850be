package try

import (
	"net/url"
	"slices"
	"strings"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/console/page"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/console/target"
	"github.com/authcompat/authcompat/conformance"
	"github.com/authcompat/authcompat/conformance/wire"
	"github.com/authcompat/authcompat/profiles"
)

// maxFormBody is how many bytes the HTML of a body in the editor has at most.
const maxFormBody = 12 << 10

// stepper returns what goes through the example of a form, nil if there is none.
func (v *View) stepper(f *form) *conformance.Stepper {
	t, ok := target.Find(v.targets, f.Target)
	if !ok || t.Exchanges == nil || f.Exchange == "" {
		return nil
	}
	client, err := v.relay.Client(t.Name)
	if err != nil {
		return nil
	}
	server := &conformance.Server{URL: t.URL, State: t.State}
	s, err := t.Exchanges.Stepper(f.Exchange, server, client, conformance.Options{}, t.Users, f.Known)
	if err != nil || f.Step < 1 || f.Step > s.Len() {
		return nil
	}
	return s
}

// fillIn writes an example into the form. Of another exchange, or of one that begins anew, nothing is known yet.
func (v *View) fillIn(f *form, exchange string, step int) {
	if exchange != f.Exchange {
		f.Known = conformance.Memory{}
	}
	f.Exchange, f.Step, f.Answer = exchange, step, ""
	f.Whole, f.Escapes, f.Before = false, false, false
	s := v.stepper(f)
	if s == nil {
		f.Exchange, f.Step = "", 0
		return
	}
	if token, ok := strings.CutPrefix(f.Token, v.scheme(f)); ok && token != "" {
		s.Use(step, token)
	}
	f.Known = s.Memory()
	f.setRequest(s.Step(step).Request)
	// Nobody makes users at a server that matters to somebody without being asked to.
	t, _ := target.Find(v.targets, f.Target)
	f.Before = len(s.Preparation(step)) > 0 && s.Unmet() == "" && t.Own
}

// setRequest writes a request into the form.
func (f *form) setRequest(r wire.Request) {
	var lines []string
	for _, h := range r.Headers {
		lines = append(lines, h.Name+": "+h.Value)
	}
	headers, body := strings.Join(lines, "\n"), string(r.Body)
	f.Escapes = needsEscapes(r.Path) || needsEscapes(headers) || needsEscapes(body)
	write := func(text string) string {
		if f.Escapes {
			return escape(text)
		}
		return text
	}
	f.Method, f.Path, f.Headers = r.Method, write(r.Path), write(headers)
	if f.Body = write(body); page.HTMLSize(f.Body) > maxFormBody {
		f.Body, f.Whole = "", true
	}
}

// fillInEndpoint writes a request to an endpoint of a profile into the form: the example that shows it best, or, if no
// exchange has any, one without fields.
func (v *View) fillInEndpoint(f *form, p *profiles.Profile, e profiles.Endpoint) {
	if x, ok := exampleOf(p, v.examples[f.Target], e); ok {
		v.fillIn(f, x.Exchange, x.Step)
		return
	}
	f.Method, f.Path = e.Methods[0], e.Path
	if !slices.Contains([]string{"GET", "DELETE"}, f.Method) {
		f.Headers, f.Body = "Content-Type: application/json", "{}"
	}
	if f.Token != "" {
		f.setAuthorization(f.Token)
	}
}

// scheme returns what stands before a token in an Authorization header of the form's target, with a blank behind it.
func (v *View) scheme(f *form) string {
	t, _ := target.Find(v.targets, f.Target)
	if t.Exchanges != nil {
		if scheme := t.Exchanges.TokenScheme(); scheme != "" {
			return scheme
		}
	}
	if t.Profile != nil {
		return t.Profile.Scheme + " "
	}
	return "Token "
}

// update writes into the form what has become known since it was filled in: a field that nobody has edited
// is written anew, and in another the names of what was unknown are replaced.
func (f *form) update(before, after conformance.Step, known map[string]string) {
	was, is := *f, *f
	was.setRequest(before.Request)
	is.setRequest(after.Request)
	for _, field := range []struct {
		now     *string
		was, is string
	}{{&f.Path, was.Path, is.Path}, {&f.Headers, was.Headers, is.Headers}, {&f.Body, was.Body, is.Body}} {
		if *field.now == field.was {
			*field.now = field.is
			continue
		}
		for _, name := range before.Unknown {
			*field.now = strings.NewReplacer("${"+name+"}", known[name],
				url.QueryEscape("${"+name+"}"), url.QueryEscape(known[name])).Replace(*field.now)
		}
	}
}
