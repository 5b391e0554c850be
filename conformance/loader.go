package conformance

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/authcompat/authcompat/conformance/internal/template"
)

// maxNodes is far more than an exchange file has. Without it, nested aliases could make a small file
// expand to more than fits in memory.
const maxNodes = 200_000

// A loader walks the nodes of a YAML document and notes every problem. It decodes by hand because
// yaml.v3's strict decoding stops at a key's first problem and knows no columns.
type loader struct {
	file     string
	problems Problems
	nodes    int
}

func (l *loader) position(n *yaml.Node) Position {
	return Position{File: l.file, Line: n.Line, Column: n.Column}
}

func (l *loader) problem(n *yaml.Node, key, format string, args ...any) {
	l.problems = append(l.problems, Problem{Position: l.position(n), Key: key, Text: fmt.Sprintf(format, args...)})
}

// resolve follows an alias to the value that it names.
func (l *loader) resolve(n *yaml.Node) *yaml.Node {
	l.nodes++
	if n.Kind == yaml.AliasNode {
		return n.Alias
	}
	return n
}

// A field is a key that a mapping may have, and the function that reads its value.
type field struct {
	name     string
	required bool
	read     func(key string, n *yaml.Node)
	now      string // if set, name is a former key, and this is what it is called today
}

// mapping reads a mapping that has no keys but the given ones.
func (l *loader) mapping(key string, n *yaml.Node, fields ...field) {
	seen := map[string]bool{}
	l.entries(key, n, func(name string, at string, k, v *yaml.Node) {
		seen[name] = true
		i := slices.IndexFunc(fields, func(f field) bool { return f.name == name })
		if i < 0 {
			var known []string
			for _, f := range fields {
				if f.now == "" {
					known = append(known, f.name)
				}
			}
			l.problem(k, at, "unknown key, want one of %s", strings.Join(known, ", "))
			return
		}
		if now := fields[i].now; now != "" {
			l.problem(k, at, "is called %s now", now)
			seen[now] = true
		}
		fields[i].read(at, v)
	})
	if l.resolve(n).Kind != yaml.MappingNode {
		return
	}
	for _, f := range fields {
		if f.required && !seen[f.name] {
			l.problem(n, join(key, f.name), "is missing")
		}
	}
}

// entries reads a mapping with any keys, in order, and refuses duplicates.
func (l *loader) entries(key string, n *yaml.Node, each func(name, at string, k, v *yaml.Node)) {
	n = l.resolve(n)
	if n.Kind != yaml.MappingNode {
		l.problem(n, key, "want a mapping")
		return
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content) && l.nodes < maxNodes; i += 2 {
		k := l.resolve(n.Content[i])
		if k.Kind != yaml.ScalarNode {
			l.problem(k, key, "want a word as key")
			continue
		}
		at := join(key, k.Value)
		if seen[k.Value] {
			l.problem(k, at, "appears twice")
			continue
		}
		seen[k.Value] = true
		each(k.Value, at, k, n.Content[i+1])
	}
}

// items reads a list.
func (l *loader) items(key string, n *yaml.Node, each func(at string, item *yaml.Node)) {
	n = l.resolve(n)
	if n.Kind != yaml.SequenceNode {
		l.problem(n, key, "want a list")
		return
	}
	for i, item := range n.Content {
		if l.nodes >= maxNodes {
			return
		}
		each(fmt.Sprintf("%s[%d]", key, i), item)
	}
}

// text reads a scalar other than null.
func (l *loader) text(key string, n *yaml.Node) string {
	n = l.resolve(n)
	if n.Kind != yaml.ScalarNode || n.Tag == "!!null" {
		l.problem(n, key, "want text")
		return ""
	}
	if n.Style&yaml.TaggedStyle != 0 {
		l.problem(n, key, "want text without the tag %s", n.Tag)
	}
	return n.Value
}

// matching reads text that matches a regular expression; what names it in the problem.
func (l *loader) matching(key string, n *yaml.Node, form *regexp.Regexp, what string) string {
	text := l.text(key, n)
	if text != "" && !form.MatchString(text) {
		l.problem(n, key, "%q is not %s", text, what)
	}
	return text
}

// filled reads text and refuses empty text.
func (l *loader) filled(key string, n *yaml.Node) string {
	text := l.text(key, n)
	if text == "" && l.resolve(n).Kind == yaml.ScalarNode && l.resolve(n).Tag != "!!null" {
		l.problem(n, key, "is empty")
	}
	return text
}

// number reads a whole number between least and most.
func (l *loader) number(key string, n *yaml.Node, least, most int) int {
	text := l.text(key, n)
	v, err := strconv.Atoi(text)
	if err != nil || v < least || v > most {
		l.problem(n, key, "want a whole number from %d to %d", least, most)
		return least
	}
	return v
}

// yes reads a key that is true or left out. False is refused: there is one way to say it.
func (l *loader) yes(key string, n *yaml.Node) bool {
	if r := l.resolve(n); r.Kind != yaml.ScalarNode || r.Tag != "!!bool" || r.Value != "true" {
		l.problem(n, key, "want true, or leave the key out")
	}
	return true
}

// template reads text with references, and in an expectation with placeholders.
func (l *loader) template(key string, n *yaml.Node, expectation bool) template.Template {
	t, problems := template.Parse(l.text(key, n), expectation)
	for _, text := range problems {
		l.problem(n, key, "%s", text)
	}
	return t
}

func join(key, name string) string {
	if key == "" {
		return name
	}
	return key + "." + name
}
