package python

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/authcompat/authcompat/profiles/yamlfile"
)

// maxValues is how many values, and maxText how many bytes of joined texts, are made of one run: names
// make it easy to double a value again and again.
const (
	maxValues = 500_000
	maxText   = 1 << 20
)

// maxName is the most bytes of a dotted name.
const maxName = 300

const tooLarge = "is too large"

// charge takes n values of those that may still be made.
func (r *reader) charge(n int) bool {
	if n > r.left {
		r.left = 0
		return false
	}
	r.left -= n
	return true
}

// made counts a value that was made.
func (r *reader) made(v *Value) *Value {
	if !r.charge(1) {
		return r.full
	}
	return v
}

// joined takes n bytes of those that joined texts may have.
func (r *reader) joined(n int) bool {
	if n > r.texts {
		r.texts = 0
		return false
	}
	r.texts -= n
	return true
}

func (r *reader) unknown(pos yamlfile.Position, reason string) *Value {
	return r.made(&Value{Pos: pos, Text: reason})
}

// number reads a number (Python Language Reference, 2.4.4).
func (r *reader) number(t token) *Value {
	digits := strings.ReplaceAll(t.text, "_", "")
	base := 10
	if len(digits) > 1 && digits[0] == '0' {
		base = map[byte]int{'x': 16, 'X': 16, 'o': 8, 'O': 8, 'b': 2, 'B': 2}[digits[1]]
		switch {
		case base != 0:
			digits = digits[2:]
		case strings.Trim(digits, "0") == "":
			base = 10
		}
	}
	if base != 0 {
		if n, err := strconv.ParseInt(digits, base, 64); err == nil {
			return r.made(&Value{Kind: Int, Pos: t.pos, Int: n})
		}
	}
	if strings.ContainsAny(digits, ".eE") && base == 10 || base == 0 && strings.HasPrefix(digits, "0.") {
		if f, err := strconv.ParseFloat(digits, 64); err == nil {
			return r.made(&Value{Kind: Float, Pos: t.pos, Float: f})
		}
	}
	return r.unknown(t.pos, "is a number of an unusual kind")
}

// plain writes a String or an Int as str() does.
func plain(v *Value) string {
	if v.Kind == Int {
		return strconv.FormatInt(v.Int, 10)
	}
	return v.Text
}

// arithmetic joins two operands.
func (e *expression) arithmetic(a *Value, op token, b *Value) *Value {
	if e.why != nil {
		return e.why
	}
	add := op.is("+")
	switch {
	case add && a.Kind == String && b.Kind == String:
		if !e.joined(len(a.Text) + len(b.Text)) {
			return e.unknown(op.pos, tooLarge)
		}
		return e.made(&Value{Kind: String, Pos: a.Pos, Text: a.Text + b.Text})
	case add && a.Kind == List && (b.Kind == List && a.Tuple == b.Tuple || b.Kind == Unknown || b.Kind == Name),
		add && b.Kind == List && (a.Kind == Unknown || a.Kind == Name):
		v := &Value{Kind: List, Pos: a.Pos, Tuple: a.Kind == List && a.Tuple || b.Kind == List && b.Tuple}
		e.spread(v, a)
		e.spread(v, b)
		return e.made(v)
	case a.Kind == Unknown:
		return a
	case b.Kind == Unknown:
		return b
	case a.Kind == Name || b.Kind == Name:
		return e.unknown(op.pos, "is computed with something of another module")
	}
	if v := calculate(a, op.text, b); v != nil {
		v.Pos = a.Pos
		return e.made(v)
	}
	return e.unknown(op.pos, "is computed")
}

// calculate gives the result for numbers and timedeltas; nil if it has none here.
func calculate(a *Value, op string, b *Value) *Value {
	switch {
	case a.Kind == Duration && b.Kind == Duration && (op == "+" || op == "-"):
		return whole(Duration, a.Int, op, b.Int)
	case a.Kind == Duration && b.Kind == Int && op == "*", a.Kind == Int && b.Kind == Duration && op == "*":
		return whole(Duration, a.Int, op, b.Int)
	case a.Kind == Int && b.Kind == Int && op == "/":
		if b.Int == 0 {
			return nil
		}
		return &Value{Kind: Float, Float: float64(a.Int) / float64(b.Int)}
	case a.Kind == Int && b.Kind == Int:
		return whole(Int, a.Int, op, b.Int)
	}
	x, isNumber := number(a)
	y, isOther := number(b)
	if !isNumber || !isOther {
		return nil
	}
	switch {
	case op == "+":
		x += y
	case op == "-":
		x -= y
	case op == "*":
		x *= y
	case op == "/" && y != 0:
		x /= y
	default:
		return nil
	}
	return &Value{Kind: Float, Float: x}
}

