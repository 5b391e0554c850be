package profiles

import (
	"errors"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

// Each stack is loaded by itself, whether or not a profile names it, and must decide
// everything that its family leaves open.
func TestStacks(t *testing.T) {
	for _, name := range names(builtin, stackFolder) {
		t.Run(name, func(t *testing.T) {
			l := &stackLoader{files: builtin}
			s, err := l.load(name)
			if err != nil {
				t.Fatal(err)
			}
			if err := problemsOf(l.problems); err != nil {
				t.Fatal(err)
			}
			var want []string
			for _, m := range messagesOf(s.family) {
				if !m.optional() {
					want = append(want, m.key)
				}
			}
			slices.Sort(want)
			if diff := cmp.Diff(want, slices.Sorted(maps.Keys(s.messages))); diff != "" {
				t.Errorf("messages: %s", diff)
			}
			for _, r := range rulesOf(s.family) {
				if r.show(&s.rules).Value == "" {
					t.Errorf("rule %s is empty", r.key)
				}
			}
			switch {
			case s.family == PlainJSON && s.errors.Body == nil:
				t.Error("no shape of failures")
			case s.family != PlainJSON && s.errors.Detail == nil:
				t.Error("no detail")
			}
		})
	}
}

// A stack that extends another one changes only what it names.
func TestStackExtends(t *testing.T) {
	load := func(name string) stack {
		s, err := (&stackLoader{files: builtin}).load(name)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	newest, oldest := load("drf-3.14"), load("drf-2.4")
	if newest.rules.Blank != BlankRefused || oldest.rules.Blank != BlankMissing {
		t.Errorf("blank is %q and %q", newest.rules.Blank, oldest.rules.Blank)
	}
	if newest.rules.Page != PageHTML5 || oldest.rules.Page != PageHTML4 {
		t.Errorf("page is %q and %q", newest.rules.Page, oldest.rules.Page)
	}
	if newest.messages["token_invalid"] != "Invalid token." || oldest.messages["token_invalid"] != "Invalid token" {
		t.Errorf("token_invalid is %q and %q", newest.messages["token_invalid"], oldest.messages["token_invalid"])
	}
	if oldest.messages["required"] != newest.messages["required"] {
		t.Errorf("required is %q", oldest.messages["required"])
	}
}

func TestStackProblems(t *testing.T) {
	root, err := fs.ReadFile(builtin, "stacks/views-1.6.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name  string
		stack string // the file of the stack "new"
		want  []string
	}{
		{"good", "stack: new\nextends: views-1.6\nrules: {json: compact}\n", nil},
		{"other name", "stack: old\nextends: views-1.6\n", []string{`stacks/new.yaml:1:8: stack: want new, not "old"`}},
		{"extends itself", "stack: new\nextends: new\n", []string{
			"stacks/new.yaml:2:10: extends: stacks extend each other in a circle: new, new",
		}},
		{"circle", "stack: new\nextends: circle\n", []string{
			"stacks/circle.yaml:2:10: extends: stacks extend each other in a circle: new, circle, new",
		}},
		{"extends nothing", "stack: new\nextends: views\n", []string{
			`stacks/new.yaml:2:10: extends: want circle, new or views-1.6, not "views"`,
		}},
		{"family twice", "stack: new\nfamily: plainjson\nextends: views-1.6\n", []string{
			"stacks/new.yaml:2:1: family: is that of the stack that this one extends",
		}},
		{"nothing decided", "stack: new\nfamily: plainjson\n", []string{
			"stacks/new.yaml:1:1: rules: is missing",
			"stacks/new.yaml:1:1: messages: is missing",
		}},
		{"unknown keys", "stack: new\nextends: views-1.6\nrule: {}\nmessages: {malfrmed: a}\nrules: {blank: refused}\nerrors: {detail: a}\n", []string{
			"stacks/new.yaml:3:1: rule: unknown key; did you mean rules?",
			"stacks/new.yaml:4:12: messages.malfrmed: unknown key; did you mean malformed?",
			"stacks/new.yaml:5:9: rules.blank: is a rule of family drf, not plainjson",
			"stacks/new.yaml:6:10: errors.detail: is of families drf and formjson; the failures of family plainjson have the shape of body",
		}},
		{"no YAML", "stack: [\n", []string{"stacks/new.yaml:2:1: did not find expected node content"}},
		{
			"a rule and a message too few",
			strings.NewReplacer("views-1.6", "new", "  json: spaced\n", "", "  malformed: No JSON object could be decoded\n", "").Replace(string(root)),
			[]string{
				"stacks/new.yaml:9:3: rules.json: is missing",
				"stacks/new.yaml:13:3: messages.malformed: is missing",
			},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			files := fstest.MapFS{
				"stacks/views-1.6.yaml": {Data: root},
				"stacks/circle.yaml":    {Data: []byte("stack: circle\nextends: new\n")},
				"stacks/new.yaml":       {Data: []byte(c.stack)},
			}
			_, err := parse("f.yaml", []byte(strings.Replace(plainProfile, "views-1.6", "new", 1)), files)
			if c.want == nil {
				if err != nil {
					t.Error(err)
				}
				return
			}
			var problems *Problems
			if !errors.As(err, &problems) {
				t.Fatalf("got %v", err)
			}
			if diff := cmp.Diff(c.want, strings.Split(err.Error(), "\n")); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestUnknownStack(t *testing.T) {
	files := fstest.MapFS{"stacks/b.yaml": {}, "stacks/a.yaml": {}, "stacks/c.yaml": {}}
	_, err := parse("f.yaml", []byte(strings.Replace(plainProfile, "views-1.6", "views", 1)), files)
	const want = `f.yaml:3:8: stack: want a, b or c, not "views"`
	if err == nil || err.Error() != want {
		t.Errorf("got %v", err)
	}
}

// TestStackYAML has every stack read back as it was, with what it extends.
func TestStackYAML(t *testing.T) {
	for _, name := range Stacks() {
		text, err := StackYAML(name)
		if err != nil {
			t.Fatal(err)
		}
		want, err := (&stackLoader{files: builtin}).load(name)
		if err != nil {
			t.Fatal(err)
		}
		l := stackLoader{files: fstest.MapFS{stackFolder + "/" + name + ".yaml": {Data: text}}}
		got, err := l.load(name)
		if err != nil || len(l.problems) > 0 {
			t.Fatalf("%s: %v, %v\n%s", name, err, l.problems, text)
		}
		if d := cmp.Diff(want, got, cmp.AllowUnexported(stack{})); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
	}
}
