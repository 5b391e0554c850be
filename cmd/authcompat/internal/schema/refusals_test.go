package schema_test

import (
	"context"
	"flag"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/spf13/pflag"
	"gopkg.in/yaml.v3"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/config"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/schema"
	"github.com/authcompat/authcompat/conformance"
	"github.com/authcompat/authcompat/profiles"
)

// FuzzRefusals mutates the built-in files, one value at a time. What the schema refuses the reader has to refuse, too: an editor never
// underlines what works.
func FuzzRefusals(f *testing.F) {
	folder := f.TempDir()
	schemas, readers := map[schema.Kind]*jsonschema.Schema{}, map[schema.Kind]func(string, []byte) error{
		schema.Profile:   func(name string, data []byte) error { _, err := profiles.Parse(name, data); return err },
		schema.Exchanges: func(name string, data []byte) error { _, err := conformance.Load(name, data); return err },
		schema.Config: func(name string, data []byte) error {
			path := filepath.Join(folder, "c.yaml")
			if err := os.WriteFile(path, data, 0o600); err != nil {
				return err
			}
			server := config.NewServer()
			server.AddFlags(pflag.NewFlagSet("", pflag.ContinueOnError))
			_, err := server.Resolve(context.Background(), path)
			return err
		},
	}
	var all [][]byte
	var kinds []schema.Kind
	for _, k := range schema.Kinds() {
		schemas[k] = compiled(f, k)
		found := files(f, k)
		for _, name := range slices.Sorted(maps.Keys(found)) {
			if err := readers[k](name, found[name]); err != nil {
				if !strings.HasSuffix(name, "/config.yaml") { // which names files that aren't there
					f.Errorf("as it is: %v", err)
				}
				continue
			}
			all, kinds = append(all, found[name]), append(kinds, k)
		}
	}
	// One seed for each file and each way to change a value.
	for i := range all {
		for change := range changes {
			f.Add(uint16(i), uint32(i*37+change*11), uint8(change), "requird")
		}
	}
	refused := 0
	f.Fuzz(func(t *testing.T, which uint16, place uint32, change uint8, text string) {
		i := int(which) % len(all)
		k, document := kinds[i], parsed(t, all[i])
		mutate(document, int(place), int(change)%changes, text)
		data, err := yaml.Marshal(document)
		if err != nil {
			t.Skip() // the library can't write it
		}
		var again yaml.Node
		if yaml.Unmarshal(data, &again) != nil || len(again.Content) == 0 {
			t.Skip()
		}
		bySchema := schemas[k].Validate(asJSON(again.Content[0]))
		if bySchema == nil {
			return
		}
		refused++
		if err := readers[k]("f", data); err == nil {
			t.Errorf("%s: the schema refuses what the reader takes: %v\n%s", k, bySchema, data)
		}
	})
	if refused == 0 && flag.Lookup("test.fuzz").Value.String() == "" { // else it is counted in other processes
		f.Error("the schemas have refused nothing")
	}
}

// changes is in how many ways mutate changes a document.
const changes = 8

// mutate changes the value or the key of a document that has a number.
func mutate(document *yaml.Node, place, change int, text string) {
	var nodes []*yaml.Node
	var walk func(*yaml.Node)
	walk = func(n *yaml.Node) {
		nodes = append(nodes, n)
		for _, child := range n.Content {
			walk(child)
		}
	}
	walk(document)
	n := nodes[place%len(nodes)]
	scalar := func(tag, value string) { *n = yaml.Node{Kind: yaml.ScalarNode, Tag: tag, Value: value} }
	switch change {
	case 0:
		scalar("!!str", text)
	case 1:
		scalar("!!int", strconv.Itoa(place%1000))
	case 2:
		scalar("!!bool", "true")
	case 3:
		scalar("!!null", "null")
	case 4:
		*n = yaml.Node{Kind: yaml.SequenceNode, Content: []*yaml.Node{{Kind: yaml.ScalarNode, Tag: "!!str", Value: text}}}
	case 5:
		*n = yaml.Node{Kind: yaml.MappingNode, Content: []*yaml.Node{{Kind: yaml.ScalarNode, Tag: "!!str", Value: text}, {Kind: yaml.ScalarNode, Tag: "!!str", Value: text}}}
	case 6: // a key or an item less
		if len(n.Content) > 1 {
			n.Content = n.Content[2-len(n.Content)%2:]
		}
	case 7: // a key more
		if n.Kind == yaml.MappingNode {
			n.Content = append(n.Content, &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: text}, &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: "x"})
		}
	}
}

// TestSections has the schema of the configuration know the keys of each section that is read by code of its own: those that the
// refusal of an unknown key names.
func TestSections(t *testing.T) {
	path := filepath.Join(t.TempDir(), "c.yaml")
	for at, text := range map[string]string{
		"listeners[]":                "listeners: [{profile: snippit, x: 1}]",
		"listeners[].front":          "listeners: [{profile: snippit, front: {old: http://x, x: 1}}]",
		"listeners[].front.identity": "listeners: [{profile: snippit, front: {old: http://x, identity: {x: 1}}}]",
		"listeners[].front.adopt":    "listeners: [{profile: snippit, front: {old: http://x, adopt: {x: 1}}}]",
		"listeners[].front.shadow":   "listeners: [{profile: snippit, front: {old: http://x, shadow: {x: 1}}}]",
		"listeners[].front.paths[]":  "listeners: [{profile: snippit, front: {old: http://x, paths: [{x: 1}]}}]",
		"ask.identity":               "ask: {identity: {x: 1}}",
	} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		server := config.NewServer()
		server.AddFlags(pflag.NewFlagSet("", pflag.ContinueOnError))
		_, err := server.Resolve(t.Context(), path)
		if err == nil {
			t.Errorf("%s: nothing is refused", at)
			continue
		}
		_, list, _ := strings.Cut(err.Error(), ": unknown key; the keys here are ")
		list, _, _ = strings.Cut(list, "\n")
		want := strings.Split(list, ", ")
		got := slices.Clone(config.Outline().Shapes[at].Keys)
		slices.Sort(want)
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("%s: the schema has %q, and the reader %q", at, got, want)
		}
	}
}
