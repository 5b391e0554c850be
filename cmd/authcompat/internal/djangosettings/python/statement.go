package python

import (
	"slices"
	"strings"

	"github.com/authcompat/authcompat/profiles/yamlfile"
)

// statement reads a simple statement: the tokens from i to end.
func (r *reader) statement(tokens []token, i, end int) {
	first := tokens[i]
	if b := r.own(); b != nil {
		r.hidden(tokens, i, end, b)
		return
	}
	switch {
	case first.word("from"):
		r.importFrom(tokens[i:end], i)
		return
	case first.word("import"):
		r.importModules(tokens[i:end])
		return
	case first.word("del"):
		for _, it := range split(tokens, i+1, end) {
			r.delete(tokens, it.start, it.end)
		}
		return
	}
	var ends []int // where = stands
	augmented, colon := -1, -1
	lambda := false
	for j := i; j < end; j++ {
		t := tokens[j]
		if t.word("lambda") {
			lambda = true
		}
		if t.kind != opToken {
			continue
		}
		switch t.text {
		case "(", "[", "{":
			j = t.match
		case "=":
			if !lambda {
				ends = append(ends, j)
			}
		case ":":
			if colon < 0 && len(ends) == 0 {
				colon = j
			}
		case "+=", "-=", "*=", "/=", "//=", "%=", "@=", "&=", "|=", "^=", ">>=", "<<=", "**=":
			if augmented < 0 && len(ends) == 0 {
				augmented = j
			}
		}
	}
	switch {
	case augmented >= 0:
		r.augment(tokens, i, augmented, end)
	case len(ends) > 0:
		r.assign(tokens, i, end, colon, ends)
	case colon >= 0: // an annotation alone
	default:
		r.bare(tokens, i, end)
	}
}

// assign reads A = B = value.
func (r *reader) assign(tokens []token, i, end, colon int, ends []int) {
	value := r.evaluate(tokens, ends[len(ends)-1]+1, end)
	if why := r.maybe(tokens[i].pos); why != nil {
		value = why
	}
	for _, stop := range ends {
		targetEnd := stop
		if colon >= i && colon < stop {
			targetEnd = colon
		}
		r.store(tokens, i, targetEnd, value)
		i = stop + 1
	}
}

// store puts a value where the target says.
func (r *reader) store(tokens []token, i, end int, value *Value) {
	if i >= end {
		return
	}
	items := split(tokens, i, end)
	if len(items) > 1 || items[0].end != end || tokens[i].is("(") || tokens[i].is("[") || tokens[i].is("*") {
		r.unpack(tokens, i, end)
		return
	}
	if i+1 == end && tokens[i].kind == nameToken {
		r.names[tokens[i].text] = value
		return
	}
	container, key := r.entry(tokens, i, end)
	switch {
	case container == nil:
	case container.Kind == Dict && key != nil:
		if r.within(value, container) {
			value = r.unknown(tokens[i].pos, "contains itself")
		}
		r.set(container, key, value)
	case container.Kind == List:
		r.spoil(container, r.unknown(tokens[i].pos, "is set item by item"))
	}
}

// unpack makes names unknown that are set together: a, b = c.
func (r *reader) unpack(tokens []token, i, end int) {
	for j, t := range tokens[i:end] {
		before := i+j > 0 && tokens[i+j-1].is(".")
		if t.kind == nameToken && !before {
			if _, ok := r.names[t.text]; ok || t.text == strings.ToUpper(t.text) {
				r.names[t.text] = r.unknown(t.pos, "is set together with others")
			}
		}
	}
}

// entry gives the container and the key of a target such as A["b"]["c"]; nil if it is none that is known.
func (r *reader) entry(tokens []token, i, end int) (container, key *Value) {
	if tokens[i].kind != nameToken {
		return nil, nil
	}
	container = r.root(tokens[i], tokens[i+1].is("[") && tokens[i+2].kind == stringToken)
	for i++; container != nil; i = tokens[i].match + 1 {
		if i >= end || !tokens[i].is("[") {
			return nil, nil
		}
		items := split(tokens, i+1, tokens[i].match)
		if len(items) != 1 || items[0].colon >= 0 || items[0].start >= items[0].end {
			key = r.unknown(tokens[i].pos, "is computed")
		} else {
			key = r.evaluate(tokens, i+1, tokens[i].match)
		}
		if tokens[i].match+1 == end {
			return container, key
		}
		switch {
		case container.Kind == Dict && key.Kind == String:
			container = r.key(container, key.Text)
		case container.Kind == Dict:
			r.open(container, r.unknown(key.Pos, "is changed under a key that is not known"))
			return nil, nil
		case container.Kind == List && key.Kind == Int && key.Int >= 0 && key.Int < int64(len(container.Items)):
			container = container.Items[key.Int]
		case container.Kind == List:
			r.spoil(container, r.unknown(key.Pos, "is changed at a place that is not known"))
			return nil, nil
		default:
			return nil, nil
		}
	}
	return nil, nil
}

