package python

import (
	"slices"

	"github.com/authcompat/authcompat/profiles/yamlfile"
)

// expression reads one expression: a statement's right-hand side, or what stands between two
// commas. It knows what its tokens come to, or why that isn't known.
type expression struct {
	*reader
	tokens []token // those of the whole line
	i, end int     // the next token, and the one behind the last
	why    *Value  // why the expression is not known
}

// evaluate gives the value of the tokens from i to end. It is Unknown where only running the
// file could tell, and never wrong.
func (r *reader) evaluate(tokens []token, i, end int) *Value {
	if i >= end {
		return r.unknown(tokens[max(min(i, len(tokens)-1), 0)].pos, "is missing")
	}
	if items := split(tokens, i, end); len(items) > 1 || items[0].end != end {
		return r.list(tokens, tokens[i].pos, items, true)
	}
	e := &expression{reader: r, tokens: tokens, i: i, end: end}
	v := e.union()
	switch {
	case e.why != nil:
		return e.why
	case e.i == end:
		return v
	case v.Kind == Unknown:
		return v // such as os.environ.get("A") or "b"
	}
	return e.leftover()
}

// leftover says what an expression is that goes on behind what was read of it.
func (e *expression) leftover() *Value {
	t := e.tokens[e.i]
	reason := "is computed"
	switch {
	case slices.Contains([]string{"if", "or", "and", "in", "is", "not"}, t.text) && t.kind == nameToken,
		slices.Contains([]string{"==", "!=", "<", ">", "<=", ">="}, t.text) && t.kind == opToken:
		reason = "depends on a condition"
	case t.word("for") || t.word("async"):
		reason = "is computed in a loop"
	case t.is("%"):
		reason = "is put together with %"
	}
	return e.unknown(t.pos, reason)
}

// more tells whether the next token is one of these operators.
func (e *expression) more(ops ...string) bool {
	return e.why == nil && e.i < e.end && e.tokens[e.i].kind == opToken && slices.Contains(ops, e.tokens[e.i].text)
}

// fail makes the whole expression unknown.
func (e *expression) fail(pos yamlfile.Position, reason string) *Value {
	if e.why == nil {
		e.why = e.unknown(pos, reason)
	}
	e.i = e.end
	return e.why
}

// union reads dictionaries with | between them, or one operand.
func (e *expression) union() *Value {
	v := e.sum()
	for e.more("|") {
		e.i++
		v = e.join(v, e.sum())
	}
	return v
}

func (e *expression) sum() *Value {
	v := e.product()
	for e.more("+", "-") {
		op := e.tokens[e.i]
		e.i++
		v = e.arithmetic(v, op, e.product())
	}
	return v
}

func (e *expression) product() *Value {
	v := e.signed()
	for e.more("*", "/", "//") {
		op := e.tokens[e.i]
		e.i++
		v = e.arithmetic(v, op, e.signed())
	}
	return v
}

// signed reads an operand with its signs.
func (e *expression) signed() *Value {
	pos, signs, negative := yamlfile.Position{}, 0, false
	for ; e.more("-", "+"); e.i++ {
		pos, signs, negative = e.tokens[e.i].pos, signs+1, negative != e.tokens[e.i].is("-")
	}
	v := e.operand()
	if signs == 0 {
		return v
	}
	switch v.Kind {
	case Int, Duration, Float:
		signed := *v
		if signed.Pos = pos; negative {
			signed.Int, signed.Float = -v.Int, -v.Float
		}
		return e.made(&signed)
	case Unknown:
		return v
	}
	return e.fail(pos, "is computed")
}

