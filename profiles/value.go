package profiles

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"gopkg.in/yaml.v3"

	"github.com/authcompat/authcompat/profiles/yamlfile"
)

// value is one value in a file.
type value struct{ yamlfile.Value }

// quote quotes a text of the file for a problem.
func quote(s string) string { return strconv.Quote(cut(s)) }

// cut shortens a text that is too long for a problem.
func cut(s string) string {
	const most = 60
	if runes := []rune(s); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return s
}

// isText tells whether the value is a text. An unquoted date is one too.
func (v value) isText() bool { return v.Is("!!str", "!!timestamp", "!!merge") }

// kind says what the value is, for problems.
func (v value) kind() string {
	switch {
	case v.Node.Kind == yaml.MappingNode:
		return "a map"
	case v.Node.Kind == yaml.SequenceNode:
		return "a list"
	case v.Is("!!int", "!!float"):
		return "the number " + cut(v.Node.Value)
	case v.isText():
		return quote(v.Node.Value)
	}
	return v.Node.Value
}

// want adds the problem that the value is not what is wanted.
func (v value) want(format string, args ...any) {
	wanted := fmt.Sprintf(format, args...)
	if v.IsNull() {
		v.Refuse("has no value: want %s", wanted)
		return
	}
	v.Refuse("want %s, not %s", wanted, v.kind())
}

// renamed tells whether the value is the former name of a word. If so it is refused
// with the present name.
func (v value) renamed(former, now string) bool {
	if !v.isText() || v.Node.Value != former {
		return false
	}
	v.Refuse("%s is called %s now", former, now)
	return true
}

// text reads a text.
func text(v value) (string, bool) {
	if v.isText() {
		return v.Node.Value, true
	}
	if v.Node.Kind == yaml.ScalarNode && !v.IsNull() {
		v.want("a text (write it in quotes)")
	} else {
		v.want("a text")
	}
	return "", false
}

// line reads a text of one line.
func line(v value) (string, bool) {
	s, ok := text(v)
	switch {
	case !ok:
		return "", false
	case s == "":
		v.Refuse("is empty")
	case strings.ContainsFunc(s, func(c rune) bool { return !unicode.IsPrint(c) }):
		v.want("one line of printable characters")
	default:
		return s, true
	}
	return "", false
}

// identifier reads a name of lower-case letters, digits and hyphens.
func identifier(v value) (string, bool) {
	s, ok := text(v)
	if ok && !isName(s, "abcdefghijklmnopqrstuvwxyz0123456789", "-") {
		v.want("at most 64 lower-case letters, digits and hyphens, the first no hyphen")
		ok = false
	}
	return s, ok
}

// isName tells whether s consists of 1 to 64 of the characters and begins with one of
// first.
func isName(s, first, later string) bool {
	return s != "" && len(s) <= 64 && strings.Contains(first, s[:1]) && strings.Trim(s, first+later) == ""
}

// boolean reads true or false.
func boolean(v value) (b, ok bool) {
	if !v.Is("!!bool") {
		v.want("true or false")
		return false, false
	}
	return strings.EqualFold(v.Node.Value, "true"), true
}

// integer reads a whole number within bounds.
func integer(least, most int) func(value) (int, bool) {
	return func(v value) (int, bool) {
		n, err := strconv.Atoi(v.Node.Value)
		if !v.Is("!!int") || err != nil || n < least || n > most {
			v.want("a whole number from %d to %d", least, most)
			return 0, false
		}
		return n, true
	}
}

// word reads one word of a closed set.
func word[T ~string](words ...T) func(value) (T, bool) {
	return func(v value) (T, bool) {
		if v.isText() && slices.Contains(words, T(v.Node.Value)) {
			return T(v.Node.Value), true
		}
		v.want("%s", either(words))
		return "", false
	}
}

// words reads a list of one or more words of a closed set, none of them twice.
func words[T ~string](known ...T) func(value) ([]T, bool) {
	return func(v value) ([]T, bool) {
		items, isList := v.Items()
		if !isList {
			v.want("a list of %s", either(known))
			return nil, false
		}
		if len(items) == 0 {
			v.Refuse("is empty: want at least one of %s", either(known))
			return nil, false
		}
		good := true
		var list []T
		for _, item := range items {
			w, ok := word(known...)(value{item})
			if ok && slices.Contains(list, w) {
				item.Refuse("stands here twice")
				ok = false
			}
			good = good && ok
			list = append(list, w)
		}
		return list, good
	}
}

// either lists words as "a, b or c".
func either[T ~string](words []T) string {
	last := len(words) - 1
	var out strings.Builder
	for i, w := range words {
		switch {
		case i > 0 && i == last:
			out.WriteString(" or ")
		case i > 0:
			out.WriteString(", ")
		}
		out.WriteString(string(w))
	}
	return out.String()
}
