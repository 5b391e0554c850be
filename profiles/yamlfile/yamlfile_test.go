package yamlfile

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"gopkg.in/yaml.v3"
)

// texts words every problem in one word.
func texts() Format {
	return Format{
		MaxValues: 20, MaxDepth: 5,
		Empty: "empty", Second: "second", TooMany: "many: %d", TooDeep: "deep: %d",
	}
}

// refuseTexts refuses every text of a value.
func refuseTexts(v Value) {
	entries, isMap := v.Entries()
	for e := range entries {
		if e.Name == "bad" {
			e.Refuse("key")
		}
		refuseTexts(e.Value)
	}
	items, isList := v.Items()
	for _, item := range items {
		refuseTexts(item)
	}
	if !isMap && !isList && !v.Is("!!int") {
		v.Refuse("not %d", 1)
	}
}

func TestProblems(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(*Format)
		text   string
		want   []string
	}{
		{"nothing", nil, "a: [1, {b: 2}]\nc: &c 3\nd: *c\n", nil},
		{"empty", nil, "# nothing\n", []string{"f:1:1: empty"}},
		{"null", nil, "---\n~\n", []string{"f:2:1: empty"}},
		{"second document", nil, "a: x\n---\n2\n", []string{"f:1:4: a: not 1", "f:2:1: second"}},
		{"broken second document", nil, "1\n---\n  [\n", []string{"f:4:1: did not find expected node content"}},
		{"values and keys", nil, "a:\n  - 1\n  - b: x\nbad: y\n", []string{"f:3:8: a[1].b: not 1", "f:4:1: bad: key", "f:4:6: bad: not 1"}},
		{"left out", nil, "a:\n  b:\n  c: ''\n", []string{"f:2:3: a.b: not 1", "f:3:6: a.c: not 1"}},
		{"of an alias", nil, "a: &a x\nb: *a\n", []string{"f:1:4: a: not 1", "f:2:4: b: not 1"}},
		{"twice", nil, "a: 1\na: x\n", []string{"f:2:1: a: is there twice, first on line 1"}},
		{"twice, worded", func(f *Format) { f.Twice = "again" }, "a: 1\na: x\n", []string{"f:2:1: a: again"}},
		{"too many", nil, "[" + strings.Repeat("1, ", 30) + "]", []string{"f:1:59: many: 20"}},
		{"too deep", nil, "[[[[[[1]]]]]]", []string{"f:1:7: deep: 5"}},
		{"in itself", nil, "&a [*a]", []string{"f:1:1: deep: 5"}},
		{"in itself, worded", func(f *Format) { f.InItself = "%s in itself" }, "&a [*a]", []string{"f:1:5: a in itself"}},
		{"no aliases", func(f *Format) { f.NoAliases = true }, "a: &a 1\nb: *a\n", []string{"f:2:4: b: not 1"}},
		{"unknown anchor", nil, "a: *b\n", []string{"f:1:4: alias *b has no anchor &b before it"}},
		{"tag", func(f *Format) { f.BadTag = strings.ToUpper }, "a: !x 1\n", []string{"f:1:4: a: !X", "f:1:4: a: not 1"}},
		{"key", func(f *Format) { f.BadKey = func(key *yaml.Node) string { return key.Value } }, "a: {b: x}\n", []string{"f:1:1: a"}},
		{"key in a path", func(f *Format) { f.ShowKey = strings.ToUpper }, "a: {b: x}\n", []string{"f:1:8: A.B: not 1"}},
		{"tab", nil, "a:\n\tb: 1\n", []string{"f:2:1: found character that cannot start any token"}},
		{"tab, worded", func(f *Format) { f.Tab = "tab" }, "a:\n\tb: 1\n", []string{"f:2:1: tab"}},
		{"not UTF-8", nil, "a: é\xff\n", []string{"f:1:5: byte 0xff is not UTF-8"}},
		{"UTF-16", func(f *Format) { f.UTF16 = true }, "\xff\xfea\x00:\x00 \x00[\x00\n\x00", []string{"f:2:1: did not find expected node content"}},
		{"UTF-16, not read", nil, "\xff\xfea\x00", []string{"f:1:1: byte 0xff is not UTF-8"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := Reader{File: "f", Format: texts()}
			if test.change != nil {
				test.change(&r.Format)
			}
			if v, ok := r.Read([]byte(test.text)); ok {
				refuseTexts(v)
			} else if len(r.Problems) == 0 {
				t.Error("refused without a problem")
			}
			r.Problems.Sort()
			var got []string
			for _, p := range r.Problems {
				got = append(got, p.String())
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