// number gives an Int or a Float as a float64.
func number(v *Value) (float64, bool) {
	if v.Kind == Int {
		return float64(v.Int), true
	}
	return v.Float, v.Kind == Float
}

// whole calculates with whole numbers of at most 62 bits; nil if the result is larger.
func whole(kind Kind, a int64, op string, b int64) *Value {
	const most = 1 << 62
	exact := float64(0)
	result := int64(0)
	switch {
	case op == "+":
		exact, result = float64(a)+float64(b), a+b
	case op == "-":
		exact, result = float64(a)-float64(b), a-b
	case op == "*":
		exact, result = float64(a)*float64(b), a*b
	case op == "//" && b > 0 && a >= 0:
		exact, result = float64(a/b), a/b
	default:
		return nil
	}
	if math.Abs(exact) >= most {
		return nil
	}
	return &Value{Kind: kind, Int: result}
}

// set sets a key of a Dict.
func (r *reader) set(d, key, value *Value) {
	if key.Kind == Unknown || key.Kind == Name || key.Kind == List {
		r.open(d, key) // it may be any of them
		return
	}
	if i := r.find(d, place(key)); i >= 0 {
		d.Items[i] = value
		return
	}
	if !r.charge(1) {
		r.open(d, r.full)
		return
	}
	r.index(d, key, len(d.Keys))
	d.Keys = append(d.Keys, key)
	d.Items = append(d.Items, value)
}

// find gives the place of a key of a Dict, or -1, in constant time.
func (r *reader) find(d *Value, key string) int {
	if i, ok := r.places[d][key]; ok {
		return i
	}
	return -1
}

// index notes the place of a key.
func (r *reader) index(d, key *Value, at int) {
	if r.places[d] == nil {
		r.places[d] = map[string]int{}
	}
	r.places[d][place(key)] = at
}

// place gives the text under which a key's place is noted: of a key that is a text, itself.
func place(key *Value) string {
	if key.Kind == String {
		return key.Text
	}
	return "\x00" + key.Show(100)
}

// remove takes a key out of a Dict.
func (r *reader) remove(d *Value, key string) {
	i := r.find(d, key)
	switch {
	case i < 0 && d.Open != nil: // it may have had it
		r.set(d, &Value{Kind: String, Pos: d.Open.Pos, Text: key}, d.Open)
	case i < 0:
	case !r.charge(len(d.Keys)):
		r.open(d, r.full)
	default:
		d.Keys = slices.Delete(d.Keys, i, i+1)
		d.Items = slices.Delete(d.Items, i, i+1)
		delete(r.places, d)
		for at, k := range d.Keys {
			r.index(d, k, at)
		}
	}
}

// open makes a Dict one that may have other keys and other values than those that are known.
func (r *reader) open(d, why *Value) {
	reason := &Value{Pos: why.Pos, Text: why.Text}
	if why.Kind != Unknown {
		reason.Text = "is computed"
	}
	if why.Kind == Name {
		reason.Text = "comes from " + why.Text
	}
	if d.Open == nil {
		d.Open = reason
	}
	if !r.charge(len(d.Items)) {
		d.Keys, d.Items = nil, nil
		delete(r.places, d)
	}
	for i := range d.Items {
		d.Items[i] = reason
	}
}

// merge adds what another value has to a Dict, as ** and update do.
func (r *reader) merge(d, other *Value) {
	if other.Kind != Dict {
		r.open(d, other)
		return
	}
	if other.Open != nil {
		r.open(d, other.Open)
	}
	if !r.charge(len(other.Keys)) {
		r.open(d, r.full)
		return
	}
	for i, key := range other.Keys {
		r.set(d, key, other.Items[i])
	}
}

// join gives the union of two dictionaries.
func (e *expression) join(a, b *Value) *Value {
	if e.why != nil {
		return e.why
	}
	if a.Kind != Dict && b.Kind != Dict {
		switch {
		case a.Kind == Unknown:
			return a
		case b.Kind == Unknown:
			return b
		}
		return e.unknown(a.Pos, "is computed")
	}
	d := &Value{Kind: Dict, Pos: a.Pos}
	e.merge(d, a)
	e.merge(d, b)
	return e.made(d)
}

// copied gives a copy of a container, not of what is in it.
func (r *reader) copied(v *Value, pos yamlfile.Position) *Value {
	c := &Value{Kind: v.Kind, Pos: pos, Tuple: v.Tuple}
	if v.Kind == Dict {
		r.merge(c, v)
	} else {
		r.spread(c, v)
	}
	return r.made(c)
}
