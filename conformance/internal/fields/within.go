package fields

import (
	"encoding/xml"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/authcompat/authcompat/conformance/internal/jsontree"
)

// maxWithin is how many texts within one another are looked into: JSON in a form in an address, for instance.
const maxWithin = 3

// minSecret and maxSecret are the lengths of what may be a secret within another text, in bytes: what is shorter is there by
// chance, and longer passwords are nobody's.
const (
	minSecret = 4
	maxSecret = 4096
)

// Within returns what a text has of names with values: a value that is JSON or XML itself, or an address or a form,
// whose pairs may be separated by semicolons, as Django up to 3.1 takes them.
func Within(value string) []Field { return within(value, maxWithin) }

func within(value string, depth int) []Field {
	if depth == 0 || len(value) < minSecret {
		return nil
	}
	trimmed := strings.TrimSpace(value)
	var fields []Field
	switch {
	case strings.HasPrefix(trimmed, "{") || strings.HasPrefix(trimmed, "["):
		if v, err := ParseJSON([]byte(trimmed)); err == nil {
			fields = jsonFields("", v, false, nil)
			break
		}
		fields = looseFields(trimmed)
	case strings.HasPrefix(trimmed, "<"):
		fields = append(xmlFields(trimmed), pairsWithin(trimmed)...)
	default:
		fields = pairsWithin(value)
	}
	for _, f := range fields {
		if f.Value != value && !IsSecret(f.Name) {
			fields = append(fields, within(f.Value, depth-1)...)
		}
	}
	return fields
}

// pairsWithin returns the pairs of an address, a form or a header. Where a value ends is not always known: it is there twice
// then.
func pairsWithin(text string) []Field {
	var fields []Field
	for part := range strings.FieldsFuncSeq(text, func(r rune) bool { return strings.ContainsRune("?#&;", r) }) {
		before, value, ok := strings.Cut(part, "=")
		if !ok {
			continue
		}
		name := Unescaped(before)
		if at := strings.LastIndexAny(name, " \t\"'<>(,/"); at >= 0 {
			name = name[at+1:]
		}
		value = strings.TrimLeft(value, `"'`)
		fields = append(fields, Field{Name: name, Value: Unescaped(value), Text: true})
		if end := strings.IndexAny(value, "<>\"', "); end > 0 {
			fields = append(fields, Field{Name: name, Value: Unescaped(value[:end]), Text: true})
		}
	}
	return fields
}

// xmlFields returns the texts and the attributes of XML by the names of their elements, and texts next to an element or an
// attribute that has their name, as XML-RPC has them. Of what is broken, that is what comes before.
func xmlFields(text string) []Field {
	type element struct{ name, text string }
	var fields []Field
	var open []element
	named := "" // by an element before
	add := func(name, value string) {
		for _, v := range []string{value, strings.TrimSpace(value)} {
			if v != "" {
				fields = append(fields, Field{Name: name, Value: v, Text: true})
			}
			if v == strings.TrimSpace(value) {
				return
			}
		}
	}
	d := xml.NewDecoder(strings.NewReader(text))
	d.Strict, d.Entity = false, xml.HTMLEntity
	d.CharsetReader = func(_ string, input io.Reader) (io.Reader, error) { return input, nil }
	for {
		token, err := d.RawToken()
		if err != nil {
			for _, e := range open {
				add(e.name, e.text)
			}
			return fields
		}
		switch token := token.(type) {
		case xml.StartElement:
			e := element{name: token.Name.Local}
			for _, a := range token.Attr {
				add(a.Name.Local, a.Value)
				if isNaming(a.Name.Local) && IsSecret(a.Value) {
					e.name = a.Value
				}
			}
			open = append(open, e)
		case xml.CharData:
			if len(open) > 0 {
				open[len(open)-1].text += string(token)
			}
		case xml.EndElement:
			if len(open) == 0 {
				continue
			}
			e := open[len(open)-1]
			open = open[:len(open)-1]
			add(e.name, e.text)
			switch {
			case isNaming(e.name):
				named = strings.TrimSpace(e.text)
			case IsSecret(named) && strings.TrimSpace(e.text) != "":
				add(named, e.text)
			}
		}
	}
}

