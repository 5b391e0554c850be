// Package yamlfile reads YAML files strictly. It finds all problems of a file, each
// with its position and its path of keys: yaml.v3 stops at the first of a map, and
// knows no columns. What the keys mean is up to the readers of profiles, exchange
// files and configuration files.
package yamlfile

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"gopkg.in/yaml.v3"
)

// A Format says what a kind of file may hold, and how its reader words the problems
// that every file can have.
type Format struct {
	// MaxValues and MaxDepth limit a file, in which each alias counts as what it stands
	// for. They are given unless NoAliases is set.
	MaxValues, MaxDepth int

	NoAliases bool // an alias stands for nothing: its Value has the alias as its node

	// BadTag says that a tag is refused. nil: tags are allowed.
	BadTag func(tag string) string
	// BadKey says what is wrong with the node of a key; empty: nothing. nil: every key
	// is good.
	BadKey func(key *yaml.Node) string
	// ShowKey writes a key in paths. nil: as it stands in the file.
	ShowKey func(key string) string

	// UTF16 has files read that begin with the mark of UTF-16, as PowerShell 5 writes those that it redirects to.
	UTF16 bool

	Empty    string // the file is empty
	Second   string // there is a second document
	Twice    string // a key is there twice; empty: that it is, and where the first stands
	TooMany  string // over MaxValues, which it is a format for
	TooDeep  string // over MaxDepth, which it is a format for
	InItself string // an alias inside of its own anchor, a format for its name; empty: that is too deep
	Tab      string // a tab that indents; empty: as the library words it
}

// A Reader reads one file, and collects its problems.
type Reader struct {
	File     string // as positions name it
	Format   Format
	Problems Problems // in the order in which they were found
	Outline  *Outline // where it is noted what is asked for; nil, as when a file is read: nowhere
}

// Add adds a problem.
func (r *Reader) Add(at Position, key, format string, args ...any) {
	r.Problems = append(r.Problems, Problem{Position: at, Key: key, Text: fmt.Sprintf(format, args...)})
}

// at gives the position of a node.
func (r *Reader) at(n *yaml.Node) Position { return r.position(n.Line, n.Column) }

func (r *Reader) position(line, column int) Position {
	return Position{File: r.File, Line: line, Column: column}
}

// Read reads the one YAML document of a file. ok is false if its values can't be read;
// the problem has then been added.
func (r *Reader) Read(data []byte) (v Value, ok bool) {
	if r.Format.UTF16 {
		data = decodeUTF16(data)
	}
	if !r.characters(data) {
		return Value{}, false
	}
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	var document, next yaml.Node
	if err := decoder.Decode(&document); errors.Is(err, io.EOF) {
		r.Add(r.position(1, 1), "", "%s", r.Format.Empty)
		return Value{}, false
	} else if err != nil {
		r.syntax(err, data)
		return Value{}, false
	}
	if err := decoder.Decode(&next); err == nil {
		r.Add(r.at(&next), "", "%s", r.Format.Second)
	} else if !errors.Is(err, io.EOF) {
		r.syntax(err, data)
	}
	top := document.Content[0]
	if top.ShortTag() == "!!null" {
		r.Add(r.at(top), "", "%s", r.Format.Empty)
		return Value{}, false
	}
	guard := sizeGuard{reader: r, open: map[*yaml.Node]bool{}}
	if !r.Format.NoAliases && !guard.check(top, 0) {
		return Value{}, false
	}
	return r.value(top, top, ""), true
}

// sizeGuard limits what a document holds. With YAML's aliases a small file can stand
// for a tree without end.
type sizeGuard struct {
	reader *Reader
	open   map[*yaml.Node]bool // the targets of the aliases above the present node
	values int
}

func (g *sizeGuard) check(n *yaml.Node, depth int) bool {
	g.values++
	f := g.reader.Format
	switch {
	case g.values > f.MaxValues:
		g.reader.Add(g.reader.at(n), "", f.TooMany, f.MaxValues)
		return false
	case depth > f.MaxDepth:
		g.reader.Add(g.reader.at(n), "", f.TooDeep, f.MaxDepth)
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
	if text := g.reader.Format.InItself; text != "" && g.open[n.Alias] {
		g.reader.Add(g.reader.at(n), "", text, n.Value)
		return false
	}
	g.open[n.Alias] = true
	defer delete(g.open, n.Alias)
	return g.check(n.Alias, depth+1)
}
