package front

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Token says what a rule wants of a request's token.
type Token string

// From the most lenient to the strictest.
const (
	// Pass leaves the decision to the application.
	Pass Token = "pass"
	// Checked refuses a token that is no good. Without one, the application decides.
	Checked Token = "checked"
	// Needed refuses a request without a good token.
	Needed Token = "needed"
	// Refuse answers as if there were nothing behind the API.
	Refuse Token = "refuse"
)

// Tokens returns all values, from the most lenient to the strictest.
func Tokens() []Token { return []Token{Pass, Checked, Needed, Refuse} }

// Rule says what requests to a path need.
type Rule struct {
	// Path is decoded text. With a slash at its end it stands for all paths that begin with it.
	Path  string
	Token Token
}

// covers reports whether a rule applies to a path, or to all that a prefix stands for.
func (r Rule) covers(path string) bool {
	return r.Path == path || strings.HasSuffix(r.Path, "/") && strings.HasPrefix(path, r.Path)
}

// Rules are the rules of a listener, in their order. The zero value passes everything.
type Rules struct {
	list      []Rule
	strictest Token
}

// NewRules makes rules that CheckRules has found nothing wrong with.
func NewRules(list []Rule) Rules {
	all := Rules{list: slices.Clone(list), strictest: Pass}
	for _, r := range list {
		if slices.Index(Tokens(), r.Token) > slices.Index(Tokens(), all.strictest) {
			all.strictest = r.Token
		}
	}
	return all
}

// Problem is what is wrong with a rule.
type Problem struct {
	Index int // of the rule
	Other int // of the rule that it contradicts; -1: none
	Text  string
}

// CheckRules returns what is wrong with rules, in their order: paths that no request can
// have, and rules that an earlier one leaves nothing to decide.
func CheckRules(list []Rule) (problems []Problem) {
	for i, r := range list {
		if path, why := plainPath(strings.ReplaceAll(r.Path, "%", "%25")); why != "" || path != r.Path || strings.Contains(r.Path, "?") {
			problems = append(problems, Problem{i, -1, fmt.Sprintf("%q is no path that a rule can have: it begins with a slash, is decoded text, and has no empty or dot segments and none of \\ ; # ? %%", r.Path)})
			continue
		}
		if j := slices.IndexFunc(list[:i], func(earlier Rule) bool { return earlier.covers(r.Path) }); j >= 0 {
			text := fmt.Sprintf("%s is never used: %s comes first", r.Path, list[j].Path)
			if list[j].Token != r.Token {
				text = fmt.Sprintf("%s (%s) contradicts %s (%s), which comes first", r.Path, r.Token, list[j].Path, list[j].Token)
			}
			problems = append(problems, Problem{i, j, text})
		}
	}
	return problems
}

// Decision is what rules say of a request.
type Decision struct {
	Token Token
	// Rule is the path of the rule that decided; empty: none.
	Rule string
	// Ambiguous says why no rule could; empty: the target is not ambiguous.
	Ambiguous string
}

// Decide returns what the rules say of a request's target, as it stands in the request line
// (RFC 9112, 3.2). Servers disagree about what ambiguous targets mean: Django decodes
// escapes, nginx merges slashes and resolves dots, others cut at a semicolon. For those the
// strictest of all rules holds, whatever it was meant for.
func (a Rules) Decide(target string) Decision {
	if len(a.list) == 0 {
		return Decision{Token: Pass}
	}
	path, why := plainPath(target)
	if why != "" {
		return Decision{Token: a.strictest, Ambiguous: why}
	}
	for _, r := range a.list {
		if r.covers(path) {
			return Decision{Token: r.Token, Rule: r.Path}
		}
	}
	return Decision{Token: Pass}
}

// plainPath returns the decoded path of a target, or why servers could disagree about it.
func plainPath(target string) (path, why string) {
	if !strings.HasPrefix(target, "/") {
		return "", "it does not begin with a slash"
	}
	raw, _, _ := strings.Cut(target, "?")
	if i := strings.IndexAny(raw, `\;#`); i >= 0 {
		return "", "it has a " + raw[i:i+1]
	}
	path = raw
	if strings.Contains(raw, "%") {
		if path, why = decode(raw); why != "" {
			return "", why
		}
	}
	if !utf8.ValidString(path) {
		return "", "it is not UTF-8"
	}
	if strings.ContainsFunc(path, unicode.IsControl) {
		return "", "it has a control character"
	}
	if strings.Contains(path, "//") {
		return "", "it has an empty segment"
	}
	if strings.Contains(path, "/.") {
		for segment := range strings.SplitSeq(path, "/") {
			if segment == "." || segment == ".." {
				return "", "it has a dot segment"
			}
		}
	}
	return path, ""
}

// decode decodes escapes.
func decode(raw string) (path, why string) {
	var out strings.Builder
	for i := 0; i < len(raw); i++ {
		if raw[i] != '%' {
			out.WriteByte(raw[i])
			continue
		}
		if i+2 >= len(raw) {
			return "", "it has half an escape"
		}
		high, low := unhex(raw[i+1]), unhex(raw[i+2])
		if high < 0 || low < 0 {
			return "", "it has an escape that is none"
		}
		c := byte(high<<4 | low)
		if strings.IndexByte(`/\;#?%`, c) >= 0 {
			return "", fmt.Sprintf("it has an escaped %c", c)
		}
		out.WriteByte(c)
		i += 2
	}
	return out.String(), ""
}

// unhex returns the value of a hexadecimal digit, -1 if it is none.
func unhex(c byte) int { return strings.IndexByte("0123456789abcdef", lower(c)) }

func lower(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}
