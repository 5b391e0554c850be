package differential

import (
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/authcompat/authcompat/conformance/wire"
)

// A Part is a part of two responses that differs. Name is "status", "body", or the name of a header in
// lower case; the value of a header is all of its lines.
type Part struct {
	Name               string
	Reference, Subject string
}

// compare returns the parts that differ. Tokens, ids and times are ignored, and so are the bodies of
// HTML pages. With cookies, it is compared whether both vary by cookie, but of pages, which are
// not reproduced.
func compare(method string, cookies bool, reference, subject *wire.Response) []Part {
	var parts []Part
	note := func(name, g, o string) {
		if g != o {
			parts = append(parts, Part{name, g, o})
		}
	}
	note("status", strconv.Itoa(reference.Status), strconv.Itoa(subject.Status))
	page := isPage(reference) && isPage(subject)
	g, o := headers(reference, method == "HEAD" && !page), headers(subject, method == "HEAD" && !page)
	if (!cookies || page) && strings.Contains(g["vary"], "Cookie") {
		delete(g, "vary")
		delete(o, "vary")
	}
	all := maps.Clone(g)
	maps.Copy(all, o)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		note(name, g[name], o[name])
	}
	if !page {
		note("body", normalise(reference.Body), normalise(subject.Body))
	}
	return parts
}

// compareExactly returns the parts that differ, of responses that may differ in Date alone.
func compareExactly(reference, subject *wire.Response) []Part {
	var parts []Part
	note := func(name, r, s string) {
		if r != s {
			parts = append(parts, Part{name, r, s})
		}
	}
	note("status", strconv.Itoa(reference.Status), strconv.Itoa(subject.Status))
	note("headers", undated(reference.Headers), undated(subject.Headers))
	note("body", string(reference.Body), string(subject.Body))
	return parts
}

// undated returns header lines without Date.
func undated(headers []wire.Header) string {
	var b strings.Builder
	for _, h := range headers {
		if !strings.EqualFold(h.Name, "Date") {
			b.WriteString(h.Name + ": " + h.Value + "\n")
		}
	}
	return b.String()
}

// headers returns the lines of each header that the application controls, by its name in lower case.
// The value of Content-Length is left out unless length is set: bodies are compared themselves.
func headers(r *wire.Response, length bool) map[string]string {
	lines := map[string]string{}
	for _, h := range r.Headers {
		name := strings.ToLower(h.Name)
		switch name {
		case "server", "date", "connection", "transfer-encoding", "set-cookie":
			continue
		case "content-length":
			if !length {
				h.Value = "<length>"
			}
		}
		if lines[name] != "" {
			lines[name] += "\n"
		}
		lines[name] += h.Name + ": " + h.Value
	}
	return lines
}

func isPage(r *wire.Response) bool {
	kind, _ := r.Value("Content-Type")
	return strings.HasPrefix(kind, "text/html")
}

// placeholders replace what differs between any two servers.
var placeholders = []struct {
	pattern *regexp.Regexp
	with    string
}{
	{regexp.MustCompile(`"[0-9a-f]{64}"`), `"<hex64>"`},
	{regexp.MustCompile(`"[0-9a-f]{40}"`), `"<hex40>"`},
	{regexp.MustCompile(`"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{6})?Z"`), `"<datetime>"`},
	{regexp.MustCompile(`"id":( ?)[0-9]+`), `"id":$1<id>`},
}

func normalise(body []byte) string {
	text := string(body)
	for _, p := range placeholders {
		text = p.pattern.ReplaceAllString(text, p.with)
	}
	return text
}