// root gives the value of a name whose entries are changed. A setting that is not known becomes a Dict of
// which only what is changed here is known.
func (r *reader) root(t token, dict bool) *Value {
	v := r.names[t.text]
	if !dict || !isSetting(t.text) || v != nil && v.Kind != Unknown && v.Kind != Name {
		return v
	}
	if why := r.maybe(t.pos); why != nil { // it may be no dictionary at all
		r.names[t.text] = why
		return nil
	}
	v = &Value{Kind: Dict, Pos: t.pos, Open: r.outside(v, t.pos)}
	r.names[t.text] = r.made(v)
	return v
}

// outside says why the rest of a value is not known that is changed here, and of which v is known.
func (r *reader) outside(v *Value, pos yamlfile.Position) *Value {
	if v == nil {
		return r.unknown(pos, "is changed before anything read has set it")
	}
	return v.unknown()
}

// key is Value.Key of a Dict in constant time.
func (r *reader) key(d *Value, key string) *Value {
	if i := r.find(d, key); i >= 0 {
		return d.Items[i]
	}
	return d.Open
}

// spoil makes all items of a List or a Set unknown.
func (r *reader) spoil(list, why *Value) {
	list.Items = []*Value{{Pos: why.Pos, Text: why.Text, Spread: true}}
}

// within tells whether a container stands somewhere in a value, or that this would take too long to find out.
func (r *reader) within(value, container *Value) bool {
	if value == container {
		return true
	}
	if !r.charge(len(value.Items)) {
		return true
	}
	return slices.ContainsFunc(value.Items, func(item *Value) bool { return r.within(item, container) })
}

// augment reads A += value and the like.
func (r *reader) augment(tokens []token, i, at, end int) {
	value := r.evaluate(tokens, at+1, end)
	old, set := r.target(tokens, i, at)
	if set == nil {
		return
	}
	if old == nil {
		old = r.unknown(tokens[i].pos, "is changed before anything read has set it")
	}
	op := tokens[at]
	switch {
	case op.is("+=") && old.Kind == List && !old.Tuple:
		r.extend(old, value, len(old.Items), tokens[i].pos)
		return
	case op.is("|=") && old.Kind == Dict:
		r.update(old, value, tokens[i].pos)
		return
	case op.is("|=") && old.Kind == Set:
		r.extend(old, value, len(old.Items), tokens[i].pos)
		return
	}
	why := r.maybe(tokens[i].pos)
	if why != nil && op.is("+=") && old.Kind == List { // a tuple that may or may not have more
		more := &Value{Kind: List, Pos: old.Pos, Tuple: true}
		r.spread(more, old)
		more.Items = append(more.Items, &Value{Pos: why.Pos, Text: why.Text, Spread: true})
		set(r.made(more))
		return
	}
	if why != nil {
		set(why)
		return
	}
	e := &expression{reader: r, tokens: tokens}
	plainOp := op
	plainOp.text = strings.TrimSuffix(op.text, "=")
	set(e.arithmetic(old, plainOp, value))
}

// target gives the value that a target has, and what sets another. Both are nil for one that is not known.
func (r *reader) target(tokens []token, i, end int) (*Value, func(*Value)) {
	if tokens[i].kind != nameToken {
		return nil, nil
	}
	set := func(v *Value) { r.store(tokens, i, end, v) }
	if i+1 == end {
		return r.names[tokens[i].text], set
	}
	container, key := r.entry(tokens, i, end)
	if container == nil || key == nil {
		return nil, nil
	}
	if container.Kind == Dict && key.Kind == String {
		return r.key(container, key.Text), set
	}
	return nil, set
}

// extend adds the items of a value to a list at a place.
func (r *reader) extend(list, value *Value, at int, pos yamlfile.Position) {
	added := &Value{Kind: List}
	if why := r.maybe(pos); why != nil {
		value = why
	}
	if r.within(value, list) && value != list {
		value = r.unknown(pos, "contains itself")
	}
	r.spread(added, value)
	if at < len(list.Items) && !r.charge(len(list.Items)) {
		r.spoil(list, r.full)
		return
	}
	list.Items = slices.Insert(list.Items, at, added.Items...)
}

// update adds the entries of a value to a dictionary.
func (r *reader) update(d, value *Value, pos yamlfile.Position) {
	if r.within(value, d) {
		value = r.unknown(pos, "contains itself")
	}
	why := r.maybe(pos)
	if why == nil {
		r.merge(d, value)
		return
	}
	if value.Kind != Dict || value.Open != nil {
		r.open(d, why)
		return
	}
	for _, key := range value.Keys {
		r.set(d, key, why)
	}
}

// delete reads del A["b"] and del A.
func (r *reader) delete(tokens []token, i, end int) {
	if i >= end || tokens[i].kind != nameToken {
		return
	}
	why := r.maybe(tokens[i].pos)
	if i+1 == end {
		if why != nil {
			r.names[tokens[i].text] = why
		} else {
			delete(r.names, tokens[i].text)
		}
		return
	}
	container, key := r.entry(tokens, i, end)
	switch {
	case container == nil:
	case container.Kind == List:
		r.spoil(container, r.unknown(tokens[i].pos, "has lost an item"))
	case container.Kind != Dict:
	case why != nil || key.Kind != String:
		r.set(container, key, r.unknown(tokens[i].pos, "may have been deleted"))
	default:
		r.remove(container, key.Text)
	}
}
