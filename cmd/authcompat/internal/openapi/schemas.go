package openapi

import (
	"fmt"
	"net/http"
	"regexp"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/authcompat/authcompat/profiles"
	"github.com/authcompat/authcompat/profiles/template"
)

func typed(types ...string) *openapi3.Schema {
	all := openapi3.Types(types)
	return &openapi3.Schema{Type: &all}
}

func text() *openapi3.Schema { return typed("string") }

func matching(pattern string) *openapi3.Schema {
	s := text()
	s.Pattern = pattern
	return s
}

func listOf(item *openapi3.Schema) *openapi3.Schema {
	s := typed("array")
	s.Items = openapi3.NewSchemaRef("", item)
	return s
}

// anyOf gives a schema for what one of several describes.
func anyOf(schemas ...*openapi3.Schema) *openapi3.Schema {
	if len(schemas) == 1 {
		return schemas[0]
	}
	s := &openapi3.Schema{}
	for _, one := range schemas {
		s.AnyOf = append(s.AnyOf, openapi3.NewSchemaRef("", one))
	}
	return s
}

// fieldErrors describes the errors of fields: lists of sentences by their names.
func fieldErrors() *openapi3.Schema {
	s := typed("object")
	s.AdditionalProperties = openapi3.AdditionalProperties{Schema: openapi3.NewSchemaRef("", listOf(text()))}
	return s
}

// fieldsOf describes the fields of an endpoint as an object; nil: it reads none.
func fieldsOf(e profiles.Endpoint, method string) *openapi3.Schema {
	object := typed("object")
	object.Properties = openapi3.Schemas{}
	for _, f := range e.Fields {
		if f.ReadOnly || f.Role.ReadOnly() {
			continue
		}
		object.Properties[f.Name] = openapi3.NewSchemaRef("", field(f))
		if f.Required && method != http.MethodPatch {
			object.Required = append(object.Required, f.Name)
		}
	}
	if len(object.Properties) == 0 {
		return nil
	}
	return object
}

func field(f profiles.Field) *openapi3.Schema {
	s := text()
	switch {
	case f.Role == profiles.RoleAccept:
		s = typed("boolean", "string") // a form sends texts
	case f.Role == profiles.RoleAttribute:
		s = attribute(f.Type)
	case f.Role == profiles.RolePassword || f.Role == profiles.RoleCurrentPassword || f.Role == profiles.RolePasswordAgain:
		s.Format = "password"
	}
	if f.MaxLength > 0 {
		most := uint64(f.MaxLength)
		s.MaxLength = &most
	}
	if s.Title = f.Label; f.HelpText != "" {
		s.Description = f.HelpText
	}
	return s
}

// attribute describes an attribute's values.
func attribute(a template.Attribute) *openapi3.Schema {
	kinds := map[template.Type]string{template.TypeInteger: "integer", template.TypeBoolean: "boolean"}
	kind, ok := kinds[a.Type]
	if !ok {
		kind = "string"
	}
	types := []string{kind}
	if a.Null || a.Type == template.TypeDate { // an absent one
		types = append(types, "null")
	}
	s := typed(types...)
	if a.Type == template.TypeDate {
		s.Format = "date"
	}
	return s
}

// template describes the body of a reply or a failure.
func (d *document) template(t template.Template) *openapi3.Schema {
	switch t.Kind {
	case template.KindObject:
		s := typed("object")
		s.Properties = openapi3.Schemas{}
		no := false
		s.AdditionalProperties = openapi3.AdditionalProperties{Has: &no}
		for _, m := range t.Members {
			s.Properties[m.Key] = openapi3.NewSchemaRef("", d.template(m.Value))
			s.Required = append(s.Required, m.Key)
		}
		return s
	case template.KindList:
		var items []*openapi3.Schema
		for _, item := range t.Items {
			items = append(items, d.template(item))
		}
		s := typed("array")
		n := uint64(len(items))
		s.MinItems, s.MaxItems = n, &n
		if s.Items = openapi3.NewSchemaRef("", &openapi3.Schema{}); n > 0 {
			s.Items = openapi3.NewSchemaRef("", anyOf(items...))
		}
		return s
	case template.KindValue:
		return d.value(t.Value)
	case template.KindLiteral:
		return literal(t.Literal)
	}
	return text()
}

func literal(value any) *openapi3.Schema {
	var s *openapi3.Schema
	switch value.(type) {
	case string:
		s = text()
	case int64:
		s = typed("integer")
	case bool:
		s = typed("boolean")
	default:
		return typed("null")
	}
	s.Enum = []any{value}
	return s
}

// value describes a value that the engine fills in.
func (d *document) value(v template.Value) *openapi3.Schema {
	switch v.Name {
	case template.TokenKey:
		return matching(fmt.Sprintf("^%s[0-9a-f]{%d}$", regexp.QuoteMeta(d.p.Tokens.Prefix), d.p.Tokens.Hex))
	case template.TokenExpiry:
		if d.p.Tokens.TTL == 0 {
			return typed("null")
		}
		return timeText(v)
	case template.UserCreated:
		return timeText(v)
	case template.UserID, template.ErrorStatus:
		return typed("integer")
	case template.UserAttribute:
		if v.Format == template.FormatInteger {
			return typed("integer")
		}
		return attribute(v.Type)
	case template.FieldErrors:
		return fieldErrors()
	case template.UserEmail:
		if v.Format == template.FormatGravatar {
			return matching("^[0-9a-f]{32}$")
		}
	}
	return text()
}

// timeText describes a time. A profile's own formats are not looked into.
func timeText(v template.Value) *openapi3.Schema {
	const iso = `^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}`
	switch {
	case v.Time != template.TimeFormat{}:
		return text()
	case v.Format == template.FormatDayMonthYear:
		return matching(`^[0-9]{2}-[0-9]{2}-[0-9]{4} [0-9]{2}:[0-9]{2}$`)
	case v.Format == template.FormatMilliseconds:
		return matching(iso + `(\.[0-9]{3})?Z$`)
	}
	return matching(iso + `(\.[0-9]{6})?Z$`)
}
