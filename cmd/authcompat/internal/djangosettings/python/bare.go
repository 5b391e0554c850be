package python

import (
	"slices"
	"strings"

	"github.com/authcompat/authcompat/profiles/yamlfile"
)

// hidden notes settings that a class or a function assigns, where nothing is read.
func (r *reader) hidden(tokens []token, i, end int, b *block) {
	if b.word == "def" {
		if tokens[i].word("global") {
			r.note(tokens[i].pos, "the function %s may change settings", b.name)
		}
		return
	}
	if !b.noted && i+1 < end && tokens[i].kind == nameToken && (tokens[i+1].is("=") || tokens[i+1].is(":")) && isSetting(tokens[i].text) {
		b.noted = true
		r.note(b.pos, "the settings in class %s are not read: they depend on which class is used", b.name)
	}
}

// isSetting tells whether a name is one that Django would take for a setting.
func isSetting(name string) bool {
	return name == strings.ToUpper(name) && !strings.HasPrefix(name, "_")
}

// bare reads an expression that is a statement: a call that changes a value, or any other.
func (r *reader) bare(tokens []token, i, end int) {
	if end-1 > i && tokens[end-1].is(")") {
		for open := i; open < end; open++ {
			t := tokens[open]
			if t.is("(") && t.match == end-1 && open-2 > i-1 && open >= i+3 && tokens[open-1].kind == nameToken && tokens[open-2].is(".") {
				if r.method(tokens, i, open-2, tokens[open-1].text, open) {
					return
				}
			}
			if t.is("(") || t.is("[") || t.is("{") {
				open = t.match
			}
		}
	}
	for _, t := range tokens[i:end] {
		if t.word("locals") || t.word("globals") || t.word("vars") {
			r.note(t.pos, "a call with %s() may change any setting above", t.text)
			return
		}
	}
	switch {
	case i+1 < end && tokens[i+1].is("(") && slices.Contains([]string{"include", "optional", "exec", "execfile", "setattr"}, tokens[i].text):
		r.note(tokens[i].pos, "%s(…) may change any setting above", tokens[i].text)
	}
}

// method reads X.method(…) where X is a target, and tells whether it did.
func (r *reader) method(tokens []token, i, end int, name string, open int) bool {
	pos := tokens[i].pos
	v, set := r.target(tokens, i, end)
	if set == nil || !slices.Contains([]string{"update", "setdefault", "pop", "append", "extend", "insert", "remove"}, name) &&
		(v == nil || v.Kind == Unknown || v.Kind == Name) {
		return false
	}
	if v == nil || v.Kind == Unknown || v.Kind == Name {
		if !isSetting(tokens[i].text) {
			return false
		}
		if why := r.maybe(pos); why != nil { // it may be neither a list nor a dictionary
			set(why)
			return true
		}
		why := r.outside(v, pos)
		v = &Value{Kind: List, Pos: pos, Items: []*Value{{Pos: why.Pos, Text: why.Text, Spread: true}}}
		if name == "update" || name == "setdefault" || name == "pop" {
			v = &Value{Kind: Dict, Pos: pos, Open: why}
		}
		set(v)
	}
	e := &expression{reader: r, tokens: tokens, i: open, end: tokens[open].match + 1}
	var args []argument
	for _, it := range split(tokens, open+1, tokens[open].match) {
		if it.start >= it.end {
			continue
		}
		arg := argument{}
		if tokens[it.start].kind == nameToken && it.start+1 < it.end && tokens[it.start+1].is("=") {
			arg.name = tokens[it.start].text
			it.start += 2
		} else if tokens[it.start].is("**") {
			it.start++
		}
		if it.loop {
			arg.value = r.unknown(pos, "is computed in a loop")
		} else {
			arg.value = e.evaluate(tokens, it.start, it.end)
		}
		args = append(args, arg)
	}
	switch v.Kind {
	case Dict:
		return r.dictMethod(v, name, args, pos)
	case List, Set:
		return r.listMethod(v, name, args, pos)
	}
	return false
}

