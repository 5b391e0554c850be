package record

import (
	"fmt"
	"github.com/authcompat/authcompat/conformance/internal/fields"
	"regexp"
	"slices"
	"strings"

	"github.com/authcompat/authcompat/conformance/wire"
)

// A noise is what differs when a request is sent again, and means nothing.
type noise struct {
	headers map[string]bool   // by their names
	values  map[string]string // placeholders of values in JSON, by their paths
}

// A span is a part of a response that the server makes up.
type span struct {
	from, to    int
	placeholder string
	secret      *secret // to capture
	id          string  // to capture
}

// isTime reports whether a text is a point in time.
func isTime(text string) bool {
	return dateAndTime().MatchString(text)
}

// timeForms are the forms of a point in time.
var timeForms = []struct {
	pattern     func() *regexp.Regexp
	placeholder string
}{
	{pattern(`^[0-9-]{10}T[0-9:]{8}\.[0-9]{6}Z$`), "datetime, microseconds-Z"},
	{pattern(`^[0-9-]{10}T[0-9:]{8}\.[0-9]{3}Z$`), "datetime, milliseconds-Z"},
	{pattern(`^[0-9-]{10}T[0-9:]{8}(\.[0-9]{1,6})?(Z|[+-][0-9]{2}:[0-9]{2})$`), "datetime"},
	{pattern(`^[0-9]{2}-[0-9]{2}-[0-9]{4} [0-9]{2}:[0-9]{2}$`), "datetime, DD-MM-YYYY HH:MM"},
	{pattern(`^[A-Z][a-z]{2}, [0-9]{2} [A-Z][a-z]{2} [0-9]{4} [0-9:]{8} GMT$`), "datetime, IMF-fixdate"},
}

// timePlaceholder returns the placeholder of a point in time, empty if the text is in no form of one.
func timePlaceholder(text string) string {
	for _, form := range timeForms {
		if form.pattern().MatchString(text) {
			return form.placeholder
		}
	}
	return ""
}

// secretPlaceholder returns the placeholder of an issued secret, empty if there is none.
func secretPlaceholder(value string) string {
	switch {
	case hexDigits().MatchString(value):
		return fmt.Sprint("hex", len(value))
	case fields.IsToken68(value):
		return "token68"
	}
	return ""
}

// spans finds what the server makes up in text: in quotes, or after = in a cookie.
func (r *renderer) spans(text string) []span {
	var spans []span
	for i := 0; i < len(text); i++ {
		if text[i] == '"' {
			end := strings.IndexByte(text[i+1:], '"')
			if end <= 0 {
				continue
			}
			inner := text[i+1 : i+1+end]
			if p := timePlaceholder(inner); p != "" {
				spans = append(spans, span{from: i + 1, to: i + 1 + end, placeholder: p})
				i += end
				continue
			}
		}
		e, ok := r.d.vault.table.at(text, i)
		if ok && e.secret != nil && e.secret.issued && e.form == e.secret.value {
			if p := secretPlaceholder(e.form); p != "" && ends(text, i+len(e.form)) {
				spans = append(spans, span{from: i, to: i + len(e.form), placeholder: p, secret: e.secret})
			}
		}
		if ok {
			i += len(e.form) - 1
		}
	}
	for _, m := range idPattern().FindAllStringSubmatchIndex(text, -1) {
		if id := text[m[2]:m[3]]; id == "0" || id[0] != '0' {
			spans = append(spans, span{from: m[2], to: m[3], placeholder: "integer", id: id})
		}
	}
	return spans
}

// ends reports whether a placeholder that begins before a place in a text would match nothing behind it.
func ends(text string, at int) bool {
	return at == len(text) || !fields.IsToken68(text[at:at+1]) && text[at] != '='
}

// expected writes a text of a response. What is captured in it is added to captured: references can
// name it from the next request on. later reports whether something is needed after the response.
func (r *renderer) expected(text string, captured map[*secret]string, later func(string) bool) string {
	b := templateWriter{response: true}
	at := 0
	for _, s := range sorted(r.spans(text)) {
		if s.from < at {
			continue
		}
		b.WriteString(r.text(text[at:s.from]))
		b.dollar = at < s.from && text[s.from-1] == '$'
		at = s.to
		switch name := r.refs[s.secret]; {
		case s.secret != nil && name != "":
			b.reference(name)
		case s.secret != nil && captured[s.secret] == "" && later(s.secret.value):
			captured[s.secret] = fmt.Sprint("token", len(r.refs)+len(captured)-len(r.s.variables)+1)
			b.placeholder(s.placeholder + ":" + captured[s.secret])
		case s.id != "" && r.ids[s.id] == "" && later("/"+s.id):
			r.ids[s.id] = fmt.Sprint("id", len(r.ids)+1)
			b.placeholder(s.placeholder + ":" + r.ids[s.id])
		default:
			b.placeholder(s.placeholder)
		}
	}
	b.WriteString(r.text(text[at:]))
	return b.String()
}

func sorted(spans []span) []span {
	slices.SortStableFunc(spans, func(a, b span) int { return a.from - b.from })
	return spans
}

// unexpected are the headers of which exchanges say nothing, by their names in lower case: those about
// the connection, the body's length, the moment, the machine, or caches.
func unexpected() []string {
	return append(ofConnection(), "server", "date", "content-length", "via", "age", "alt-svc", "x-request-id", "x-runtime", "x-response-time",
		"etag", "last-modified", "expires", "cf-ray", "cf-cache-status", "x-powered-by", "content-encoding", "report-to", "nel", "server-timing")
}

// isPage reports whether a response is an HTML page.
func isPage(r wire.Response) bool {
	kind, _ := r.Value("Content-Type")
	return strings.HasPrefix(strings.ToLower(kind), "text/html")
}
