package shadow

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/authcompat/authcompat/profiles/yamlfile"
)

// Thresholds say what is enough evidence, and which differences are known.
type Thresholds struct {
	Requests    int64 // compared, at least
	Users       int64 // told apart, at least
	Days        int64 // on which something was compared, in UTC, at least
	Differences int64 // requests that differ, at most
	// Each is how many requests to each endpoint were compared, at least.
	Each int64
	// Skipped is how much of what was asked may be skipped, in percent.
	Skipped int64
	Known   []Known
}

// DefaultThresholds returns those of the command without a file.
func DefaultThresholds() Thresholds {
	return Thresholds{Requests: 3000, Users: 100, Days: 3, Differences: 0, Each: 1, Skipped: 50}
}

// Known is a difference that is known, and does not count.
type Known struct {
	Profile  string // empty: any
	Endpoint string // likewise
	Place    string // as a report shows it
	Kind     Kind   // empty: any
	Reason   string
	At       yamlfile.Position
}

func (k Known) matches(r Record, d Difference) bool {
	return (k.Profile == "" || k.Profile == r.Profile) && (k.Endpoint == "" || k.Endpoint == r.Endpoint) && k.Place == d.Place && (k.Kind == "" || k.Kind == d.Kind)
}

// kinds returns all kinds.
func kinds() []Kind {
	return []Kind{KindStatus, KindMissing, KindExtra, KindValue, KindType, KindForm, KindTime, KindExisting, KindOrder, KindLength, KindSpace, KindEscape, KindSpelling, KindLines, KindSyntax, KindBytes}
}

// ParseThresholds reads a YAML file of thresholds. What it does not say stays as by default. The
// error is a yamlfile.Problems with all there are.
func ParseThresholds(name string, data []byte) (Thresholds, error) {
	t := DefaultThresholds()
	r := &yamlfile.Reader{File: name, Format: yamlfile.Format{
		MaxValues: 10_000, MaxDepth: 10, Empty: "the file is empty: want a map, for instance requests: 3000", Second: "want one document",
		TooMany: "more than %d values", TooDeep: "nested more than %d deep",
	}}
	if v, ok := r.Read(data); ok {
		t.read(v)
	}
	if len(r.Problems) > 0 {
		r.Problems.Sort()
		return t, r.Problems
	}
	return t, nil
}

// numbers returns the thresholds that are numbers, by their keys, with the least and the most.
func (t *Thresholds) numbers() []numberKey {
	const many = 1_000_000_000
	return []numberKey{{"requests", &t.Requests, 1, many}, {"users", &t.Users, 0, many}, {"days", &t.Days, 1, many}, {"differences", &t.Differences, 0, many}, {"each", &t.Each, 0, many}, {"skipped", &t.Skipped, 0, 100}}
}

type numberKey struct {
	key         string
	value       *int64
	least, most int64
}

func (t *Thresholds) read(v yamlfile.Value) {
	entries, ok := v.Entries()
	if !ok {
		v.Refuse("want a map, for instance requests: 3000")
		return
	}
	var names []string
	for _, n := range t.numbers() {
		names = append(names, n.key)
	}
	names = append(names, "known")
	for e := range entries {
		if e.Name == "known" {
			t.readKnown(e.Value)
			continue
		}
		found := false
		for _, n := range t.numbers() {
			if found = n.key == e.Name; found {
				n.read(e.Value)
				break
			}
		}
		if !found {
			e.RefuseUnknown(names...)
		}
	}
}

// read reads a number; that of skipped may have a percent sign.
func (n numberKey) read(v yamlfile.Value) {
	text := v.Node.Value
	if n.key == "skipped" {
		text = strings.TrimSuffix(text, "%")
	}
	number, err := strconv.ParseInt(text, 10, 64)
	if v.Node.Kind != yaml.ScalarNode || err != nil || number < n.least || number > n.most {
		v.Refuse("want a whole number, %d to %d", n.least, n.most)
		return
	}
	*n.value = number
}

// readKnown reads the list of known differences.
func (t *Thresholds) readKnown(v yamlfile.Value) {
	items, ok := v.Items()
	if !ok {
		v.Refuse("want a list, for instance [{endpoint: login, place: header Vary, reason: nginx adds it}]")
		return
	}
	for _, item := range items {
		entries, ok := item.Entries()
		if !ok {
			item.Refuse("want a map with place and reason")
			continue
		}
		k := Known{At: item.Position}
		var kind string
		texts := map[string]*string{"profile": &k.Profile, "endpoint": &k.Endpoint, "place": &k.Place, "kind": &kind, "reason": &k.Reason}
		for e := range entries {
			switch into := texts[e.Name]; {
			case into == nil:
				e.RefuseUnknown("profile", "endpoint", "place", "kind", "reason")
			case e.Value.Node.Kind != yaml.ScalarNode || strings.TrimSpace(e.Value.Node.Value) == "":
				e.Value.Refuse("want a text")
			default:
				*into = e.Value.Node.Value
			}
		}
		if k.Kind = Kind(kind); kind != "" && !slices.Contains(kinds(), k.Kind) {
			item.Refuse("%q is no kind of difference%s", kind, meant(yamlfile.Nearest(kind, kinds())))
		}
		if k.Place == "" {
			item.RefuseKey("place", "want the place of the difference, as shadow report shows it")
		}
		if k.Reason == "" {
			item.RefuseKey("reason", "want why it does not matter: whoever reads the verdict has to know")
		}
		t.Known = append(t.Known, k)
	}
}

// meant asks whether a kind was meant.
func meant(k Kind) string {
	if k == "" {
		return fmt.Sprintf("; there are %v", kinds())
	}
	return fmt.Sprintf("; did you mean %s?", k)
}
