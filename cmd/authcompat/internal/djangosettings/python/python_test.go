package python

import (
	_ "embed"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/authcompat/authcompat/core/pythontest"
)

//go:embed testdata/oracle.py
var oracle string

// startPython starts Debian's interpreter, which runs settings and gives what their names of one letter
// have. Without one the test is skipped, or fails if CI is set.
func startPython(t *testing.T) func(text string) map[string]any {
	t.Helper()
	ask := pythontest.Start(t, "", oracle)
	return func(text string) (answer map[string]any) {
		ask(text, &answer)
		return answer
	}
}

// agrees tells whether what is known of a value is what Python has. What is not known agrees with anything.
func agrees(v *Value, python any) bool {
	if v.Kind == Unknown {
		return true
	}
	told := python.([]any)
	kind := map[Kind]string{None: "NoneType", Bool: "bool", Int: "int", Float: "float", String: "str", Duration: "timedelta", List: "list", Set: "set", Dict: "dict", Name: "other"}[v.Kind]
	if v.Tuple {
		kind = "tuple"
	}
	switch {
	case told[0] != kind:
		return false
	case v.Kind == Name:
		return true
	}
	switch v.Kind {
	case String:
		return told[1] == v.Text
	case Duration:
		return told[1] == strconv.FormatInt(v.Int, 10)
	case Float:
		f, err := strconv.ParseFloat(told[1].(string), 64)
		return err == nil && f == v.Float
	case None, Bool, Int:
		return told[1] == v.Show(100)
	}
	items := told[1].([]any)
	switch v.Kind {
	case Dict:
		return agreesDict(v, items)
	case Set:
		for _, item := range v.Items {
			if item.Kind != Unknown && !slices.ContainsFunc(items, func(p any) bool { return agrees(item, p) }) {
				return false
			}
		}
		return true
	}
	return agreesList(v, items)
}

// agreesDict looks each known key up, and each of Python's where nothing is open.
func agreesDict(v *Value, entries []any) bool {
	for i, key := range v.Keys {
		at := slices.IndexFunc(entries, func(e any) bool { return agrees(key, e.([]any)[0]) })
		if v.Items[i].Kind != Unknown && (at < 0 || !agrees(v.Items[i], entries[at].([]any)[1])) {
			return false
		}
	}
	for _, e := range entries {
		if v.Open == nil && !slices.ContainsFunc(v.Keys, func(key *Value) bool { return agrees(key, e.([]any)[0]) }) {
			return false
		}
	}
	return true
}

// agreesList compares item by item or, where some are not known, whether the others are all there.
func agreesList(v *Value, items []any) bool {
	if v.Complete() && len(items) != len(v.Items) {
		return false
	}
	for i, item := range v.Items {
		switch {
		case item.Kind == Unknown:
		case v.Complete() && !agrees(item, items[i]):
			return false
		case !slices.ContainsFunc(items, func(p any) bool { return agrees(item, p) }):
			return false
		}
	}
	return true
}

// settings writes settings by chance.
type settings struct{ *rand.Rand }

func (r settings) one(of ...string) string { return of[r.IntN(len(of))] }

func (r settings) name() string { return r.one("A", "B", "C", "D") }

