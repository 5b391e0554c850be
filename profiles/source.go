package profiles

import (
	"slices"
	"strings"
	"unicode"

	"gopkg.in/yaml.v3"

	"github.com/authcompat/authcompat/profiles/internal/yamlvalue"
	"github.com/authcompat/authcompat/profiles/smallfile"
	"github.com/authcompat/authcompat/profiles/yamlfile"
)

// maxValues is the most values in a file, in which each alias counts as what it stands
// for. The largest built-in profile has some 150, eight levels deep.
const maxValues = 20_000

// MaxFile is the most bytes a profile file may have.
const MaxFile = smallfile.MaxSize

// newReader makes the reader of a profile or a stack.
func newReader(file string) *yamlfile.Reader {
	return &yamlfile.Reader{File: file, Format: yamlfile.Format{
		MaxValues: maxValues,
		MaxDepth:  40,
		BadTag:    func(tag string) string { return "the tag " + yamlvalue.Quote(tag) + " is not used here" },
		BadKey:    badKey,
		ShowKey:   showKey,
		Empty:     "the file is empty",
		Second:    "a second document begins here: a file holds one profile",
		TooMany:   "the file holds more than %d values, aliases counted as what they stand for",
		TooDeep:   "the file is nested more than %d deep",
		InItself:  "alias *%s stands inside of its own anchor",
		Tab:       "a tab can't indent YAML: use spaces",
	}}
}

// readRoot reads a file. ok is false if its values can't be read; the problem has then been
// added.
func readRoot(r *yamlfile.Reader, data []byte) (v yamlvalue.Value, ok bool) {
	if len(data) > MaxFile {
		r.Add(Position{File: r.File, Line: 1, Column: 1}, "", "the file is larger than 1 MiB")
		return yamlvalue.Value{}, false
	}
	top, ok := r.Read(data)
	return yamlvalue.Of(top), ok
}

// badKey says why a key is no text. A plain scalar that is not a text to YAML, such as
// null, is used as it is written.
func badKey(key *yaml.Node) string {
	switch {
	case key.Kind == yaml.ScalarNode && key.ShortTag() == "!!merge":
		return "merge keys (<<) are not read: write the entries out, or alias a whole value"
	case key.Kind != yaml.ScalarNode || key.Style&yaml.TaggedStyle != 0:
		return "a key has to be a text"
	case key.Value == "" && key.Style == 0:
		return "a key is missing before the colon"
	}
	return ""
}

// showKey quotes a key that would make a path ambiguous or unreadable.
func showKey(name string) string {
	odd := func(c rune) bool { return c == '.' || c == ':' || !unicode.IsPrint(c) || unicode.IsSpace(c) }
	if name == "" || strings.ContainsFunc(name, odd) {
		return yamlvalue.Quote(name)
	}
	return name
}

// A Position is a place in a profile file.
type Position = yamlfile.Position

// A Problem is one thing that is wrong in a profile file.
type Problem = yamlfile.Problem

// Problems is the error for a profile that can't be loaded: all its problems, at least
// one, in the order of the file.
type Problems struct{ List []Problem }

// Error gives the problems, one a line.
func (p *Problems) Error() string { return yamlfile.Problems(p.List).Error() }

// problemsOf gives the error for the problems that were found, nil if there are none. A
// problem that an alias brings to two places is in it once.
func problemsOf(found yamlfile.Problems) error {
	if len(found) == 0 {
		return nil
	}
	list := slices.Clone(found)
	list.Sort()
	seen := map[Problem]bool{}
	return &Problems{List: slices.DeleteFunc(list, func(p Problem) bool {
		p.Key = p.Key[strings.LastIndexByte(p.Key, '.')+1:]
		again := seen[p]
		seen[p] = true
		return again
	})}
}