// operand reads an atom and what is asked of it: attributes, calls, subscripts.
func (e *expression) operand() *Value {
	if e.i >= e.end {
		return e.fail(e.tokens[e.end-1].pos, "is not understood")
	}
	first := e.tokens[e.i]
	v := e.atom()
	spelled := first.text // as the file has it, for what is said of calls
	if first.kind != nameToken {
		spelled = ""
	}
	for e.more(".", "(", "[") {
		t := e.tokens[e.i]
		switch {
		case t.is(".") && e.i+1 < e.end && e.tokens[e.i+1].kind == nameToken:
			name := e.tokens[e.i+1].text
			e.i += 2
			if spelled += "." + name; len(spelled) > maxName {
				return e.fail(first.pos, tooLarge)
			}
			if e.more("(") && name == "copy" && (v.Kind == List || v.Kind == Dict || v.Kind == Set) && e.tokens[e.i].match == e.i+1 {
				e.i += 2
				v = e.copied(v, first.pos)
				continue
			}
			switch v.Kind {
			case Name:
				v = e.made(&Value{Kind: Name, Pos: v.Pos, Text: v.Text + "." + name})
			case Unknown:
			default:
				v = e.unknown(first.pos, "is what ."+name+" gives")
			}
		case t.is("("):
			v = e.call(v, spelled, first.pos)
		case t.is("["):
			v = e.subscript(v, spelled, first.pos)
		default:
			return e.fail(t.pos, "is not understood")
		}
	}
	if e.more("**") {
		return e.fail(e.tokens[e.i].pos, "is computed")
	}
	return v
}

// atom reads a literal, a name, or what stands in brackets.
func (e *expression) atom() *Value {
	t := e.tokens[e.i]
	switch t.kind {
	case stringToken:
		return e.text()
	case numberToken:
		e.i++
		return e.number(t)
	case nameToken:
		e.i++
		return e.name(t)
	}
	inner := e.i + 1
	switch {
	case t.is("("):
		e.i = t.match + 1
		items := split(e.tokens, inner, t.match)
		switch {
		case inner == t.match, len(items) > 1, items[0].end < t.match: // (), (a, b), (a,)
			return e.list(e.tokens, t.pos, items, true)
		case items[0].loop:
			return e.unknown(t.pos, "is computed in a loop")
		}
		return e.evaluate(e.tokens, inner, t.match)
	case t.is("["):
		e.i = t.match + 1
		return e.list(e.tokens, t.pos, split(e.tokens, inner, t.match), false)
	case t.is("{"):
		e.i = t.match + 1
		return e.braces(t.pos, split(e.tokens, inner, t.match))
	}
	return e.fail(t.pos, "is not understood")
}

// name gives what a name stands for.
func (e *expression) name(t token) *Value {
	switch t.text {
	case "None":
		return e.made(&Value{Kind: None, Pos: t.pos})
	case "True", "False":
		return e.made(&Value{Kind: Bool, Pos: t.pos, Bool: t.text == "True"})
	case "not":
		return e.fail(t.pos, "depends on a condition")
	case "lambda":
		return e.fail(t.pos, "is a lambda")
	case "await", "yield":
		return e.fail(t.pos, "is computed")
	}
	if v, ok := e.names[t.text]; ok {
		return v
	}
	switch t.text {
	case "dict", "list", "tuple", "set", "frozenset":
		return e.made(&Value{Kind: Name, Pos: t.pos, Text: "builtins." + t.text})
	}
	return e.unknown(t.pos, "is the name "+t.text+", which nothing read so far has set")
}

// text reads texts, which one after another are one (Python Language Reference, 2.4.2).
func (e *expression) text() *Value {
	pos := e.tokens[e.i].pos
	var text []byte
	for ; e.i < e.end && e.tokens[e.i].kind == stringToken; e.i++ {
		t := e.tokens[e.i]
		switch {
		case t.literal.opaque != "":
			return e.skipTexts(t.pos, t.literal.opaque)
		case t.literal.bytes:
			return e.skipTexts(t.pos, "is bytes")
		case t.literal.parts == nil:
			text = append(text, t.text...)
			continue
		}
		for i, part := range t.literal.parts {
			if i%2 == 0 {
				text = append(text, part...)
				continue
			}
			v := e.name(token{kind: nameToken, text: part, pos: t.pos})
			switch v.Kind {
			case String, Int:
				text = append(text, plain(v)...)
			case Unknown:
				return e.skipTexts(t.pos, v.Text)
			default:
				return e.skipTexts(t.pos, "is an f-string with a value that is no text")
			}
			if !e.joined(len(plain(v))) {
				return e.skipTexts(t.pos, tooLarge)
			}
		}
	}
	return e.made(&Value{Kind: String, Pos: pos, Text: string(text)})
}

