package python

import (
	"math"
	"strings"

	"github.com/authcompat/authcompat/profiles/yamlfile"
)

// library gives values of other modules that settings are made of.
//
//   - corsheaders/defaults.py of django-cors-headers 3.14: default_methods and default_headers.
//   - rest_framework/__init__.py of Django REST framework 3.14: ISO_8601.
func library(name string, pos yamlfile.Position) *Value {
	texts := func(all ...string) *Value {
		v := &Value{Kind: List, Pos: pos, Tuple: true}
		for _, text := range all {
			v.Items = append(v.Items, &Value{Kind: String, Pos: pos, Text: text})
		}
		return v
	}
	switch name {
	case "corsheaders.defaults.default_methods":
		return texts("DELETE", "GET", "OPTIONS", "PATCH", "POST", "PUT")
	case "corsheaders.defaults.default_headers":
		return texts("accept", "accept-encoding", "authorization", "content-type", "dnt", "origin", "user-agent", "x-csrftoken", "x-requested-with")
	case "rest_framework.ISO_8601":
		return &Value{Kind: String, Pos: pos, Text: "iso-8601"}
	}
	return nil
}

// argument is one of a call's.
type argument struct {
	name  string // of a keyword argument
	value *Value
}

// call gives what a call returns, for the few functions that are known. No argument of another one is
// looked at or told: it may be a secret.
func (e *expression) call(f *Value, spelled string, pos yamlfile.Position) *Value {
	open := e.tokens[e.i]
	inner := e.i + 1
	e.i = open.match + 1
	if f.Kind == Unknown && strings.HasPrefix(f.Text, "is the name ") {
		return e.unknown(pos, "calls "+called(spelled)+", a name that nothing read so far has set")
	}
	if f.Kind != Name {
		return e.unknown(pos, "calls "+called(spelled))
	}
	switch f.Text {
	case "datetime.timedelta", "re.compile", "builtins.dict", "builtins.list", "builtins.tuple", "builtins.set", "builtins.frozenset":
	default:
		return e.unknown(pos, "calls "+called(spelled))
	}
	var args []argument
	for _, it := range split(e.tokens, inner, open.match) {
		if it.start >= it.end {
			continue
		}
		first := e.tokens[it.start]
		if it.loop || first.is("*") || first.is("**") && f.Text != "builtins.dict" {
			return e.unknown(pos, "calls "+called(spelled)+" with what is computed")
		}
		arg := argument{}
		switch {
		case first.is("**"):
			arg.name = "**"
			it.start++
		case it.start+1 < it.end && first.kind == nameToken && e.tokens[it.start+1].is("="):
			arg.name = first.text
			it.start += 2
		}
		arg.value = e.evaluate(e.tokens, it.start, it.end)
		args = append(args, arg)
	}
	switch f.Text {
	case "datetime.timedelta":
		return e.timedelta(pos, args)
	case "builtins.dict":
		return e.dict(pos, args)
	case "re.compile":
		if len(args) == 1 && args[0].name == "" && args[0].value.Kind == String {
			return args[0].value
		}
		return e.unknown(pos, "is a pattern with flags")
	}
	return e.sequence(pos, f.Text, args)
}

// called is how a call is told.
func called(spelled string) string {
	if spelled == "" {
		return "a function"
	}
	return spelled + "(…)"
}

// timedelta gives a Duration (Python Library Reference, datetime.timedelta).
func (e *expression) timedelta(pos yamlfile.Position, args []argument) *Value {
	names := []string{"days", "seconds", "microseconds", "milliseconds", "minutes", "hours", "weeks"}
	units := map[string]int64{
		"days": day, "seconds": second, "microseconds": 1, "milliseconds": second / 1000,
		"minutes": 60 * second, "hours": 3600 * second, "weeks": 7 * day,
	}
	total := &Value{Kind: Duration}
	for i, arg := range args {
		name := arg.name
		if name == "" && i < len(names) {
			name = names[i]
		}
		unit, known := units[name]
		if !known {
			return e.unknown(pos, "is a timedelta with arguments that are not known")
		}
		var part *Value
		switch v := arg.value; v.Kind {
		case Unknown:
			return v
		case Int:
			part = whole(Duration, v.Int, "*", unit)
		case Float:
			if us := math.RoundToEven(v.Float * float64(unit)); math.Abs(us) < 1<<62 {
				part = &Value{Kind: Duration, Int: int64(us)}
			}
		default:
			return e.unknown(v.Pos, "is no number")
		}
		if part != nil {
			total = whole(Duration, total.Int, "+", part.Int)
		}
		if part == nil || total == nil {
			return e.unknown(pos, tooLarge)
		}
	}
	total.Pos = pos
	return e.made(total)
}

// dict gives what dict() makes.
func (e *expression) dict(pos yamlfile.Position, args []argument) *Value {
	d := &Value{Kind: Dict, Pos: pos}
	for _, arg := range args {
		if arg.name == "" || arg.name == "**" {
			e.merge(d, arg.value)
			continue
		}
		e.set(d, &Value{Kind: String, Pos: arg.value.Pos, Text: arg.name}, arg.value)
	}
	return e.made(d)
}

// sequence gives what list(), tuple(), set() and frozenset() make.
func (e *expression) sequence(pos yamlfile.Position, name string, args []argument) *Value {
	v := &Value{Kind: List, Pos: pos, Tuple: name == "builtins.tuple"}
	if name == "builtins.set" || name == "builtins.frozenset" {
		v.Kind = Set
	}
	switch {
	case len(args) == 0:
	case len(args) > 1 || args[0].name != "":
		return e.unknown(pos, "is computed")
	case args[0].value.Kind == Unknown:
		return args[0].value
	default:
		e.spread(v, args[0].value)
	}
	return e.made(v)
}

// subscript gives an entry of a Dict or an item of a List.
func (e *expression) subscript(v *Value, spelled string, pos yamlfile.Position) *Value {
	open := e.tokens[e.i]
	inner := e.i + 1
	e.i = open.match + 1
	switch v.Kind {
	case Unknown:
		return v
	case Name:
		return e.unknown(pos, "reads "+spelled+"[…]")
	}
	items := split(e.tokens, inner, open.match)
	if len(items) != 1 || items[0].colon >= 0 || items[0].start >= items[0].end {
		return e.unknown(pos, "is computed")
	}
	key := e.evaluate(e.tokens, inner, open.match)
	switch {
	case key.Kind == Unknown:
		return key
	case v.Kind == Dict && key.Kind == String:
		if i := e.find(v, key.Text); i >= 0 {
			return v.Items[i]
		}
		if v.Open != nil {
			return v.Open
		}
	case v.Kind == List && key.Kind == Int && key.Int >= 0 && key.Int < int64(len(v.Items)):
		for _, item := range v.Items[:key.Int+1] {
			if item.Spread {
				return item
			}
		}
		return v.Items[key.Int]
	}
	return e.unknown(pos, "is computed")
}
