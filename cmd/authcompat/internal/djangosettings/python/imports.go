package python

import "strings"

// bind gives a name what an import brings. One in a block, of a name that is known, may not happen.
func (r *reader) bind(t token, dotted string) {
	if _, known := r.names[t.text]; known {
		if why := r.maybe(t.pos); why != nil {
			r.names[t.text] = why
			return
		}
	}
	v := library(dotted, t.pos)
	if v == nil {
		v = &Value{Kind: Name, Pos: t.pos, Text: dotted}
	}
	r.names[t.text] = r.made(v)
}

// importModules reads import a.b, c as d.
func (r *reader) importModules(tokens []token) {
	for _, it := range split(tokens, 1, len(tokens)) {
		name, as, _ := dotted(tokens[it.start:it.end])
		switch {
		case name == "":
		case as != nil:
			r.bind(*as, name)
		default:
			first, _, _ := strings.Cut(name, ".")
			r.bind(tokens[it.start], first)
		}
	}
}

// importFrom reads from a.b import c as d, (e, f) and *. The tokens begin at the place at of their line.
func (r *reader) importFrom(tokens []token, at int) {
	module, _, next := dotted(tokens[1:])
	next++ // the place of import
	if next >= len(tokens) || !tokens[next].word("import") || next+1 >= len(tokens) {
		return
	}
	names := tokens[next+1:]
	last := module[strings.LastIndexByte(module, '.')+1:]
	if names[0].is("*") {
		if !r.read[last] {
			r.note(names[0].pos, "from %s import *: that module is not read, and what it sets replaces what is set above", module)
		}
		return
	}
	start, end := 0, len(names)
	if names[0].is("(") {
		start, end = 1, min(names[0].match-at-next-1, len(names))
	}
	for start < end {
		stop := start
		for stop < end && !names[stop].is(",") {
			stop++
		}
		if name, as, _ := dotted(names[start:stop]); name != "" {
			target := names[start]
			if as != nil {
				target = *as
			}
			if _, known := r.names[name]; !known || !r.read[last] || as != nil {
				r.bind(target, strings.TrimSuffix(module, ".")+"."+name)
			}
		}
		start = stop + 1
	}
}

// dotted gives the name that tokens begin with, what stands behind "as", and how many tokens the name has.
func dotted(tokens []token) (name string, as *token, n int) {
	for n < len(tokens) {
		t := tokens[n]
		if !(t.kind == opToken && strings.Trim(t.text, ".") == "" || t.kind == nameToken && t.text != "as" && t.text != "import") {
			break
		}
		name += t.text
		n++
	}
	if n+1 < len(tokens) && tokens[n].word("as") {
		as = &tokens[n+1]
	}
	return name, as, n
}
