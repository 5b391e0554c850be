package profiles

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"sort"
	"strconv"
	"strings"
	"unicode/utf8"

	"gopkg.in/yaml.v3"
)

// MaxFile is the most bytes a profile file may have.
const MaxFile = 1 << 20

// The limits of a file, in which each alias counts as what it stands for. The largest
// built-in profile has some 150 values, eight levels deep.
const (
	maxValues = 20_000
	maxDepth  = 40
)

// reader collects the problems of one file.
type reader struct {
	file     string
	problems []Problem
}

func (r *reader) add(line, column int, key, format string, args ...any) {
	r.problems = append(r.problems, Problem{
		Position: Position{File: r.file, Line: line, Column: column},
		Key:      key,
		Text:     fmt.Sprintf(format, args...),
	})
}

// root reads the one YAML document of a file. ok is false if its values can't be read;
// the problem has then been added.
func (r *reader) root(data []byte) (v value, ok bool) {
	if len(data) > MaxFile {
		r.add(1, 1, "", "the file is larger than 1 MiB")
		return value{}, false
	}
	if !r.characters(data) {
		return value{}, false
	}
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	var document, next yaml.Node
	if err := decoder.Decode(&document); err != nil {
		r.syntax(err, data)
		return value{}, false
	}
	if err := decoder.Decode(&next); err == nil {
		r.add(next.Line, next.Column, "", "a second document begins here: a file holds one profile")
	} else if !errors.Is(err, io.EOF) {
		r.syntax(err, data)
	}
	top := document.Content[0]
	if top.ShortTag() == "!!null" {
		r.add(top.Line, top.Column, "", "the file is empty")
		return value{}, false
	}
	guard := sizeGuard{reader: r, open: map[*yaml.Node]bool{}}
	if !guard.check(top, 0) {
		return value{}, false
	}
	return r.value(top, top, ""), true
}

// characters checks that a file is UTF-8 and has only characters that YAML allows. The
// library does not say where others are.
func (r *reader) characters(data []byte) bool {
	line, column := 1, 1
	for len(data) > 0 {
		c, size := utf8.DecodeRune(data)
		switch {
		case c == utf8.RuneError && size == 1:
			r.add(line, column, "", "byte 0x%02x is not UTF-8", data[0])
			return false
		case c == 0:
			r.add(line, column, "", "NUL is not a character of YAML")
			return false
		case c < ' ' && c != '\t' && c != '\n' && c != '\r', c >= 0x7f && c < 0xa0 && c != 0x85, c == 0xfffe, c == 0xffff:
			r.add(line, column, "", "control character %U is not a character of YAML", c)
			return false
		}
		column++
		if c == '\n' {
			line, column = line+1, 1
		}
		data = data[size:]
	}
	return true
}

// syntax adds an error of the library, which names a line at best.
func (r *reader) syntax(err error, data []byte) {
	if errors.Is(err, io.EOF) {
		r.add(1, 1, "", "the file is empty")
		return
	}
	if rest, ok := strings.CutPrefix(err.Error(), "yaml: unknown anchor '"); ok {
		name, _, _ := strings.Cut(rest, "'")
		line, column := find(data, "*"+name)
		r.add(line, column, "", "alias *%s has no anchor &%s before it", name, name)
		return
	}
	text, line := parseYAMLError(err)
	if strings.HasPrefix(text, "did not find expected key") || strings.HasPrefix(text, "did not find expected '-'") {
		line = locate(data, text)
	}
	lines := strings.Split(string(data), "\n")
	line = min(line, len(lines))
	content := strings.TrimLeft(lines[line-1], " ")
	column := len(lines[line-1]) - len(content) + 1
	if strings.HasPrefix(content, "\t") {
		text = "a tab can't indent YAML: use spaces"
	}
	r.add(line, column, "", "%s", text)
}

// parseYAMLError gives the text of an error of the library, and the line where the
// broken part begins. The library counts the lines of its scanner from 1, and those of
// its parser from 0.
func parseYAMLError(err error) (text string, line int) {
	text = strings.TrimPrefix(err.Error(), "yaml: ")
	rest, ok := strings.CutPrefix(text, "line ")
	if !ok {
		return text, 1
	}
	number, text, _ := strings.Cut(rest, ": ")
	line, _ = strconv.Atoi(number)
	for _, ofParser := range []string{
		"did not find expected <", "did not find expected node content", "did not find expected key",
		"did not find expected '-' indicator", "did not find expected ',' or", "found undefined tag handle",
		"found duplicate %", "found incompatible YAML document",
	} {
		if strings.HasPrefix(text, ofParser) {
			return text, line + 1
		}
	}
	return text, line
}

// locate gives the first line with which the library fails with a message: the error in
// a block can be far below its beginning.
func locate(data []byte, text string) int {
	lines := bytes.SplitAfter(data, []byte("\n"))
	return 1 + sort.Search(len(lines)-1, func(i int) bool {
		var n yaml.Node
		err := yaml.Unmarshal(bytes.Join(lines[:i+1], nil), &n)
		if err == nil {
			return false
		}
		got, _ := parseYAMLError(err)
		return got == text
	})
}

// find finds a text outside of comments. It gives 1, 1 if there is none.
func find(data []byte, text string) (line, column int) {
	for i, content := range strings.Split(string(data), "\n") {
		at := strings.Index(content, text)
		if at >= 0 && !strings.Contains(content[:at], "#") {
			return i + 1, utf8.RuneCountInString(content[:at]) + 1
		}
	}
	return 1, 1
}

// sizeGuard limits what a document holds. With YAML's aliases a small file can stand
// for a tree without end.
type sizeGuard struct {
	reader *reader
	open   map[*yaml.Node]bool // the targets of the aliases above the present node
	values int
}

func (g *sizeGuard) check(n *yaml.Node, depth int) bool {
	g.values++
	switch {
	case g.values > maxValues:
		g.reader.add(n.Line, n.Column, "", "the file holds more than %d values, aliases counted as what they stand for", maxValues)
		return false
	case depth > maxDepth:
		g.reader.add(n.Line, n.Column, "", "the file is nested more than %d deep", maxDepth)
		return false
	case n.Kind == yaml.AliasNode:
		return g.alias(n, depth)
	}
	for _, child := range n.Content {
		if !g.check(child, depth+1) {
			return false
		}
	}
	return true
}

func (g *sizeGuard) alias(n *yaml.Node, depth int) bool {
	if g.open[n.Alias] {
		g.reader.add(n.Line, n.Column, "", "alias *%s stands inside of its own anchor", n.Value)
		return false
	}
	g.open[n.Alias] = true
	defer delete(g.open, n.Alias)
	return g.check(n.Alias, depth+1)
}
