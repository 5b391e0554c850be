package try

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/authcompat/authcompat/conformance"
	"github.com/authcompat/authcompat/conformance/wire"
)

// A form is the request editor with all that it remembers. The server keeps nothing: what is known of an
// exchange, the token in use and the history are in the page, and end with it.
type form struct {
	Target  string
	Method  string
	Path    string
	Headers string // lines
	Body    string
	Escapes bool // in path, headers and body, \xff and the like are bytes
	Whole   bool // the body is that of the example, which is too long to be shown
	Before  bool // what comes before the step is done first
	memory
}

// A memory is the part of a form that nobody edits.
type memory struct {
	// Exchange and Step are the example that was filled in; empty and 0: there is none.
	Exchange string             `json:"exchange,omitempty"`
	Step     int                `json:"step,omitempty"`
	Known    conformance.Memory `json:"known"`
	Token    string             `json:"token,omitempty"`  // in use
	Answer   string             `json:"answer,omitempty"` // the token of the last response
	Past     []past             `json:"past,omitempty"`   // the latest first
}

// maxState is how many bytes a form may remember, as it is sent. The size of all of it is the guard's matter.
const maxState = 64 << 10

// readForm reads a form that was sent. The error says in a sentence what is wrong with it.
func readForm(r *http.Request) (*form, error) {
	if err := r.ParseForm(); err != nil {
		var long *http.MaxBytesError
		if errors.As(err, &long) {
			return nil, fmt.Errorf("the form has more than %d bytes: %w", long.Limit, err)
		}
		return nil, errors.New("this is no form that the console has made")
	}
	lines := func(name string) string { return strings.ReplaceAll(r.PostForm.Get(name), "\r\n", "\n") }
	f := &form{
		Target: r.PostForm.Get("target"), Method: r.PostForm.Get("method"), Path: r.PostForm.Get("path"),
		Headers: lines("headers"), Body: lines("body"),
		Escapes: r.PostForm.Has("escapes"), Whole: r.PostForm.Has("whole"), Before: r.PostForm.Has("before"),
	}
	state := r.PostForm.Get("state")
	if len(state) > maxState {
		return nil, errors.New("this form remembers more than the console has written")
	}
	if state == "" {
		return f, nil
	}
	text, err := base64.RawURLEncoding.DecodeString(state)
	if err == nil {
		err = json.Unmarshal(text, &f.memory)
	}
	if err != nil {
		return nil, errors.New("what this form remembers is not what the console has written")
	}
	f.bound()
	return f, nil
}

// maxValue is how many bytes a value may have that a server gave and the page remembers.
const maxValue = 4 << 10

// bound forgets what is too long to be remembered: a page has an end, whatever a server sends.
func (f *form) bound() {
	for name, value := range f.Known.Captures {
		if len(value) > maxValue {
			delete(f.Known.Captures, name)
		}
	}
	if len(f.Token) > maxValue {
		f.Token = ""
	}
	if len(f.Answer) > maxValue {
		f.Answer = ""
	}
	f.Past = f.Past[:min(len(f.Past), maxPast)]
	for whole, i := 0, 0; i < len(f.Past); i++ {
		if whole += f.Past[i].size(); whole > maxPastWhole {
			f.Past = f.Past[:i]
		}
	}
}

// State returns what the form remembers, as a hidden field has it.
func (f *form) State() (string, error) {
	text, err := json.Marshal(f.memory)
	if err != nil {
		return "", err
	}
	return base64.RawURLEncoding.EncodeToString(text), nil
}

// request returns the request that was written, with the body of the example where that is what is sent.
func (f *form) request(example []byte) (wire.Request, error) {
	r := wire.Request{Method: f.Method}
	var err error
	if r.Path, err = f.bytes("path", f.Path); err != nil {
		return r, err
	}
	if r.Headers, err = f.headers(); err != nil {
		return r, err
	}
	if f.Whole {
		r.Body = example
		return r, nil
	}
	body, err := f.bytes("body", f.Body)
	r.Body = []byte(body)
	return r, err
}

// bytes returns what a text of the form stands for.
func (f *form) bytes(what, text string) (string, error) {
	if !f.Escapes {
		return text, nil
	}
	found, err := unescape(text)
	if err != nil {
		return "", fmt.Errorf("%s: %w", what, err)
	}
	return found, nil
}

// headers returns the header lines. A line without a colon is a header without a name, which package relay refuses.
func (f *form) headers() ([]wire.Header, error) {
	var all []wire.Header
	for line := range strings.SplitSeq(f.Headers, "\n") {
		if line == "" {
			continue
		}
		name, value, found := strings.Cut(line, ":")
		if !found {
			return nil, fmt.Errorf("header line %d has no colon: want Name: value", len(all)+1)
		}
		value, err := f.bytes("header line "+strconv.Itoa(len(all)+1), strings.TrimPrefix(value, " "))
		if err != nil {
			return nil, err
		}
		all = append(all, wire.Header{Name: name, Value: value})
	}
	return all, nil
}

// setAuthorization puts a value in the place of the Authorization header, or adds one.
func (f *form) setAuthorization(value string) {
	if f.Escapes {
		value = escape(value)
	}
	var lines []string
	done := false
	for line := range strings.SplitSeq(f.Headers, "\n") {
		name, _, _ := strings.Cut(line, ":")
		switch {
		case strings.EqualFold(name, "Authorization") && done:
			continue
		case strings.EqualFold(name, "Authorization"):
			line, done = name+": "+value, true
		case line == "":
			continue
		}
		lines = append(lines, line)
	}
	if !done {
		lines = append(lines, "Authorization: "+value)
	}
	f.Headers = strings.Join(lines, "\n")
}
