package profiles

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"gopkg.in/yaml.v3"
)

// mapWriter is a YAML map that is being written.
type mapWriter struct{ node *yaml.Node }

func newMapWriter() mapWriter { return mapWriter{&yaml.Node{Kind: yaml.MappingNode}} }

func (m mapWriter) set(key string, n *yaml.Node) {
	m.node.Content = append(m.node.Content, quoted(key), n)
}

// text adds a text, unless it is empty.
func (m mapWriter) text(key, text string) {
	if text != "" {
		m.set(key, quoted(text))
	}
}

// number adds a number, unless it is 0.
func (m mapWriter) number(key string, n int) {
	if n != 0 {
		m.set(key, plain("!!int", strconv.Itoa(n)))
	}
}

func (m mapWriter) flag(key string, b bool) {
	m.set(key, plain("!!bool", strconv.FormatBool(b)))
}

// plain makes a scalar of another type than text.
func plain(tag, text string) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: tag, Value: text}
}

// quoted makes a text, which is quoted if need be.
func quoted(text string) *yaml.Node {
	n := plain("!!str", text)
	// The library does not quote "<<", which it would read as a merge key.
	if text == "<<" || strings.ContainsFunc(text, func(c rune) bool { return !unicode.IsPrint(c) }) {
		n.Style = yaml.DoubleQuotedStyle
	}
	return n
}

func showWords[T ~string](words []T) *yaml.Node {
	n := &yaml.Node{Kind: yaml.SequenceNode}
	for _, w := range words {
		n.Content = append(n.Content, quoted(string(w)))
	}
	return n
}

// fold puts maps and lists that are short on one line, of which used columns are taken.
func fold(n *yaml.Node, used int) *yaml.Node {
	const columns = 120
	if n.Kind == yaml.ScalarNode {
		return n
	}
	if used+width(n) <= columns {
		n.Style = yaml.FlowStyle
		return n
	}
	for i, child := range n.Content {
		// A value is on one line with its key.
		if n.Kind == yaml.MappingNode && i%2 == 1 {
			fold(child, used+2+width(n.Content[i-1]))
		} else {
			fold(child, used+2)
		}
	}
	return n
}

// width estimates how long a node is on one line.
func width(n *yaml.Node) int {
	if n.Kind == yaml.ScalarNode {
		return utf8.RuneCountInString(n.Value)
	}
	sum := len("{}")
	for _, child := range n.Content {
		sum += width(child) + len(", ")
	}
	return sum
}
