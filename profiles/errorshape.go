package profiles

import (
	"github.com/authcompat/authcompat/profiles/internal/yamlvalue"
	"github.com/authcompat/authcompat/profiles/template"
)

// readErrors reads what failures look like over what into has. It gives the map that it
// read.
func readErrors(v yamlvalue.Value, f Family, into *Errors) *yamlvalue.Map {
	m := v.Mapping()
	ofFamily(m, f, FormJSON, "", "status", &into.Status, yamlvalue.Integer(200, 599))
	if f.oneOf(FormJSON, PlainJSON) {
		yamlvalue.Optional(m, "body", &into.Body, failure(f).Read)
	} else {
		m.Forbid("body", "is of families %s and %s; the failures of family %s have the shape of detail", FormJSON, PlainJSON, f)
	}
	if f.oneOf(DRF, FormJSON) {
		detail := template.Place{Name: "the detail of errors", Values: []template.ValueName{template.ErrorMessage, template.ErrorStatus}}
		yamlvalue.Optional(m, "detail", &into.Detail, detail.Read)
	} else {
		m.Forbid("detail", "is of families %s and %s; the failures of family %s have the shape of body", DRF, FormJSON, f)
	}
	ofFamily(m, f, DRF, "", "non_field", &into.NonField, fieldName)
	m.Done()
	return m
}

// failure gives the place of a failure's body, with what it can show: the errors of a
// form, or the one message of a plain view.
func failure(f Family) template.Place {
	at := template.Place{Name: "the body of errors"}
	if f.oneOf(PlainJSON) {
		at.Values = append(at.Values, template.ErrorMessage, template.ErrorStatus)
	}
	if f.oneOf(FormJSON) {
		at.Values = append(at.Values, template.FieldErrors)
	}
	return at
}
