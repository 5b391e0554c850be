package conformance

import (
	"encoding/json"

	"gopkg.in/yaml.v3"

	"github.com/authcompat/authcompat/conformance/internal/jsontree"
	"github.com/authcompat/authcompat/conformance/internal/template"
)

func (l *loader) loadResponse(key string, n *yaml.Node) response {
	var r response
	bodies := 0
	body := func(n *yaml.Node) { bodies++; r.body.position = l.position(l.resolve(n)) }
	anyOrder := false
	l.mapping(key, n,
		field{name: "status", required: true, read: func(key string, n *yaml.Node) {
			r.status, r.statusPosition = l.number(key, n, 200, 599), l.position(l.resolve(n))
		}},
		field{name: "headers", read: func(key string, n *yaml.Node) { r.headers = l.headerWants(key, n) }},
		field{name: "body", read: func(key string, n *yaml.Node) {
			body(n)
			t := l.template(key, n, true)
			l.plain(key, n, t)
			if t.Source == "" {
				l.problem(n, key, "want empty: true for an empty body")
			}
			r.body.text = &t
		}},
		field{name: "json", read: func(key string, n *yaml.Node) {
			body(n)
			v := l.json(key, n, true, 0)
			r.body.json = &v
		}},
		field{name: "any_key_order", read: func(key string, n *yaml.Node) { anyOrder = l.yes(key, n) }},
		field{name: "html", read: func(key string, n *yaml.Node) { body(n); r.body.html = l.yes(key, n) }},
		field{name: "empty", read: func(key string, n *yaml.Node) { body(n); r.body.empty = l.yes(key, n) }},
	)
	if bodies != 1 {
		l.problem(n, key, "want the whole body: one of body, json, html and empty")
	}
	if anyOrder && r.body.json == nil {
		l.problem(n, key, "any_key_order goes with json only")
	}
	r.body.ordered = !anyOrder
	return r
}

func (l *loader) headerWants(key string, n *yaml.Node) []headerWant {
	var wants []headerWant
	l.entries(key, n, func(name, at string, k, v *yaml.Node) {
		l.headerName(at, k)
		h := headerWant{name: name, position: l.position(k)}
		switch r := l.resolve(v); {
		case r.Kind == yaml.SequenceNode:
			l.items(at, v, func(at string, item *yaml.Node) {
				t := l.template(at, item, true)
				l.plain(at, item, t)
				h.values = append(h.values, t)
			})
		case r.Tag == "!!null":
		default:
			t := l.template(at, v, true)
			h.any = len(t.Parts) == 1 && t.Parts[0].Placeholder != nil && t.Parts[0].Placeholder.Any
			if !h.any {
				l.plain(at, v, t)
				h.values = []template.Template{t}
			}
		}
		wants = append(wants, h)
	})
	return wants
}

// plain refuses the placeholders that have to be a whole header value or a whole JSON string.
func (l *loader) plain(key string, n *yaml.Node, t template.Template) {
	for _, part := range t.Parts {
		switch {
		case part.Placeholder == nil:
		case part.Placeholder.Any:
			l.problem(n, key, "<any> is the whole of a header's value, or nothing")
		case part.Placeholder.Text:
			l.problem(n, key, "%v is the whole of a string within json, or nothing", part.Placeholder)
		}
	}
}

// maxJSONDepth bounds the recursion: an alias can be part of the value that it names.
const maxJSONDepth = 50

// json reads a JSON value written as YAML.
func (l *loader) json(key string, n *yaml.Node, expectation bool, depth int) template.JSON {
	n = l.resolve(n)
	if depth > maxJSONDepth {
		l.problem(n, key, "is nested more than %d deep", maxJSONDepth)
		return template.JSON{}
	}
	switch n.Kind {
	case yaml.MappingNode:
		w := template.JSON{Kind: jsontree.Object}
		l.entries(key, n, func(name, at string, _, v *yaml.Node) {
			w.Members = append(w.Members, template.Member{Key: name, Value: l.json(at, v, expectation, depth+1)})
		})
		return w
	case yaml.SequenceNode:
		w := template.JSON{Kind: jsontree.Array}
		l.items(key, n, func(at string, item *yaml.Node) {
			w.Items = append(w.Items, l.json(at, item, expectation, depth+1))
		})
		return w
	}
	return l.jsonScalar(key, n, expectation)
}

func (l *loader) jsonScalar(key string, n *yaml.Node, expectation bool) template.JSON {
	switch n.Tag {
	case "!!null":
		return template.JSON{Kind: jsontree.Null}
	case "!!bool", "!!int", "!!float":
		if !json.Valid([]byte(n.Value)) {
			l.problem(n, key, "%s is not written as in JSON; quote it if it is a string", n.Value)
		}
		if n.Tag == "!!bool" {
			return template.JSON{Kind: jsontree.Bool, Text: n.Value}
		}
		return template.JSON{Kind: jsontree.Number, Text: n.Value}
	}
	w := template.JSON{Kind: jsontree.String, String: l.template(key, n, expectation)}
	if w.String.IsWhole() {
		return w
	}
	l.plain(key, n, w.String)
	for _, part := range w.String.Parts {
		if part.Placeholder != nil && part.Placeholder.Number {
			l.problem(n, key, "%v is the whole of a value, or nothing", part.Placeholder)
		}
	}
	return w
}
