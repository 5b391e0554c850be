package page_test

import (
	"html/template"
	"strings"
	"testing"
	"unicode"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/console/page"
)

// TestCut has a text end where its HTML would be longer than it may be, and shows what can't be seen as an escape.
func TestCut(t *testing.T) {
	for name, c := range map[string]struct {
		text   string
		budget int
		want   page.Text
	}{
		"short":              {"a\tb\n<c>", 100, page.Text{Text: "a\tb\n<c>"}},
		"control characters": {"a\x00\r\x1b[1m\u202e", 100, page.Text{Text: `a\x00\r\x1b[1m\xe2\x80\xae`}},
		"no UTF-8":           {"a\xffb", 100, page.Text{Text: `a\xffb`}},
		"long":               {"abcdef", 4, page.Text{Text: "abcd", More: 2}},
		"long as HTML":       {`""""`, 11, page.Text{Text: `""`, More: 2}},
		"nothing":            {"", 0, page.Text{}},
	} {
		t.Run(name, func(t *testing.T) {
			got := page.Cut(c.text, c.budget)
			if got != c.want {
				t.Errorf("%+v, want %+v", got, c.want)
			}
			if html := template.HTMLEscapeString(got.Text); len(html) > c.budget {
				t.Errorf("%d bytes of HTML: %s", len(html), html)
			}
			if strings.ContainsFunc(got.Text, func(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\t' }) {
				t.Errorf("%q", got.Text)
			}
		})
	}
}
