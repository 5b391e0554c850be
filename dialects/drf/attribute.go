package drf

import (
	"regexp"
	"strconv"
	"time"

	"github.com/authcompat/authcompat/dialects/internal/django"
	"github.com/authcompat/authcompat/dialects/internal/pyjson"
	"github.com/authcompat/authcompat/profiles"
	"github.com/authcompat/authcompat/profiles/template"
)

// typed reads a field that is no text, or null (rest_framework/fields.py 3.14, IntegerField,
// BooleanField and DateField), keeps it as the text of core.User.Attributes, and gives its
// errors. form says that it is one of a form, in which a box that is not ticked is not sent.
func (s *serializer) typed(f profiles.Field, raw any, sent, form bool) []any {
	if !sent && form && f.Type.Type == template.TypeBoolean {
		raw, sent = false, true // BooleanField.default_empty_html
	}
	if !sent {
		if f.Required {
			return []any{s.message("required")}
		}
		return nil
	}
	if f.Type.Null && (raw == nil || f.Type.Type == template.TypeBoolean && (raw == "null" || raw == "Null" || raw == "NULL" || raw == "")) {
		s.keep(f, nil)
		return nil
	}
	if raw == nil {
		return []any{s.message("null")}
	}
	var text, failure string
	var ok bool
	switch f.Type.Type {
	case template.TypeInteger:
		text, ok = integer(raw)
		failure = "integer_invalid"
	case template.TypeBoolean:
		text, ok = boolean(raw)
		failure = "boolean_invalid"
	default:
		text, ok = date(raw)
		failure = "date_invalid"
	}
	if !ok {
		return []any{s.message(failure)}
	}
	s.keep(f, &text)
	return nil
}

// maxInteger is the longest text that IntegerField reads, in code points.
const maxInteger = 1000

var decimals = regexp.MustCompile(`\.0*[\t-\r ]*$`)

// integer reads an integer as IntegerField does, if it has 64 bits: a genuine server fails on
// those that its column has no room for.
func integer(raw any) (string, bool) {
	text := ""
	switch value := raw.(type) {
	case string:
		text = value
	case pyjson.Int, float64:
		text = pyjson.Str(value)
	}
	if len(text) > maxInteger {
		return "", false
	}
	n, ok := django.ParseInt(decimals.ReplaceAllString(text, ""))
	return strconv.FormatInt(n, 10), ok
}

// boolean reads one of BooleanField's words.
func boolean(raw any) (string, bool) {
	switch raw {
	case true, "t", "T", "y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON", "1", pyjson.Int("1"), 1.0:
		return "true", true
	case false, "f", "F", "n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF", "0", pyjson.Int("0"), 0.0:
		return "false", true
	}
	return "", false
}

var isoDate = regexp.MustCompile(`^([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})\n?$`)

// date reads a date as django.utils.dateparse.parse_date does, with ASCII digits.
func date(raw any) (string, bool) {
	text, _ := raw.(string)
	m := isoDate.FindStringSubmatch(text)
	if m == nil {
		return "", false
	}
	t, err := time.Parse("2006-1-2", m[1]+"-"+m[2]+"-"+m[3])
	return t.Format(time.DateOnly), err == nil && t.Year() > 0
}
