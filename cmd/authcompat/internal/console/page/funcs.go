package page

import (
	"fmt"
	"html/template"
	"time"
)

// Funcs returns the functions of all templates:
//
//   - time: an instant in UTC with seconds, in a <time> element; a dash for the zero time
//   - date: an instant as the value of a datetime attribute
//   - dict: a map from pairs of a name and a value, as data for a template in a template
func Funcs() template.FuncMap {
	return template.FuncMap{"time": timeElement, "date": rfc3339, "dict": dict}
}

func rfc3339(t time.Time) string { return t.UTC().Format(time.RFC3339) }

func timeElement(t time.Time) template.HTML {
	if t.IsZero() {
		return "–"
	}
	// Digits and separators alone: there is nothing to escape.
	return template.HTML(`<time datetime="` + rfc3339(t) + `">` + t.UTC().Format("2006-01-02 15:04:05") + `</time>`) //nolint:gosec // see above
}

func dict(pairs ...any) (map[string]any, error) {
	if len(pairs)%2 != 0 {
		return nil, fmt.Errorf("dict: %d arguments are no pairs", len(pairs))
	}
	m := make(map[string]any, len(pairs)/2)
	for i := 0; i < len(pairs); i += 2 {
		name, ok := pairs[i].(string)
		if !ok {
			return nil, fmt.Errorf("dict: %v is no name", pairs[i])
		}
		m[name] = pairs[i+1]
	}
	return m, nil
}
