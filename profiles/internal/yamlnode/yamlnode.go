// Package yamlnode makes the nodes of YAML files that are written for people.
package yamlnode

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"gopkg.in/yaml.v3"
)

// A Map is a map that is being written.
type Map struct{ Node *yaml.Node }

// NewMap makes an empty map.
func NewMap() Map { return Map{&yaml.Node{Kind: yaml.MappingNode}} }

// Set adds a key.
func (m Map) Set(key string, n *yaml.Node) {
	m.Node.Content = append(m.Node.Content, Quoted(key), n)
}

// Text adds a text, unless it is empty.
func (m Map) Text(key, text string) {
	if text != "" {
		m.Set(key, Quoted(text))
	}
}

// Number adds a number, unless it is 0.
func (m Map) Number(key string, n int) {
	if n != 0 {
		m.Set(key, Plain("!!int", strconv.Itoa(n)))
	}
}

// Flag adds a boolean.
func (m Map) Flag(key string, b bool) {
	m.Set(key, Plain("!!bool", strconv.FormatBool(b)))
}

// Plain makes a scalar of another type than text.
func Plain(tag, text string) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: tag, Value: text}
}

// Quoted makes a text, which is quoted if need be.
func Quoted(text string) *yaml.Node {
	n := Plain("!!str", text)
	// The library does not quote "<<", which it would read as a merge key.
	if text == "<<" || strings.ContainsFunc(text, func(c rune) bool { return !unicode.IsPrint(c) }) {
		n.Style = yaml.DoubleQuotedStyle
	}
	return n
}

// Words makes a list of texts.
func Words[T ~string](words []T) *yaml.Node {
	n := &yaml.Node{Kind: yaml.SequenceNode}
	for _, w := range words {
		n.Content = append(n.Content, Quoted(string(w)))
	}
	return n
}

// Fold puts maps and lists that are short on one line, of which used columns are taken.
func Fold(n *yaml.Node, used int) *yaml.Node {
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
			Fold(child, used+2+width(n.Content[i-1]))
		} else {
			Fold(child, used+2)
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
