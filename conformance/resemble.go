package conformance

import (
	"slices"

	"github.com/authcompat/authcompat/conformance/internal/jsontree"
	"github.com/authcompat/authcompat/conformance/internal/template"
	"github.com/authcompat/authcompat/conformance/wire"
)

// resembles reports whether a response has a body of the expected kind: a JSON object with the same
// keys, another JSON value of the same kind, an HTML page, nothing, or the expected text.
func (r response) resembles(got *wire.Response, s *template.Scope) bool {
	switch b := r.body; {
	case b.json != nil:
		return resemblesJSON(b.json.Tree(s), got.Body)
	case b.text != nil:
		// Most texts are JSON whose white space and order of keys is exact.
		if want, err := jsontree.Parse([]byte(b.text.Expand(s))); err == nil {
			return resemblesJSON(want, got.Body)
		}
		return b.text.Match(string(got.Body), s).Problem == ""
	}
	return r.body.match(got, s) == nil
}

func resemblesJSON(want jsontree.Value, body []byte) bool {
	got, err := jsontree.Parse(body)
	return err == nil && want.Kind == got.Kind && slices.Equal(sortedKeys(want), sortedKeys(got))
}

func sortedKeys(v jsontree.Value) []string {
	var keys []string
	for _, member := range v.Members {
		keys = append(keys, member.Key)
	}
	slices.Sort(keys)
	return keys
}