func (r settings) expression(depth int) string {
	if depth == 0 {
		return r.one("1", "'a'", "None", "True", `"b" 'c'`, "r'\\d'", "'\\x41\\d\\n'", "2.5", "0x1f", "-3", "'''x\ny'''", "call()", "timedelta(1, hours=2)", "td(minutes=1.5)", "f'{COND}'", "1_0", "u'é'", "{}", "[]", "()", r.name())
	}
	e := func() string { return r.expression(r.IntN(depth)) }
	switch r.IntN(16) {
	case 0:
		return "[" + e() + ", " + e() + "]"
	case 1:
		return "(" + e() + ", " + e() + ",)"
	case 2:
		return "{'k': " + e() + ", 'l': " + e() + "}"
	case 3:
		return "{**" + r.name() + ", 'k': " + e() + "}"
	case 4:
		return "[*" + r.name() + ", " + e() + "]"
	case 5:
		return r.name() + " + " + e()
	case 6:
		return e() + r.one(" + ", " * ", " - ", " // ", " / ", " | ") + e()
	case 7:
		return "(" + e() + ")"
	case 8:
		return e() + " if " + r.one("COND", "NOT") + " else " + e()
	case 9:
		return r.name() + "[" + r.one("'k'", "'l'", "0", "1") + "]"
	case 10:
		return r.one("list", "tuple", "dict", "set") + "(" + r.name() + ")"
	case 11:
		return "dict(k=" + e() + ", **" + r.name() + ")"
	case 12:
		return "[x for x in " + r.name() + "]"
	case 13:
		return "f'{" + r.name() + "}-{{}}'"
	case 14:
		return e() + r.one(" or ", " and ", " == ") + e()
	}
	return "call(give=" + e() + ")"
}

func (r settings) statement() string {
	n, e := r.name(), r.expression(r.IntN(3))
	key := "[" + r.one("'k'", "'l'", "'m'", "0", "COND") + "]"
	switch r.IntN(18) {
	case 0, 1:
		return n + " = " + e
	case 2:
		return n + " = " + r.name() + " = " + e
	case 3:
		return n + key + " = " + e
	case 4:
		return n + key + key + " = " + e
	case 5:
		return n + r.one(" += ", " |= ", " *= ", " -= ") + e
	case 6:
		return n + key + r.one(" += ", " |= ") + e
	case 7:
		return n + ".update(" + e + ")"
	case 8:
		return n + ".update(l=" + e + ")"
	case 9:
		return n + key + ".append(" + e + ")"
	case 10:
		return n + ".extend(" + e + ")"
	case 11:
		return n + ".insert(" + r.one("0", "1", "-1", "9") + ", " + e + ")"
	case 12:
		return n + ".remove('a')"
	case 13:
		return n + ".setdefault('m', " + e + ")"
	case 14:
		return n + r.one(".pop('k', 0)", ".pop()", ".clear()", ".reverse()", key+".clear()")
	case 15:
		return "del " + n + r.one("", key)
	case 16:
		return n + ", " + r.name() + " = " + e + ", 2"
	}
	return n + ".append(" + e + ")"
}

// file writes a file, of which each statement that would fail does nothing.
func (r settings) file() string {
	var b strings.Builder
	b.WriteString("from datetime import timedelta, timedelta as td\nA = ['a']\nB = {'k': 1, 'l': ['a']}\nC = ('a', 1)\nD = 'd'\n")
	for range 1 + r.IntN(8) {
		indent := ""
		switch r.IntN(6) {
		case 0:
			indent = "  "
			fmt.Fprintf(&b, "if %s:\n", r.one("COND", "NOT"))
		case 1:
			indent = "  "
			fmt.Fprintf(&b, "for %s in [1, 2]:\n", r.one("x", "x", "A"))
		}
		fmt.Fprintf(&b, "%s%s\n", indent, r.statement())
	}
	return b.String()
}

// TestAgainstCPython writes settings by chance, and asks Python what it makes of those that run. What is
// known has to be so.
func TestAgainstCPython(t *testing.T) {
	run := startPython(t)
	ran, known := 0, 0
	for seed := range uint64(20_000) {
		text := settings{rand.New(rand.NewPCG(seed, 1))}.file()
		m, err := Read(File{"a.py", []byte(text)})
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		has := run(text)
		if has["error"] != nil {
			continue
		}
		ran++
		for _, name := range []string{"A", "B", "C", "D"} {
			v := m.Value(name)
			switch {
			case v == nil && has[name] == nil:
				continue
			case v == nil || has[name] == nil && v.Kind != Unknown || has[name] != nil && !agrees(v, has[name]):
				t.Errorf("seed %d: %s is %s, not %v\n%s", seed, name, shown(v), has[name], text)
			case v.Kind != Unknown:
				known++
			}
		}
	}
	if ran < 1000 || known < ran {
		t.Errorf("%d files ran, %d values were known", ran, known)
	}
}
