package origin

import (
	_ "embed"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/authcompat/authcompat/core/pythontest"
)

//go:embed testdata/oracle.py
var oracle string

// startPython starts Debian's interpreter, which answers questions. Without one the test is
// skipped, or fails if CI is set.
func startPython(t *testing.T) (ask func(answer any, question ...any)) {
	t.Helper()
	python := pythontest.Start(t, "", oracle)
	return func(answer any, question ...any) { python(question, answer) }
}

// joined joins some of the parts, of which some are taken more than once.
func joined(r *rand.Rand, most int, parts []string) string {
	var out strings.Builder
	for range r.IntN(most) + 1 {
		out.WriteString(parts[r.IntN(len(parts))])
	}
	return out.String()
}

// TestSplitAsPython splits generated origins as urlsplit does.
func TestSplitAsPython(t *testing.T) {
	ask := startPython(t)
	parts := []string{
		"http", "HTTPS", "null", "file", "://", "//", ":", "/", "?", "#", "a.example", "A.Example", ":8000", "@", "user", "[", "]", "[::1]", "[v1.a]", "[v.a]",
		"[1.2.3.4]", "[fe80::1%eth0]", "[::1%]", "[::g]", "[::ffff:1.2.3.4]", "[::ffff:01.2.3.4]", " ", "\t", "\x01", "é", "½", "%41", ",", "+", "-", ".", "1", "_", "\x7f", "\u00a0",
	}
	r := rand.New(rand.NewPCG(1, 2))
	for range 5_000 {
		text := joined(r, 6, parts)
		if r.IntN(2) == 0 {
			text = "https://" + text
		}
		var want []string
		ask(&want, "split", text)
		got, err := Split(text)
		if want == nil && err == nil || want != nil && (err != nil || got.Scheme != want[0] || got.Netloc != want[1] || (got.Rest == "") != (want[2] == "") && !strings.HasSuffix(got.Rest, "?") && !strings.HasSuffix(got.Rest, "#")) {
			t.Fatalf("%q: %+v, %v; Python has %q", text, got, err, want)
		}
	}
}

// TestMatchAsPython matches generated patterns as re.match does. Patterns that are refused here
// alone have one of the features that Go lacks.
func TestMatchAsPython(t *testing.T) {
	ask := startPython(t)
	parts := []string{
		"^", "$", ".", "*", "+", "?", "{2}", "{,2}", "{1,}", "{", "}", "{2,1}", "(", "(?:", "(?P<n>", ")", "|", "[", "]", "[^", "-", "a", "b", "A", "é", "_", "1", "/", ":", "\n",
		`\w`, `\W`, `\d`, `\D`, `\s`, `\S`, `\.`, `\/`, `\-`, `\A`, `\Z`, `\b`, `\x61`, `\u00e9`, `\0`, `\141`, `\1`, `\z`, `\p`, `\n`, `[\w.-]`, `[^\W_]`, `[]a]`, `[a-c]`, `[c-a]`, `[\d-]`, `[\b]`,
		"(?=", "(?!", "(?i)", "(?i:", "(?s:", "(?#", "(?P=n)", "++", "??", "*?", "https://", `\w+\.example`, " ", "#", "&",
	}
	pieces := []string{"a", "b", "c", "A", "é", "É", "_", "1", "²", "/", ":", "\n", ".", "-", " ", "\u00a0", "\x1c", "https://", "x.example", "aa", "{", "}", "]", "\b", "\x00", "日", "٣", "µ", "^"}
	r := rand.New(rand.NewPCG(3, 4))
	compiled, refused := 0, 0
	for range 8_000 {
		pattern := joined(r, 6, parts)
		texts := make([]string, 12)
		for i := range texts {
			texts[i] = joined(r, 5, pieces)
		}
		var want []bool
		ask(&want, "match", pattern, texts)
		p, err := CompilePattern(pattern)
		switch {
		case err == nil && want == nil:
			t.Fatalf("%q is no pattern to Python", pattern)
		case err != nil && want == nil:
			refused++
			continue
		case err != nil:
			if !lacking(pattern) && !strings.Contains(err.Error(), "$") {
				t.Fatalf("%q is refused: %v", pattern, err)
			}
			continue
		}
		compiled++
		for i, text := range texts {
			if got := p.Match(text); got != want[i] {
				t.Fatalf("%q matches %q: %t", pattern, text, got)
			}
		}
	}
	if compiled < 2_000 || refused < 1_000 {
		t.Errorf("%d compiled, %d refused: too few", compiled, refused)
	}
}

// lacking tells whether a pattern has what Go's regexp can't do.
func lacking(pattern string) bool {
	for _, feature := range []string{"(?=", "(?!", "(?P=", "(?#", "++", "{,2}+", "{2}+", "{1,}+", "?+", "*+", `\b`, `\1`} {
		if strings.Contains(pattern, feature) {
			return true
		}
	}
	return false
}

// TestRefused holds what is said of patterns that can't be matched here.
func TestRefused(t *testing.T) {
	for pattern, want := range map[string]string{
		`^https://(?!evil)\w+\.example$`: "looks ahead or behind ((?=, (?!, (?<=, (?<!), which Go's regexp can't do",
		`(?<=a)b`:                        "looks ahead or behind ((?=, (?!, (?<=, (?<!), which Go's regexp can't do",
		`(a)\1`:                          `refers back to a group (\1), which Go's regexp can't do`,
		`(?P<x>a)(?P=x)`:                 "refers back to a group, which Go's regexp can't do",
		`(?>a)b`:                         "has an atomic group ((?>), which Go's regexp can't do",
		`a++`:                            "repeats without giving back (++), which Go's regexp can't do",
		`\bexample`:                      `has \b: Go's regexp knows the edges of words of ASCII alone`,
		`(?x) a`:                         "has a group (?x, of which i and s are read here alone",
		`(a`:                             "is no pattern that Go's regexp can match: missing closing )",
		`a{2000}`:                        "is no pattern that Go's regexp can match: invalid repeat count",
		`[a`:                             "has a set ([) that is not closed",
		`*`:                              "has nothing that * could repeat",
		`\q`:                             `has \q, which is no escape of Python's`,
		`\N{DIGIT ONE}`:                  `has \N, which is not read here: write the character itself`,
		strings.Repeat("a", 1001):        "has more than 1000 bytes",
	} {
		if _, err := CompilePattern(pattern); fmt.Sprint(err) != want {
			t.Errorf("%.40q: %v\nwant %s", pattern, err, want)
		}
	}
}
