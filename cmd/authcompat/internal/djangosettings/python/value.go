package python

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/authcompat/authcompat/profiles/yamlfile"
)

// Kind says what a value is.
type Kind int

// The kinds of values.
const (
	Unknown Kind = iota // what only running the file could tell; Text says why
	None
	Bool
	Int
	Float
	String
	Duration // a timedelta
	List     // a list or a tuple
	Set      // a set or a frozenset; Items are in the order of the file
	Dict
	Name // something of another module; Text is its dotted name
)

// Value is a value of Python's, as far as the text of a file tells it. Callers must not
// change it.
type Value struct {
	Kind   Kind
	Pos    yamlfile.Position // where its expression begins, or, of an unknown one, what makes it unknown
	Text   string            // of a String; the dotted name of a Name, such as "hashlib.sha512"; why it is Unknown
	Bool   bool
	Int    int64   // of an Int; microseconds of a Duration
	Float  float64 // of a Float
	Items  []*Value
	Tuple  bool     // of a List: it is a tuple
	Spread bool     // of an item that is Unknown: it stands for any number of items
	Keys   []*Value // of a Dict: the keys of Items
	Open   *Value   // of a Dict: why it may have further keys, or nil
}

// Key gives the value of a Dict under a text: nil if it has none. It is Unknown if what is
// not known of the Dict may have the key, or if d is no Dict.
func (d *Value) Key(key string) *Value {
	if d.Kind != Dict {
		return d.unknown()
	}
	if i := d.find(key); i >= 0 {
		return d.Items[i]
	}
	return d.Open
}

// find gives the place of a key that is a text, or -1.
func (d *Value) find(key string) int {
	for i, k := range d.Keys {
		if k.Kind == String && k.Text == key {
			return i
		}
	}
	return -1
}

// unknown gives the value itself if it is Unknown, and else one that says that it is no
// dictionary.
func (d *Value) unknown() *Value {
	switch d.Kind {
	case Unknown:
		return d
	case Name:
		return &Value{Pos: d.Pos, Text: "comes from " + d.Text}
	}
	return &Value{Pos: d.Pos, Text: "is no dictionary"}
}

// Texts gives the items of a List or a Set that are all texts. ok is false if v is something
// else, or if one of them isn't known; why then is that one, or v.
func (v *Value) Texts() (texts []string, why *Value, ok bool) {
	if v.Kind != List && v.Kind != Set {
		return nil, v, false
	}
	for _, item := range v.Items {
		if item.Kind != String {
			return nil, item, false
		}
		texts = append(texts, item.Text)
	}
	return texts, nil, true
}

// Has tells whether a List or a Set certainly has the text.
func (v *Value) Has(text string) bool {
	if v == nil || v.Kind != List && v.Kind != Set {
		return false
	}
	for _, item := range v.Items {
		if item.Kind == String && item.Text == text {
			return true
		}
	}
	return false
}

// Complete tells whether nothing in a List or a Set is Unknown.
func (v *Value) Complete() bool {
	if v == nil || v.Kind != List && v.Kind != Set {
		return false
	}
	for _, item := range v.Items {
		if item.Kind == Unknown {
			return false
		}
	}
	return true
}

// Show writes a value as Python would, in about limit bytes; what is beyond them, and what
// is not known, is "…".
func (v *Value) Show(limit int) string {
	w := shower{left: limit}
	w.value(v)
	return w.String()
}

// shower writes a value until its bytes are used up. What it writes bounds the work, too: a
// value may stand in itself many times over.
type shower struct {
	strings.Builder
	left int
}

func (w *shower) write(s string) {
	if w.left <= 0 {
		return
	}
	if w.left -= len(s); w.left <= 0 {
		s = cutAt(s, len(s)+w.left) + "…"
	}
	w.WriteString(s)
}

func (w *shower) value(v *Value) {
	if w.left <= 0 {
		return
	}
	switch v.Kind {
	case Unknown:
		w.write("…")
	case None:
		w.write("None")
	case Bool:
		w.write(map[bool]string{true: "True", false: "False"}[v.Bool])
	case Int:
		w.write(strconv.FormatInt(v.Int, 10))
	case Float:
		w.write(strconv.FormatFloat(v.Float, 'g', -1, 64))
	case String:
		w.write(quote(v.Text, w.left))
	case Name:
		w.write(v.Text)
	case Duration:
		w.write(showDuration(v.Int))
	case Dict:
		w.items(v, "{", "}")
	case Set:
		if len(v.Items) == 0 {
			w.write("set()")
			return
		}
		w.items(v, "{", "}")
	case List:
		if !v.Tuple {
			w.items(v, "[", "]")
		} else if len(v.Items) == 1 {
			w.items(v, "(", ",)")
		} else {
			w.items(v, "(", ")")
		}
	}
}

// items writes what stands in brackets.
func (w *shower) items(v *Value, open, end string) {
	w.write(open)
	for i, item := range v.Items {
		if w.left <= 0 {
			return
		}
		if i > 0 {
			w.write(", ")
		}
		if v.Kind == Dict {
			w.value(v.Keys[i])
			w.write(": ")
		}
		w.value(item)
	}
	switch {
	case v.Open != nil && len(v.Items) > 0:
		w.write(", …")
	case v.Open != nil:
		w.write("…")
	}
	w.write(end)
}

// cutAt gives the first n bytes of a text, less those of half a character.
func cutAt(s string, n int) string {
	if n >= len(s) {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

// quote writes at most limit bytes of a text as Python does, quotes aside.
func quote(s string, limit int) string {
	quoted := strconv.Quote(cutAt(s, limit))
	if strings.Contains(s, "'") {
		return quoted
	}
	return "'" + strings.ReplaceAll(quoted[1:len(quoted)-1], `\"`, `"`) + "'"
}

// The microseconds of a second and of a day.
const (
	second = 1_000_000
	day    = 24 * 60 * 60 * second
)

// showDuration writes a timedelta in its largest unit that leaves no rest.
func showDuration(us int64) string {
	for _, u := range []struct {
		name string
		us   int64
	}{{"days", day}, {"hours", day / 24}, {"minutes", 60 * second}, {"seconds", second}} {
		if us%u.us == 0 && us != 0 {
			return "timedelta(" + u.name + "=" + strconv.FormatInt(us/u.us, 10) + ")"
		}
	}
	if us == 0 {
		return "timedelta(0)"
	}
	return "timedelta(microseconds=" + strconv.FormatInt(us, 10) + ")"
}
