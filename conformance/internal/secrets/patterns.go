package secrets

import (
	"encoding/json"
	"regexp"
	"strings"
	"sync"
)

// The names of what holds a secret, in fields, in forms, in queries and in headers.
const (
	passwordName = `[\w.\-]*(?i:passw)[\w.\-]*`
	tokenName    = `[\w.\-]*(?i:token|secret|session|jwt|refresh|access|hash|api[_\-]?key)[\w.\-]*|(?i:key)`
)

// patterns are where secrets are, and what looks like one wherever it is.
type patterns struct {
	// Of these, group 1 is what comes before the value, group 2 the name, and group 3 the value, with its
	// quotes in JSON.
	requestJSON, responseJSON, echoedJSON, form, echoedForm *regexp.Regexp

	// schemeJSON is a token in JSON behind the word that Authorization wants, and address one in the query or the fragment of
	// an address; their groups are those above.
	schemeJSON, address *regexp.Regexp

	password       *regexp.Regexp
	headerName     *regexp.Regexp
	hex, hash, jwt *regexp.Regexp
}

func newPatterns() *patterns {
	const name, escaped = passwordName + `|` + tokenName, `(?:\\+"|&#34;|&quot;)`
	return &patterns{
		requestJSON: regexp.MustCompile(`("(` + name + `)"\s*:\s*)("(?:[^"\\]|\\.)*"?|-?[0-9][^\s,}\]]*)`),
		// An answer has sentences in the places of passwords and tokens, too: what is wrong with them.
		responseJSON: regexp.MustCompile(`("(` + name + `)"\s*:\s*)("(?:[^"\\\s]|\\.)+")`),
		// JSON that an answer repeats in a string of its own or in HTML.
		echoedJSON: regexp.MustCompile(`(` + escaped + `(` + name + `)` + escaped + `\s*:\s*` + escaped + `)([^"\\&\s]+)`),
		form:       regexp.MustCompile(`((?:^|[?&])(` + name + `)=)([^&]*)`),
		// An answer has more behind a form that it repeats.
		echoedForm: regexp.MustCompile(`((?:^|[?&;\s"'>]|u0026)(` + name + `)=)([^&\s"'<>]+)`),
		schemeJSON: regexp.MustCompile(`("(` + tokenName + `)"\s*:\s*"[A-Za-z]+ )((?:[^"\\\s]|\\.){8,})"`),
		address:    regexp.MustCompile(`((?:[?&#;]|%3[Ff]|%26|%23)(` + name + `)(?:=|%3[Dd]))([^&#;\s"'<>,%]+(?:%[0-9A-Fa-f]{2}[^&#;\s"'<>,%]*)*)`),
		password:   regexp.MustCompile(`^` + passwordName + `$`),
		headerName: regexp.MustCompile(`^x-.*(?:token|key|secret|session|auth|passw)`),
		hex:        regexp.MustCompile(`[0-9a-fA-F]{40,}`),
		// The forms of crypt(3) and of Django: algorithm$parameters$salt$hash.
		hash: regexp.MustCompile(`[a-z0-9_]*\$(?:[\w=,.+/\-]*\$)+[\w+/=.\-]{8,}`),
		jwt:  regexp.MustCompile(`eyJ[\w\-]{8,}\.[\w\-]+\.[\w\-]*`),
	}
}

// wholeTokenName is compiled when it is needed first: whoever starts a server has no use for it.
var wholeTokenName = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^(?:` + tokenName + `)$`) })

// IsTokenName reports whether a field of this name holds a token.
func IsTokenName(name string) bool { return wholeTokenName().MatchString(name) }

func (p *patterns) kindOf(name string) Kind {
	if p.password.MatchString(name) {
		return Password
	}
	return Token
}

// unquoted returns the text of a JSON string, or the number as it is written.
func unquoted(literal string) string {
	var text string
	if err := json.Unmarshal([]byte(literal), &text); err != nil {
		return strings.Trim(literal, `"`)
	}
	return text
}
