package conformance

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/authcompat/authcompat/conformance/curl"
	"github.com/authcompat/authcompat/conformance/internal/secrets"
	"github.com/authcompat/authcompat/conformance/internal/template"
	"github.com/authcompat/authcompat/conformance/wire"
)

// maxShown is how many bytes of a body a transcript has.
const maxShown = 256 << 10

// A Call is a request of an exchange as it was sent, and the whole response. Secrets are masked: of a
// token its first four characters are left, of a password nothing.
type Call struct {
	Step     int           `json:"step"`     // from 1; 0 for the creation of a user
	Position Position      `json:"position"` // of the step
	Request  SentRequest   `json:"request"`
	Response *GotResponse  `json:"response,omitempty"` // nil if there was none
	Problem  string        `json:"problem,omitempty"`  // why there was none
	Duration time.Duration `json:"duration_ns"`
}

// A SentRequest is a request of a transcript, with all headers in the order in which they were sent.
type SentRequest struct {
	Method  string   `json:"method"`
	Path    string   `json:"path"` // with the query, and with that of the server's URL
	Headers []Header `json:"headers"`
	Body    Content  `json:"body"`
	// Curl is the command that sends the same, for a POSIX shell. Variables have the secrets, as they are
	// encoded there: PASSWORD, TOKEN, CREDENTIALS (of HTTP Basic, in base64) and COOKIE, a second one
	// PASSWORD_2. URL has the address if the server that answered was there for this exchange alone.
	Curl string `json:"curl"`
}

// A GotResponse is a response of a transcript.
type GotResponse struct {
	Status  int      `json:"status"`
	Headers []Header `json:"headers"`
	Body    Content  `json:"body"` // without its transfer coding
}

// A Header is a header line of a transcript.
type Header struct {
	Name  string  `json:"name"`
	Value Content `json:"value"`
}

// A Content is what was sent or received, which need not be text. Of a body, a transcript has the first
// 256 KiB, and then how many bytes are left out. In JSON it is a string, or if it is no UTF-8 an object
// whose only member, base64, has its bytes.
type Content string

// MarshalJSON implements json.Marshaler.
func (c Content) MarshalJSON() ([]byte, error) {
	if utf8.ValidString(string(c)) {
		return json.Marshal(string(c))
	}
	return json.Marshal(struct {
		Base64 []byte `json:"base64"`
	}{[]byte(c)})
}

// A call is what a Call is made of when all secrets of the exchange are known.
type call struct {
	number   int
	step     step
	request  wire.Request
	response *wire.Response
	err      error
	duration time.Duration
}

// secrets collects the secrets of the exchange.
func (x *replay) secrets() *secrets.Set {
	s := secrets.New()
	for _, value := range x.hidden {
		s.Add(secrets.Token, value)
	}
	for _, value := range x.scope.Captures {
		if isToken(value) {
			s.Add(secrets.Token, value)
		}
	}
	for _, u := range x.scope.Users {
		s.Add(secrets.Password, u.Password)
	}
	s.Add(secrets.Password, x.run.options.Password)
	for _, c := range x.calls {
		s.Request(c.request)
		if c.response != nil {
			s.Response(c.response)
		}
	}
	return s
}

// isToken reports whether a captured value is a token rather than a name, a number or a time.
func isToken(value string) bool {
	return len(value) >= 16 && strings.IndexFunc(value, func(r rune) bool {
		return !(r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || strings.ContainsRune("-_.~+/=", r))
	}) < 0
}

// finish makes the result fit to be shown: it masks the secrets of the exchange.
func (x *replay) finish() {
	if x.result.Outcome == Passed && !x.run.options.Transcripts {
		return // nothing of it is shown
	}
	known := x.secrets()
	for _, c := range x.calls {
		for _, text := range c.step.ownWords() {
			known.Word(text)
		}
	}
	h := known.Hider(secrets.Ellipsis)
	r := x.result
	r.Reason = h.Text(r.Reason)
	if r.Step != nil {
		r.Step.Request = h.Request(r.Step.Request)
	}
	for i := range r.Differences {
		hideDifference(h, &r.Differences[i])
	}
	if !x.run.options.Transcripts {
		return
	}
	v := curl.Variables{}
	marked := known.Hider(v.Mark)
	for _, c := range x.calls {
		shown := x.shown(c, h)
		shown.Request.Curl = v.Name(curl.Hiding(x.server.URL, x.server.Isolated, c.request, marked))
		r.Transcript = append(r.Transcript, shown)
	}
}

func hideDifference(h *secrets.Hider, d *Difference) {
	d.Problem = h.Text(d.Problem)
	hide := h.Response
	if name, ok := strings.CutPrefix(d.Part, "header "); ok {
		hide = func(text string) string { return hideLines(h, name, text) }
	}
	d.Want, d.Got = hide(d.Want), hide(d.Got)
}

// hideLines hides the values of lines of a header.
func hideLines(h *secrets.Hider, name, text string) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		if spelled, value, ok := strings.Cut(line, ": "); ok {
			lines[i] = spelled + ": " + h.Header(wire.Header{Name: name, Value: value})
		}
	}
	return strings.Join(lines, "\n")
}

// ownWords returns the texts of a step that are the API's own: names of fields, and what is expected.
// They can't refer to passwords.
func (s step) ownWords() []string {
	var all []string
	s.eachTemplate(func(key string, t template.Template) {
		if strings.HasPrefix(key, "response.") {
			all = append(all, t.Source)
		}
	})
	for _, pair := range s.request.body.form {
		all = append(all, pair.name)
	}
	for _, j := range []*template.JSON{s.request.body.json, s.response.body.json} {
		if j != nil {
			all = append(all, memberNames(*j)...)
		}
	}
	return all
}

func memberNames(j template.JSON) []string {
	var all []string
	for _, m := range j.Members {
		all = append(append(all, m.Key), memberNames(m.Value)...)
	}
	for _, item := range j.Items {
		all = append(all, memberNames(item)...)
	}
	return all
}

func (x *replay) shown(c call, h *secrets.Hider) Call {
	sent := x.client.Sent(c.request)
	shown := Call{Step: c.number, Position: c.step.position, Duration: c.duration, Request: SentRequest{
		Method: c.request.Method, Path: h.Request(sent.Path), Headers: headersOf(h, sent.Headers),
		Body: short(h.Request(string(c.request.Body))),
	}}
	if c.err != nil {
		shown.Problem = h.Text(c.err.Error())
		return shown
	}
	shown.Response = &GotResponse{Status: c.response.Status, Headers: headersOf(h, c.response.Headers), Body: short(h.Response(string(c.response.Body)))}
	return shown
}

func headersOf(h *secrets.Hider, headers []wire.Header) []Header {
	all := []Header{}
	for _, header := range headers {
		all = append(all, Header{header.Name, Content(h.Header(header))})
	}
	return all
}

// short shortens a body in which secrets are hidden already.
func short(body string) Content { return Content(atMost(maxShown, body)) }

// atMost shortens a text to so many bytes, and says how many it had more.
func atMost(most int, text string) string {
	if len(text) <= most {
		return text
	}
	end := most
	for end > most-utf8.UTFMax && !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end] + fmt.Sprintf("… %d bytes more", len(text)-end)
}
