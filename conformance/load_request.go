package conformance

import (
	"regexp"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/authcompat/authcompat/conformance/internal/template"
)

const tokenForm = "^[!#$%&'*+.^_`|~0-9A-Za-z-]+$"

func (l *loader) loadRequest(key string, n *yaml.Node) request {
	var r request
	bodies := 0
	l.mapping(key, n,
		field{name: "method", required: true, read: func(key string, n *yaml.Node) {
			r.method = l.matching(key, n, regexp.MustCompile(tokenForm), "an HTTP method")
		}},
		field{name: "path", required: true, read: func(key string, n *yaml.Node) {
			r.path = l.template(key, n, false)
			if !strings.HasPrefix(r.path.Source, "/") || strings.ContainsAny(r.path.Source, " \r\n") {
				l.problem(n, key, "want a path that begins with / and has no blank")
			}
		}},
		field{name: "headers", read: func(key string, n *yaml.Node) { r.headers = l.headerLines(key, n) }},
		field{name: "body", read: func(key string, n *yaml.Node) {
			bodies++
			t := l.template(key, n, false)
			r.body.text = &t
		}},
		field{name: "json", read: func(key string, n *yaml.Node) {
			bodies++
			v := l.json(key, n, false, 0)
			r.body.json = &v
		}},
		field{name: "form", read: func(key string, n *yaml.Node) {
			bodies++
			l.entries(key, n, func(name, at string, _, v *yaml.Node) {
				r.body.form = append(r.body.form, formPair{name, l.template(at, v, false)})
			})
		}},
	)
	if bodies > 1 {
		l.problem(n, key, "has more than one of body, json and form")
	}
	r.headers = withContentType(r)
	return r
}

// withContentType returns the headers with the Content-Type of the body's form, unless they have one.
// A Content-Type of ~ in the file is left out.
func withContentType(r request) []headerLine {
	kind := ""
	switch {
	case r.body.json != nil:
		kind = "application/json"
	case r.body.form != nil:
		kind = "application/x-www-form-urlencoded"
	}
	given := func(h headerLine) bool { return strings.EqualFold(h.name, "Content-Type") }
	if kind != "" && !slices.ContainsFunc(r.headers, given) {
		t, _ := template.Parse(kind, false)
		return append([]headerLine{{"Content-Type", t}}, r.headers...)
	}
	return slices.DeleteFunc(r.headers, func(h headerLine) bool { return given(h) && h.value.Source == absentHeader })
}

// absentHeader marks a Content-Type that is not sent; no value can hold a newline.
const absentHeader = "\n"

func (l *loader) headerLines(key string, n *yaml.Node) []headerLine {
	var lines []headerLine
	l.entries(key, n, func(name, at string, k, v *yaml.Node) {
		l.headerName(at, k)
		add := func(at string, v *yaml.Node) {
			t := l.template(at, v, false)
			if strings.ContainsAny(t.Source, "\r\n") {
				l.problem(v, at, "a header is one line")
			}
			lines = append(lines, headerLine{name, t})
		}
		switch r := l.resolve(v); {
		case r.Kind == yaml.SequenceNode:
			l.items(at, v, add)
		case r.Tag == "!!null" && name == "Content-Type":
			lines = append(lines, headerLine{name, template.Template{Source: absentHeader}})
		default:
			add(at, v)
		}
	})
	return lines
}

func (l *loader) headerName(key string, n *yaml.Node) {
	l.matching(key, n, regexp.MustCompile(tokenForm), "a header's name")
}