// skipTexts goes over the texts that are left, which are unknown for this reason.
func (e *expression) skipTexts(pos yamlfile.Position, reason string) *Value {
	for e.i < e.end && e.tokens[e.i].kind == stringToken {
		e.i++
	}
	return e.unknown(pos, reason)
}

// item is what stands between two commas.
type item struct {
	start, end int
	colon      int  // the place of the first colon of its own, or -1
	loop       bool // it is a comprehension
}

// split gives the items of a list of them; what follows the last comma only if there is something.
// Brackets are stepped over, so that all levels together take linear time.
func split(tokens []token, i, end int) []item {
	items := []item{{start: i, end: end, colon: -1}}
	lambda := 0 // lambdas whose colon has not come
	for ; i < end; i++ {
		t, last := tokens[i], &items[len(items)-1]
		switch {
		case t.kind == nameToken && t.text == "lambda":
			lambda++
		case t.kind == nameToken && t.text == "for":
			last.loop = true
		case t.kind != opToken:
		case t.text == "(" || t.text == "[" || t.text == "{":
			i = t.match
		case t.text == ":" && lambda > 0:
			lambda--
		case t.text == ":" && last.colon < 0:
			last.colon = i
		case t.text == "," && lambda == 0:
			if last.end = i; i+1 < end {
				items = append(items, item{start: i + 1, end: end, colon: -1})
			}
		}
	}
	return items
}

// list gives the List of the items.
func (r *reader) list(tokens []token, pos yamlfile.Position, items []item, tuple bool) *Value {
	v := &Value{Kind: List, Pos: pos, Tuple: tuple}
	if r.items(v, tokens, items) {
		return r.unknown(pos, "is computed in a loop")
	}
	return r.made(v)
}

// items adds items to a List or a Set. It gives up at a comprehension.
func (r *reader) items(v *Value, tokens []token, items []item) (loop bool) {
	for _, it := range items {
		switch {
		case it.loop:
			return true
		case it.start >= it.end:
		case tokens[it.start].is("*"):
			r.spread(v, r.evaluate(tokens, it.start+1, it.end))
		default:
			v.Items = append(v.Items, r.made(r.evaluate(tokens, it.start, it.end)))
		}
	}
	return false
}

// spread adds the items of another value, as * does.
func (r *reader) spread(v, other *Value) {
	switch {
	case (other.Kind == List || other.Kind == Set) && r.charge(len(other.Items)):
		v.Items = append(v.Items, other.Items...)
	case other.Kind == Unknown:
		v.Items = append(v.Items, &Value{Pos: other.Pos, Text: other.Text, Spread: true})
	case other.Kind == Name:
		v.Items = append(v.Items, &Value{Pos: other.Pos, Text: "comes from " + other.Text, Spread: true})
	default:
		v.Items = append(v.Items, &Value{Pos: other.Pos, Text: "is computed", Spread: true})
	}
}

// braces gives the Dict or the Set of the items.
func (e *expression) braces(pos yamlfile.Position, items []item) *Value {
	first := items[0]
	set := first.start < first.end && first.colon < 0 && !e.tokens[first.start].is("**")
	if slices.ContainsFunc(items, func(it item) bool { return it.loop }) {
		return e.unknown(pos, "is computed in a loop")
	}
	if set {
		v := &Value{Kind: Set, Pos: pos}
		e.items(v, e.tokens, items)
		return e.made(v)
	}
	d := &Value{Kind: Dict, Pos: pos}
	for _, it := range items {
		switch {
		case it.start >= it.end:
		case e.tokens[it.start].is("**"):
			e.merge(d, e.evaluate(e.tokens, it.start+1, it.end))
		case it.colon < 0:
			return e.fail(e.tokens[it.start].pos, "is not understood")
		default:
			key := e.evaluate(e.tokens, it.start, it.colon)
			e.set(d, key, e.evaluate(e.tokens, it.colon+1, it.end))
		}
	}
	return e.made(d)
}
