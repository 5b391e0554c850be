package conformance

import (
	"iter"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/authcompat/authcompat/conformance/internal/template"
	"github.com/authcompat/authcompat/profiles/yamlfile"
)

// MaxValues is how many values an exchange file has at most: keys, lists and maps count as well.
const MaxValues = 200_000

// newReader returns the reader of an exchange file.
func newReader(name string) *yamlfile.Reader {
	return &yamlfile.Reader{File: name, Format: yamlfile.Format{
		MaxValues: MaxValues,
		MaxDepth:  50,
		BadKey:    badKey,
		Empty:     "is empty",
		Second:    "a file holds one YAML document",
		Twice:     "appears twice",
		TooMany:   "has more than %d values, aliases counted where they are used",
		TooDeep:   "is nested more than %d deep",
	}}
}

func badKey(key *yaml.Node) string {
	if key.Kind == yaml.AliasNode {
		key = key.Alias
	}
	if key.Kind != yaml.ScalarNode || key.Style&yaml.TaggedStyle != 0 {
		return "want a word as key"
	}
	return ""
}

// value is one value in an exchange file.
type value struct{ yamlfile.Value }

// written returns where the value is written, which for an alias is at its anchor.
func (v value) written() Position {
	at := v.Position
	at.Line, at.Column = v.Node.Line, v.Node.Column
	return at
}

// A field is a key that a mapping may have, and the function that reads its value.
type field struct {
	name     string
	required bool
	read     func(value)
	now      string // if set, name is a former key, and this is what it is called today
}

// mapping reads a mapping that has no keys but the given ones.
func (v value) mapping(fields ...field) {
	seen := map[string]bool{}
	for e := range v.entries() {
		seen[e.Name] = true
		i := slices.IndexFunc(fields, func(f field) bool { return f.name == e.Name })
		if i < 0 {
			var known []string
			for _, f := range fields {
				if f.now == "" {
					known = append(known, f.name)
				}
			}
			e.Refuse("unknown key, want one of %s", strings.Join(known, ", "))
			continue
		}
		if now := fields[i].now; now != "" {
			e.Refuse("is called %s now", now)
			seen[now] = true
		}
		fields[i].read(value{e.Value})
	}
	for _, f := range fields {
		if f.required && !seen[f.name] && v.Node.Kind == yaml.MappingNode {
			v.RefuseKey(f.name, "is missing")
		}
		if f.now != "" {
			continue
		}
		v.Shape().Ask(f.name, f.required)
		if standIn, ok := v.StandIn(f.name); ok && !seen[f.name] {
			f.read(value{standIn})
		}
	}
	v.Shape().Done()
}

// entries reads a mapping with any keys, in order.
func (v value) entries() iter.Seq[yamlfile.Entry] {
	v.Shape().Map()
	entries, ok := v.Entries()
	if !ok {
		v.Refuse("want a mapping")
	}
	return entries
}

// items reads a list.
func (v value) items() []value {
	items, ok := v.Items()
	if !ok {
		v.Refuse("want a list")
	}
	var values []value
	for _, item := range items {
		values = append(values, value{item})
	}
	return values
}

// text reads a scalar other than null.
func (v value) text() string {
	v.Shape().Text("")
	v.Shape().Number()
	v.Shape().Boolean()
	return v.scalar()
}

func (v value) scalar() string {
	if v.Node.Kind != yaml.ScalarNode || v.IsNull() {
		v.Refuse("want text")
		return ""
	}
	if v.Node.Style&yaml.TaggedStyle != 0 {
		v.Refuse("want text without the tag %s", v.Node.Tag)
	}
	return v.Node.Value
}

// matching reads text that matches a regular expression; what names it in the problem.
func (v value) matching(form *regexp.Regexp, what string) string {
	text := v.filled()
	v.Shape().Text(form.String())
	if text != "" && !form.MatchString(text) {
		v.Refuse("%q is not %s", text, what)
	}
	return text
}

// filled reads text and refuses empty text.
func (v value) filled() string {
	text := v.text()
	if text == "" && v.Node.Kind == yaml.ScalarNode && !v.IsNull() {
		v.Refuse("is empty")
	}
	return text
}

// noteHeader notes what a header can be, where a schema is made.
func (v value) noteHeader() {
	if v.Shape() == nil {
		return
	}
	v.Shape().Null()
	v.text()
	for _, item := range v.items() {
		item.text()
	}
}

// number reads a whole number between least and most.
func (v value) number(least, most int) int {
	v.Shape().Text("^[+-]?[0-9]+$")
	v.Shape().Integer(least, most)
	n, err := strconv.Atoi(v.scalar())
	if err != nil || n < least || n > most {
		v.Refuse("want a whole number from %d to %d", least, most)
		return least
	}
	return n
}

// yes reads a key that is true or left out. False is refused: there is one way to say it.
func (v value) yes() bool {
	v.Shape().Boolean()
	if !v.Is("!!bool") || v.Node.Value != "true" {
		v.Refuse("want true, or leave the key out")
	}
	return true
}

// template reads text with references, and in an expectation with placeholders.
func (v value) template(expectation bool) template.Template {
	t, problems := template.Parse(v.text(), expectation)
	for _, text := range problems {
		v.Refuse("%s", text)
	}
	return t
}
