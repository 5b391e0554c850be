// Package python reads the assignments of Python files, such as Django's settings, as text. Nothing is
// run and nothing is imported: what only running the file could tell is [Unknown], with the reason and
// the position, and is never guessed.
//
// Known are literals, names that were assigned before, + - * / // and | on them, timedelta, dict, list, tuple,
// set, re.compile, and a few constants of packages that settings are made of; further assignments to keys,
// +=, |=, update, setdefault, append, extend, insert, remove, pop and del. What stands in a block
// (if, for, while, try, with) may or may not happen: it makes Unknown what it touches. Functions and
// classes are passed over. One thing isn't followed: a list or dictionary that has a second name only
// through something Unknown (A = B or C), and is changed by that name.
package python

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/authcompat/authcompat/profiles/yamlfile"
)

// MaxFile is the most bytes that a file may have.
const MaxFile = 1 << 20

// File is a file of Python's.
type File struct {
	Name string // for positions
	Text []byte // UTF-8
}

// Module has what files have assigned at their top level.
type Module struct {
	names map[string]*Value
	Notes []Note // in the order of the files
}

// Note is something that may change what is known.
type Note struct {
	Pos  yamlfile.Position
	Text string
}

// Value gives what was assigned to a name last: nil if nothing was.
func (m *Module) Value(name string) *Value { return m.names[name] }

// Read reads files one after another, as if the later ones began with "from EARLIER import *". It takes linear time. An
// error says where a file isn't Python, or that it is too large.
func Read(files ...File) (*Module, error) {
	r := &reader{
		names: map[string]*Value{}, places: map[*Value]map[string]int{}, left: maxValues, texts: maxText,
		full: &Value{Text: tooLarge}, read: map[string]bool{},
	}
	for _, f := range files {
		if len(f.Text) > MaxFile {
			return nil, fmt.Errorf("%s: the file is larger than 1 MiB", f.Name)
		}
		lines, err := scan(f.Name, f.Text)
		if err != nil {
			return nil, err
		}
		r.full = &Value{Pos: yamlfile.Position{File: f.Name}, Text: tooLarge}
		r.blocks = nil
		for _, l := range lines {
			r.line(l)
		}
		r.read[strings.TrimSuffix(filepath.Base(f.Name), ".py")] = true
	}
	return &Module{names: r.names, Notes: r.notes}, nil
}

// reader reads files into names.
type reader struct {
	names  map[string]*Value
	notes  []Note
	places map[*Value]map[string]int // of the keys in each Dict
	blocks []block                   // those that are open
	read   map[string]bool           // the modules that were given and read
	left   int                       // how many values may still be made
	texts  int                       // how many bytes joined texts may still have
	full   *Value                    // in place of values that are too many
}

// block is a statement with a body.
type block struct {
	indent int
	pos    yamlfile.Position
	word   string // its keyword
	name   string // of a class or a function
	own    bool   // a class or a function: what it assigns is its own
	noted  bool   // a note has been made of it
	owner  int    // the place of the outermost class or function that it is, or is in; -1: none
}

func (r *reader) note(pos yamlfile.Position, format string, args ...any) {
	r.notes = append(r.notes, Note{pos, fmt.Sprintf(format, args...)})
}

// line reads a logical line, which may have several statements.
func (r *reader) line(l line) {
	for len(r.blocks) > 0 && l.indent <= r.blocks[len(r.blocks)-1].indent {
		r.blocks = r.blocks[:len(r.blocks)-1]
	}
	b, colon := header(l)
	if r.own() == nil {
		r.rebind(l.tokens, b, colon)
	}
	if colon >= 0 {
		switch n := len(r.blocks); {
		case n > 0 && r.blocks[n-1].owner >= 0:
			b.owner = r.blocks[n-1].owner
		case b.own:
			b.owner = n
		default:
			b.owner = -1
		}
		r.blocks = append(r.blocks, b)
	}
	r.statements(l.tokens, colon+1)
}

// rebind makes names unknown that are set otherwise than by an assignment: def a, class a, for a in, with … as a,
// except … as a, case a, and a := ….
func (r *reader) rebind(tokens []token, b block, colon int) {
	looped, imports := colon >= 0 && (b.word == "for" || b.word == "case" || b.word == "async"), tokens[0].word("from") || tokens[0].word("import")
	for i, t := range tokens {
		if looped = looped && !t.word("in") && i < colon; t.kind != nameToken {
			continue
		}
		if _, known := r.names[t.text]; !known && !isSetting(t.text) {
			continue
		}
		before, after := tokens[max(i-1, 0)], tokens[min(i+1, len(tokens)-1)]
		if looped && i > 0 || after.is(":=") || b.own && i > 0 && (before.word("def") || before.word("class")) ||
			i > 0 && before.word("as") && !imports {
			r.names[t.text] = r.unknown(t.pos, "is set by more than assignments")
		}
	}
}

// statements reads those between semicolons.
func (r *reader) statements(tokens []token, start int) {
	for i := start; i <= len(tokens); i++ {
		if i < len(tokens) && !tokens[i].is(";") {
			if t := tokens[i]; t.is("(") || t.is("[") || t.is("{") {
				i = t.match
			}
			continue
		}
		if i > start {
			r.statement(tokens, start, i)
		}
		start = i + 1
	}
}

// header tells whether a line begins a block, and where the colon is behind which its body may begin; -1
// if it doesn't.
func header(l line) (b block, colon int) {
	first := l.tokens[0]
	b = block{indent: l.indent, pos: first.pos, word: first.text}
	at := 0
	if first.word("async") && len(l.tokens) > 1 {
		at = 1
	}
	if first.kind != nameToken {
		return b, -1
	}
	switch l.tokens[at].text {
	case "class", "def":
		b.own = true
		if at+1 < len(l.tokens) {
			b.word, b.name = l.tokens[at].text, l.tokens[at+1].text
		}
	case "if", "elif", "else", "for", "while", "try", "except", "finally", "with":
	case "match", "case":
		if !l.tokens[len(l.tokens)-1].is(":") {
			return b, -1 // a name
		}
	default:
		return b, -1
	}
	if items := split(l.tokens, 0, len(l.tokens)); items[0].colon >= 0 {
		return b, items[0].colon
	} else if last := len(l.tokens) - 1; l.tokens[last].is(":") {
		return b, last
	}
	// with a as b, c as d: x = 1
	for _, it := range split(l.tokens, 0, len(l.tokens)) {
		if it.colon >= 0 {
			return b, it.colon
		}
	}
	return b, -1
}

// own gives the class or function in whose body the next statement stands, or nil.
func (r *reader) own() *block {
	if n := len(r.blocks); n > 0 && r.blocks[n-1].owner >= 0 {
		return &r.blocks[r.blocks[n-1].owner]
	}
	return nil
}

// maybe says why a statement here may not happen: nil at the top level.
func (r *reader) maybe(pos yamlfile.Position) *Value {
	if len(r.blocks) == 0 {
		return nil
	}
	b := r.blocks[len(r.blocks)-1]
	return r.unknown(pos, fmt.Sprintf("depends on the %s of line %d", b.word, b.pos.Line))
}
