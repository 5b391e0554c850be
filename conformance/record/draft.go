package record

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"golang.org/x/net/http/httpguts"

	"github.com/authcompat/authcompat/conformance/wire"
)

// Options say of what an exchange file is made.
type Options struct {
	Profile string // the name that the file has in its line profile:
	// UsernameMax is the longest username that the API accepts; 0 means 150.
	UsernameMax int
	// Registrations are the paths at which the profile registers users; with none, the names of paths
	// and the status 201 tell.
	Registrations []string
	// Source is what each exchange has as its source.
	Source string
}

// ErrEmpty is the error of a recording without a call.
var ErrEmpty = errors.New("nothing was recorded")

// ErrNothingLeft is the error of a recording of which no exchange can be written.
var ErrNothingLeft = errors.New("nothing of the recording can be written")

// A Draft is what becomes an exchange file. It has the secrets of the recording.
type Draft struct {
	options       Options
	calls         []Call
	vault         *vault
	people        []*person
	of            []*person // by the number of the call
	variableNames map[*secret]string
	sequences     []*sequence
	compressed    int // calls that are not in the draft
}

// isUnreadable reports whether secrets can't be found in a body: it is compressed, or in UTF-16 or UTF-32,
// which readers of JSON take as well.
func isUnreadable(c Call) bool {
	return unreadable(c.Request.Headers, c.Request.Body) || unreadable(c.Response.Headers, c.Response.Body)
}

func unreadable(headers []wire.Header, body []byte) bool {
	wide := bytes.HasPrefix(body, []byte("\xff\xfe")) || bytes.HasPrefix(body, []byte("\xfe\xff"))
	for _, h := range headers {
		switch value := strings.ToLower(h.Value); strings.ToLower(h.Name) {
		case "content-encoding":
			if value != "identity" && value != "" {
				return true
			}
		case "content-type":
			wide = wide || wideCharset().MatchString(value) ||
				strings.Contains(value, "json") && bytes.IndexByte(body[:min(2, len(body))], 0) >= 0 // RFC 4627, 3
		}
	}
	return wide && len(body) > 0
}

// NewDraft makes sequences of calls. The error is ErrEmpty.
func NewDraft(calls []Call, options Options) (*Draft, error) {
	all := len(calls)
	calls = slices.DeleteFunc(slices.Clone(calls), isUnreadable)
	if len(calls) == 0 {
		return nil, ErrEmpty
	}
	if options.UsernameMax == 0 {
		options.UsernameMax = 150
	}
	d := &Draft{options: options, compressed: all - len(calls), calls: calls, vault: newVault(), variableNames: map[*secret]string{}}
	d.vault.collect(calls)
	d.findPeople()
	d.findVariables()
	d.group()
	for i, s := range d.sequences {
		s.name = d.title(i+1, s)
	}
	return d, nil
}

// title returns the name of an exchange. Nothing that clients chose is in it but paths.
func (d *Draft) title(number int, s *sequence) string {
	r := renderer{d: d, s: &sequence{}}
	var steps []string
	for _, i := range s.calls[:min(3, len(s.calls))] {
		c := d.calls[i]
		path, _, _ := strings.Cut(c.Request.Path, "?")
		steps = append(steps, fmt.Sprintf("%s %s %d", c.Request.Method, r.text(path), c.Response.Status))
	}
	if more := len(s.calls) - len(steps); more > 0 {
		steps = append(steps, fmt.Sprintf("%d more", more))
	}
	return fmt.Sprintf("recorded %d: %s", number, strings.Join(steps, ", "))
}

// A Summary says what a draft has come to.
type Summary struct {
	Calls     int
	Sequences int
	Exchanges int // in the file
	Same      int // sequences that are not in the file, because another with the same text is
	// Unfit are the reasons why exchanges of the file cannot be replayed, by how many have each. Given
	// is how many of the others want variables.
	Unfit map[string]int
	Given int
	// Dropped is how many sequences are not in the file because they have a secret in a form that could not
	// be replaced.
	Dropped int
	// Compressed is how many calls are left out because a body is compressed, or in UTF-16 or UTF-32.
	Compressed int
	// Unwritable is how many sequences are left out because no exchange file can hold them, such as JSON that
	// is nested deep; Beyond how many because the file had conformance.MaxValues values.
	Unwritable, Beyond int
	// InPlace is how many secrets are too short, or too much of a common word, to be looked for.
	InPlace int
}

// Users returns the users who are there before exchanges begin, and Variables the values of variables,
// as the recorded server knows them. They are secrets.
func (d *Draft) known() (users map[string]credentials, variables map[string]string) {
	users, variables = map[string]credentials{}, map[string]string{}
	for _, p := range d.people {
		if p.known && !p.registered {
			users[p.name] = credentials{p.username, p.password, p.email}
		}
	}
	for s, name := range d.variableNames {
		variables[name] = s.value
	}
	return users, variables
}

type credentials struct{ username, password, email string }

// headerNames returns the names of all headers of which exchanges say something, by their names in
// lower case, as the server spells them first.
func (d *Draft) headerNames() map[string]string {
	left := unexpected()
	names := map[string]string{"content-type": "Content-Type"}
	for _, c := range d.calls {
		for _, h := range c.Response.Headers {
			if name := strings.ToLower(h.Name); name != "set-cookie" && !slices.Contains(left, name) && names[name] == "" && isToken(h.Name) {
				names[name] = h.Name
			}
		}
	}
	return names
}

// isToken reports whether a text can be a method or the name of a header (RFC 9110, 5.6.2).
func isToken(text string) bool { return httpguts.ValidHeaderFieldName(text) }

// mostCommon returns the header values that most responses have, for the defaults of the file.
func mostCommon(all []map[string][]string) map[string][]string {
	counts := map[string]map[string]int{}
	values := map[string][]string{}
	for _, headers := range all {
		for name, lines := range headers {
			key := strings.Join(lines, "\n")
			if strings.Contains(key, "${") || strings.Contains(key, ":token") {
				continue
			}
			if counts[name] == nil {
				counts[name] = map[string]int{}
			}
			counts[name][key]++
			values[key] = lines
		}
	}
	common := map[string][]string{}
	for name, by := range counts {
		keys := slices.Sorted(maps.Keys(by))
		best := slices.MaxFunc(keys, func(a, b string) int { return by[a] - by[b] })
		common[name] = values[best]
	}
	return common
}

// spelled returns the values of the headers of a response with one name, and how it spells it.
func spelled(r wire.Response, name string) (string, []string) {
	spelling, values := "", []string(nil)
	for _, h := range r.Headers {
		if strings.EqualFold(h.Name, name) {
			spelling, values = h.Name, append(values, h.Value)
		}
	}
	return spelling, values
}

// Today returns a source for exchanges that were recorded at a time.
func Today(now time.Time) string { return "recorded on " + now.UTC().Format(time.DateOnly) }