// isNaming reports whether a field or an attribute of this name has the name of what stands next to it.
func isNaming(name string) bool {
	switch strings.ToLower(name) {
	case "name", "key", "field", "id", "param", "parameter":
		return true
	}
	return false
}

// isNamed reports whether a field of this name has the value whose name stands next to it.
func isNamed(name string) bool {
	switch strings.ToLower(name) {
	case "value", "text", "raw", "data", "content":
		return true
	}
	return false
}

// namedBeside returns the name that an object of JSON has for a value in it, if it is that of a secret: of
// {"name": "password", "value": "…"}.
func namedBeside(v jsontree.Value) string {
	for _, m := range v.Members {
		if isNaming(m.Key) && m.Value.Kind == jsontree.String && plainKey().MatchString(m.Value.Text) && IsSecret(m.Value.Text) {
			return m.Value.Text
		}
	}
	return ""
}

// unquoted returns what text that is neither JSON nor a form nor XML may have under names of secrets, to the end of
// the line or of the item: a password has spaces, and looseFields stops there.
func unquoted(text string) []Field {
	var fields []Field
	for _, at := range looseName().FindAllStringSubmatchIndex(text, -1) {
		name, rest := text[at[2]:at[3]], text[at[1]:min(len(text), at[1]+maxSecret)]
		if !IsSecret(name) {
			continue
		}
		rest = strings.TrimLeft(rest, " \t")
		if first := strings.TrimRight(rest[:lineEnd(rest)], " \t"); first == "" || first == "|" || first == ">" || first == "|-" || first == ">-" {
			rest = strings.TrimLeft(rest[lineEnd(rest):], " \t\r\n") // a block of YAML
		}
		add := func(value string) {
			if value = strings.TrimRight(value, " \t\r\n"); value != "" {
				fields = append(fields, Field{Name: name, Value: value, Text: true})
			}
		}
		if quote := rest[:min(1, len(rest))]; quote == `"` || quote == "'" {
			m := quotedValue().FindString(rest)
			if m == "" { // it has no end
				m = rest[:lineEnd(rest)]
			}
			add(strings.TrimSuffix(m[1:], quote))
			if inner, err := ParseJSON([]byte(m)); err == nil {
				add(inner.Text)
			}
			continue
		}
		line := rest[:lineEnd(rest)]
		if end := strings.IndexAny(line, ",}]<&;\"'"); end >= 0 {
			add(line[:end])
		}
		before := text[max(0, at[2]-maxSecret):at[2]]
		if begin := strings.TrimLeft(before[strings.LastIndexAny(before, "\r\n")+1:], ` -"'`); begin == "" && len(rest) < len(text) && len(line) < maxSecret {
			add(line) // one of several lines
		}
	}
	return fields
}

// lineEnd returns where the first line ends.
func lineEnd(text string) int {
	if end := strings.IndexAny(text, "\r\n"); end >= 0 {
		return end
	}
	return len(text)
}

// variants returns a secret as servers show it that take it for something else: without the white space around it, as
// Django does, and with the characters of Latin-1.
func variants(value string) []string {
	all := []string{value}
	if trimmed := strings.TrimSpace(value); trimmed != value {
		all = append(all, trimmed)
	}
	if !utf8.ValidString(value) {
		runes := make([]rune, len(value))
		for i := range len(value) {
			runes[i] = rune(value[i])
		}
		all = append(all, string(runes))
	}
	return all
}

// IsWord reports whether a value that stands within others under a secret's name is too ordinary to be one, or too long.
func IsWord(value string) bool {
	switch strings.ToLower(value) {
	case "true", "false", "null", "none", "password", "token", "bearer", "basic":
		return true
	}
	return len(value) < minSecret || len(value) > maxSecret
}
