package conformance

import (
	"encoding/json"

	"gopkg.in/yaml.v3"

	"github.com/authcompat/authcompat/conformance/internal/jsontree"
	"github.com/authcompat/authcompat/conformance/internal/template"
)

func loadResponse(v value) response {
	var r response
	bodies := 0
	body := func(v value) { bodies++; r.body.position = v.written() }
	anyOrder := false
	v.mapping(
		field{name: "status", required: true, read: func(v value) {
			r.status, r.statusPosition = v.number(200, 599), v.written()
		}},
		field{name: "headers", read: func(v value) { r.headers = v.headerWants() }},
		field{name: "body", read: func(v value) {
			body(v)
			t := v.template(true)
			v.plain(t)
			if t.Source == "" {
				v.Refuse("want empty: true for an empty body")
			}
			r.body.text = &t
		}},
		field{name: "json", read: func(v value) {
			body(v)
			json := v.json(true)
			r.body.json = &json
		}},
		field{name: "any_key_order", read: func(v value) { anyOrder = v.yes() }},
		field{name: "html", read: func(v value) { body(v); r.body.html = v.yes() }},
		field{name: "empty", read: func(v value) { body(v); r.body.empty = v.yes() }},
	)
	if bodies != 1 {
		v.Refuse("want the whole body: one of body, json, html and empty")
	}
	if anyOrder && r.body.json == nil {
		v.Refuse("any_key_order goes with json only")
	}
	r.body.ordered = !anyOrder
	return r
}

func (v value) headerWants() []headerWant {
	var wants []headerWant
	for e := range v.entries() {
		checkHeaderName(e)
		h := headerWant{name: e.Name, position: e.Position}
		value{e.Value}.noteHeader()
		switch v := (value{e.Value}); {
		case v.Node.Kind == yaml.SequenceNode:
			for _, item := range v.items() {
				t := item.template(true)
				item.plain(t)
				h.values = append(h.values, t)
			}
		case v.IsNull():
		default:
			t := v.template(true)
			h.any = len(t.Parts) == 1 && t.Parts[0].Placeholder != nil && t.Parts[0].Placeholder.Any
			if !h.any {
				v.plain(t)
				h.values = []template.Template{t}
			}
		}
		wants = append(wants, h)
	}
	return wants
}

// plain refuses the placeholders that have to be a whole header value or a whole JSON string.
func (v value) plain(t template.Template) {
	for _, part := range t.Parts {
		switch {
		case part.Placeholder == nil:
		case part.Placeholder.Any:
			v.Refuse("<any> is the whole of a header's value, or nothing")
		case part.Placeholder.Text:
			v.Refuse("%v is the whole of a string within json, or nothing", part.Placeholder)
		}
	}
}

// json reads a JSON value written as YAML.
func (v value) json(expectation bool) template.JSON {
	v.Shape().Anything()
	switch v.Node.Kind {
	case yaml.MappingNode:
		w := template.JSON{Kind: jsontree.Object}
		for e := range v.entries() {
			w.Members = append(w.Members, template.Member{Key: e.Name, Value: value{e.Value}.json(expectation)})
		}
		return w
	case yaml.SequenceNode:
		w := template.JSON{Kind: jsontree.Array}
		for _, item := range v.items() {
			w.Items = append(w.Items, item.json(expectation))
		}
		return w
	}
	return v.jsonScalar(expectation)
}

func (v value) jsonScalar(expectation bool) template.JSON {
	switch v.Node.Tag {
	case "!!null":
		return template.JSON{Kind: jsontree.Null}
	case "!!bool", "!!int", "!!float":
		if !json.Valid([]byte(v.Node.Value)) {
			v.Refuse("%s is not written as in JSON; quote it if it is a string", v.Node.Value)
		}
		if v.Node.Tag == "!!bool" {
			return template.JSON{Kind: jsontree.Bool, Text: v.Node.Value}
		}
		return template.JSON{Kind: jsontree.Number, Text: v.Node.Value}
	}
	w := template.JSON{Kind: jsontree.String, String: v.template(expectation)}
	if w.String.IsWhole() {
		return w
	}
	v.plain(w.String)
	for _, part := range w.String.Parts {
		if part.Placeholder != nil && part.Placeholder.Number {
			v.Refuse("%v is the whole of a value, or nothing", part.Placeholder)
		}
	}
	return w
}
