package profiles

import "testing"

func TestFormat(t *testing.T) {
	m := Messages{
		"plain":  "Not found.",
		"one":    `Method "{method}" not allowed.`,
		"two":    "{max} of {length}, {max}",
		"braces": "{ max } {} {Max} {max {max}} }{",
	}
	for _, c := range []struct {
		name, key string
		pairs     []string
		want      string
	}{
		{"no placeholder", "plain", nil, "Not found."},
		{"needless pair", "plain", []string{"max", "1"}, "Not found."},
		{"one", "one", []string{"method", "GET"}, `Method "GET" not allowed.`},
		{"several", "two", []string{"length", "9", "max", "5"}, "5 of 9, 5"},
		{"placeholder in a value", "two", []string{"max", "{length}", "length", "9"}, "{length} of 9, {length}"},
		{"empty value", "one", []string{"method", ""}, `Method "" not allowed.`},
		{"other braces", "braces", []string{"max", "5", "Max", "6"}, "{ max } {} {Max} {max 5} }{"},
		{"no such key", "other", []string{"max", "5"}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := m.Format(c.key, c.pairs...); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// The placeholders of every message are recognised as such, and no message is listed twice.
func TestPlaceholders(t *testing.T) {
	for _, f := range []Family{DRF, FormJSON, PlainJSON} {
		seen := map[string]bool{}
		for _, m := range messagesOf(f) {
			if seen[m.key] {
				t.Errorf("%s has %s twice", f, m.key)
			}
			seen[m.key] = true
			for _, name := range m.placeholders {
				if before, got, rest := nextPlaceholder("{" + name + "}"); before != "" || got != name || rest != "" {
					t.Errorf("%s: %s: {%s} is no placeholder", f, m.key, name)
				}
			}
		}
	}
}
