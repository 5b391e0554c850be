package profiles

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"gopkg.in/yaml.v3"
)

// value is one value in a file, with its position and its key for problems.
type value struct {
	reader       *reader
	node         *yaml.Node // never an alias
	line, column int
	key          string // the path of keys down to it
}

// value makes the value of a node that stands behind a key.
func (r *reader) value(n, key *yaml.Node, path string) value {
	v := value{reader: r, node: n, line: n.Line, column: n.Column, key: path}
	if n.Kind == yaml.AliasNode {
		v.node = n.Alias
	}
	if n.Kind == yaml.ScalarNode && n.Value == "" && n.Style == 0 {
		// A value that is left out has no position of its own.
		v.line, v.column = key.Line, key.Column
	}
	if v.node.Style&yaml.TaggedStyle != 0 {
		v.refuse("the tag %s is not used here", quote(v.node.Tag))
	}
	return v
}

// refuse adds a problem at the value's position.
func (v value) refuse(format string, args ...any) {
	v.reader.add(v.line, v.column, v.key, format, args...)
}

// refuseKey adds a problem with a key that the value lacks.
func (v value) refuseKey(name, format string, args ...any) {
	v.reader.add(v.line, v.column, join(v.key, name), format, args...)
}

// join appends a key to a path. A key that would make the path ambiguous or unreadable
// is quoted.
func join(path, name string) string {
	odd := func(c rune) bool { return c == '.' || c == ':' || !unicode.IsPrint(c) || unicode.IsSpace(c) }
	if name == "" || strings.ContainsFunc(name, odd) {
		name = quote(name)
	}
	if path == "" {
		return name
	}
	return path + "." + name
}

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

// is tells whether the value is a scalar of one of the types.
func (v value) is(tags ...string) bool {
	return v.node.Kind == yaml.ScalarNode && slices.Contains(tags, v.node.ShortTag())
}

// isNull tells whether the value is null or left out.
func (v value) isNull() bool { return v.is("!!null") }

// isText tells whether the value is a text. An unquoted date is one too.
func (v value) isText() bool { return v.is("!!str", "!!timestamp", "!!merge") }

// kind says what the value is, for problems.
func (v value) kind() string {
	switch {
	case v.node.Kind == yaml.MappingNode:
		return "a map"
	case v.node.Kind == yaml.SequenceNode:
		return "a list"
	case v.is("!!int", "!!float"):
		return "the number " + cut(v.node.Value)
	case v.isText():
		return quote(v.node.Value)
	}
	return v.node.Value
}

// want adds the problem that the value is not what is wanted.
func (v value) want(format string, args ...any) {
	wanted := fmt.Sprintf(format, args...)
	if v.isNull() {
		v.refuse("has no value: want %s", wanted)
		return
	}
	v.refuse("want %s, not %s", wanted, v.kind())
}

// renamed tells whether the value is the former name of a word. If so it is refused
// with the present name.
func (v value) renamed(former, now string) bool {
	if !v.isText() || v.node.Value != former {
		return false
	}
	v.refuse("%s is called %s now", former, now)
	return true
}

// text reads a text.
func text(v value) (string, bool) {
	if v.isText() {
		return v.node.Value, true
	}
	if v.node.Kind == yaml.ScalarNode && !v.isNull() {
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
		v.refuse("is empty")
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
	if !v.is("!!bool") {
		v.want("true or false")
		return false, false
	}
	return strings.EqualFold(v.node.Value, "true"), true
}

// integer reads a whole number within bounds.
func integer(least, most int) func(value) (int, bool) {
	return func(v value) (int, bool) {
		n, err := strconv.Atoi(v.node.Value)
		if !v.is("!!int") || err != nil || n < least || n > most {
			v.want("a whole number from %d to %d", least, most)
			return 0, false
		}
		return n, true
	}
}

// word reads one word of a closed set.
func word[T ~string](words ...T) func(value) (T, bool) {
	return func(v value) (T, bool) {
		if v.isText() && slices.Contains(words, T(v.node.Value)) {
			return T(v.node.Value), true
		}
		v.want("%s", either(words))
		return "", false
	}
}

// words reads a list of one or more words of a closed set, none of them twice.
func words[T ~string](known ...T) func(value) ([]T, bool) {
	return func(v value) ([]T, bool) {
		if v.node.Kind != yaml.SequenceNode {
			v.want("a list of %s", either(known))
			return nil, false
		}
		if len(v.node.Content) == 0 {
			v.refuse("is empty: want at least one of %s", either(known))
			return nil, false
		}
		good := true
		var list []T
		for i, n := range v.node.Content {
			item := v.reader.value(n, n, fmt.Sprintf("%s[%d]", v.key, i))
			w, ok := word(known...)(item)
			if ok && slices.Contains(list, w) {
				item.refuse("stands here twice")
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
