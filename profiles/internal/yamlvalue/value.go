// Package yamlvalue reads what the files of profiles hold: texts, numbers, words of closed
// sets, and maps whose keys are known. Where a value is not what is wanted, it adds a problem
// that says so in the words of profiles.
package yamlvalue

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"

	"gopkg.in/yaml.v3"

	"github.com/authcompat/authcompat/profiles/yamlfile"
)

// A Value is one value in a file.
type Value struct{ yamlfile.Value }

// Of gives the value of an entry or an item.
func Of(v yamlfile.Value) Value { return Value{v} }

// Quote quotes a text of the file for a problem.
func Quote(s string) string { return strconv.Quote(Cut(s)) }

// Cut shortens a text that is too long for a problem.
func Cut(s string) string {
	const most = 60
	if runes := []rune(s); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return s
}

// IsText tells whether the value is a text. An unquoted date is one too.
func (v Value) IsText() bool { return v.Is("!!str", "!!timestamp", "!!merge") }

// Kind says what the value is, for problems.
func (v Value) Kind() string {
	switch {
	case v.Node.Kind == yaml.MappingNode:
		return "a map"
	case v.Node.Kind == yaml.SequenceNode:
		return "a list"
	case v.Is("!!int", "!!float"):
		return "the number " + Cut(v.Node.Value)
	case v.IsText():
		return Quote(v.Node.Value)
	}
	return v.Node.Value
}

// Want adds the problem that the value is not what is wanted.
func (v Value) Want(format string, args ...any) {
	wanted := fmt.Sprintf(format, args...)
	if v.IsNull() {
		v.Refuse("has no value: want %s", wanted)
		return
	}
	v.Refuse("want %s, not %s", wanted, v.Kind())
}

// Renamed tells whether the value is the former name of a word. If so it is refused
// with the present name.
func (v Value) Renamed(former, now string) bool {
	if !v.IsText() || v.Node.Value != former {
		return false
	}
	v.Refuse("%s is called %s now", former, now)
	return true
}

// Text reads a text.
func Text(v Value) (string, bool) {
	v.Shape().Text("")
	if v.IsText() {
		return v.Node.Value, true
	}
	if v.Node.Kind == yaml.ScalarNode && !v.IsNull() {
		v.Want("a text (write it in quotes)")
	} else {
		v.Want("a text")
	}
	return "", false
}

// Line reads a text of one line.
func Line(v Value) (string, bool) {
	s, ok := Text(v)
	switch {
	case !ok:
		return "", false
	case s == "":
		v.Refuse("is empty")
	case strings.ContainsFunc(s, func(c rune) bool { return !unicode.IsPrint(c) }):
		v.Want("one line of printable characters")
	default:
		return s, true
	}
	return "", false
}

// Identifier reads a name of lower-case letters, digits and hyphens.
func Identifier(v Value) (string, bool) {
	s, ok := Text(v)
	v.Shape().Text("^[a-z0-9][a-z0-9-]*$")
	if ok && !IsName(s, "abcdefghijklmnopqrstuvwxyz0123456789", "-") {
		v.Want("at most 64 lower-case letters, digits and hyphens, the first no hyphen")
		ok = false
	}
	return s, ok
}

// IsName tells whether s consists of 1 to 64 of the characters and begins with one of
// first.
func IsName(s, first, later string) bool {
	return s != "" && len(s) <= 64 && strings.Contains(first, s[:1]) && strings.Trim(s, first+later) == ""
}

// Boolean reads true or false.
func Boolean(v Value) (b, ok bool) {
	v.Shape().Boolean()
	if !v.Is("!!bool") {
		v.Want("true or false")
		return false, false
	}
	return strings.EqualFold(v.Node.Value, "true"), true
}

// Integer reads a whole number within bounds.
func Integer(least, most int) func(Value) (int, bool) {
	return func(v Value) (int, bool) {
		v.Shape().Integer(least, most)
		n, err := strconv.Atoi(v.Node.Value)
		if !v.Is("!!int") || err != nil || n < least || n > most {
			v.Want("a whole number from %d to %d", least, most)
			return 0, false
		}
		return n, true
	}
}
