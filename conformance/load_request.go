package conformance

import (
	"regexp"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/authcompat/authcompat/conformance/internal/template"
	"github.com/authcompat/authcompat/profiles/yamlfile"
)

const tokenForm = "^[!#$%&'*+.^_`|~0-9A-Za-z-]+$"

func loadRequest(v value) request {
	var r request
	bodies := 0
	v.mapping(
		field{name: "method", required: true, read: func(v value) {
			r.method = v.matching(regexp.MustCompile(tokenForm), "an HTTP method")
		}},
		field{name: "path", required: true, read: func(v value) {
			r.path = v.template(false)
			if !strings.HasPrefix(r.path.Source, "/") || strings.ContainsAny(r.path.Source, " \r\n") {
				v.Refuse("want a path that begins with / and has no blank")
			}
		}},
		field{name: "headers", read: func(v value) { r.headers = v.headerLines() }},
		field{name: "body", read: func(v value) {
			bodies++
			t := v.template(false)
			r.body.text = &t
		}},
		field{name: "json", read: func(v value) {
			bodies++
			json := v.json(false)
			r.body.json = &json
		}},
		field{name: "form", read: func(v value) {
			bodies++
			for e := range v.entries() {
				r.body.form = append(r.body.form, formPair{e.Name, value{e.Value}.template(false)})
			}
		}},
	)
	if bodies > 1 {
		v.Refuse("has more than one of body, json and form")
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

func (v value) headerLines() []headerLine {
	var lines []headerLine
	for e := range v.entries() {
		checkHeaderName(e)
		add := func(v value) {
			t := v.template(false)
			if strings.ContainsAny(t.Source, "\r\n") {
				v.Refuse("a header is one line")
			}
			lines = append(lines, headerLine{e.Name, t})
		}
		value{e.Value}.noteHeader()
		switch v := (value{e.Value}); {
		case v.Node.Kind == yaml.SequenceNode:
			for _, item := range v.items() {
				add(item)
			}
		case v.IsNull() && e.Name == "Content-Type":
			lines = append(lines, headerLine{e.Name, template.Template{Source: absentHeader}})
		default:
			add(v)
		}
	}
	return lines
}

func checkHeaderName(e yamlfile.Entry) {
	if !regexp.MustCompile(tokenForm).MatchString(e.Name) {
		e.Refuse("%q is not a header's name", e.Name)
	}
}