// dictMethod changes a dictionary.
func (r *reader) dictMethod(d *Value, name string, args []argument, pos yamlfile.Position) bool {
	switch {
	case name == "update":
		for _, arg := range args {
			more := arg.value
			if arg.name != "" {
				more = &Value{Kind: Dict, Pos: pos}
				r.set(more, &Value{Kind: String, Pos: pos, Text: arg.name}, arg.value)
			}
			r.update(d, more, pos)
		}
	case name == "setdefault" && len(args) == 2 && args[0].value.Kind == String:
		if r.find(d, args[0].value.Text) < 0 {
			value := args[1].value
			if d.Open != nil {
				value = d.Open
			}
			if r.within(value, d) {
				value = r.unknown(pos, "contains itself")
			}
			if why := r.maybe(pos); why != nil {
				value = why
			}
			r.set(d, args[0].value, value)
		}
	case name == "pop" && len(args) > 0 && args[0].value.Kind == String:
		if why := r.maybe(pos); why != nil {
			r.set(d, args[0].value, why)
		} else {
			r.remove(d, args[0].value.Text)
		}
	case slices.Contains([]string{"get", "keys", "items", "values", "copy"}, name):
	default:
		r.open(d, r.unknown(pos, "is changed by ."+name+"(…)"))
	}
	return true
}

// listMethod changes a list or a set.
func (r *reader) listMethod(v *Value, name string, args []argument, pos yamlfile.Position) bool {
	one := func(value *Value) *Value { return &Value{Kind: List, Pos: pos, Items: []*Value{value}} }
	switch {
	case (name == "append" || name == "add") && len(args) == 1:
		if r.within(args[0].value, v) {
			args[0].value = r.unknown(pos, "contains itself")
		}
		r.extend(v, one(args[0].value), len(v.Items), pos)
	case name == "extend" && len(args) == 1:
		r.extend(v, args[0].value, len(v.Items), pos)
	case name == "update" && v.Kind == Set:
		for _, arg := range args {
			r.extend(v, arg.value, len(v.Items), pos)
		}
	case name == "insert" && len(args) == 2:
		r.insert(v, args[0].value, args[1].value, pos)
	case (name == "remove" || name == "discard") && len(args) == 1 && args[0].value.Kind == String:
		r.removeItem(v, args[0].value.Text, pos)
	case slices.Contains([]string{"index", "count", "copy"}, name):
	default:
		r.spoil(v, r.unknown(pos, "is changed by ."+name+"(…)"))
	}
	return true
}

// insert puts an item at a place. Before an item that stands for several, the place is known; behind
// it, it is not.
func (r *reader) insert(v, at, value *Value, pos yamlfile.Position) {
	place := int64(len(v.Items))
	if at.Kind == Int && at.Int >= 0 && at.Int < place {
		place = at.Int
	}
	known := at.Kind == Int && at.Int >= 0 && r.charge(int(place)) &&
		!slices.ContainsFunc(v.Items[:place], func(item *Value) bool { return item.Spread })
	if !known || r.within(value, v) {
		v.Items = append(v.Items, &Value{Pos: pos, Text: "is inserted at a place that is not known", Spread: true})
		return
	}
	r.extend(v, &Value{Kind: List, Pos: pos, Items: []*Value{value}}, int(place), pos)
}

// removeItem takes the first item that is the text out.
func (r *reader) removeItem(v *Value, text string, pos yamlfile.Position) {
	if !r.charge(len(v.Items)) {
		r.spoil(v, r.unknown(pos, tooLarge))
		return
	}
	i := slices.IndexFunc(v.Items, func(item *Value) bool { return item.Kind == String && item.Text == text })
	why := r.maybe(pos)
	switch {
	case i < 0:
	case why != nil:
		v.Items[i] = why
	default:
		v.Items = slices.Delete(v.Items, i, i+1)
	}
}
