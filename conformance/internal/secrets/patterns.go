package secrets

import (
	"encoding/json"
	"regexp"
	"strings"
	"sync"

	"github.com/authcompat/authcompat/conformance/internal/fields"
)

// patterns are where secrets are, and what looks like one wherever it is.
type patterns struct {
	// Of these, group 1 is what comes before the value, group 2 the name, and group 3 the value, with its
	// quotes in JSON.
	requestJSON, responseJSON, echoedJSON, form, echoedForm *regexp.Regexp

	hex, hash, jwt *regexp.Regexp
}

func newPatterns() *patterns {
	const name, escaped = fields.SecretPattern, `(?:\\+"|&#34;|&quot;)`
	return &patterns{
		requestJSON: regexp.MustCompile(`("(` + name + `)"\s*:\s*)("(?:[^"\\]|\\.)*"?|-?[0-9][^\s,}\]]*)`),
		// An answer has sentences in the places of passwords and tokens, too: what is wrong with them.
		responseJSON: regexp.MustCompile(`("(` + name + `)"\s*:\s*)("(?:[^"\\\s]|\\.)+")`),
		// JSON that an answer repeats in a string of its own or in HTML.
		echoedJSON: regexp.MustCompile(`(` + escaped + `(` + name + `)` + escaped + `\s*:\s*` + escaped + `)([^"\\&\s]+)`),
		form:       regexp.MustCompile(`((?:^|[?&])(` + name + `)=)([^&]*)`),
		// An answer has more behind a form that it repeats.
		echoedForm: regexp.MustCompile(`((?:^|[?&;\s"'>]|u0026)(` + name + `)=)([^&\s"'<>]+)`),
		hex:        regexp.MustCompile(`[0-9a-fA-F]{40,}`),
		// The forms of crypt(3) and of Django: algorithm$parameters$salt$hash.
		hash: regexp.MustCompile(`[a-z0-9_]*\$(?:[\w=,.+/\-]*\$)+[\w+/=.\-]{8,}`),
		jwt:  regexp.MustCompile(`eyJ[\w\-]{8,}\.[\w\-]+\.[\w\-]*`),
	}
}

// words are a code, such as authentication_failed.
var words = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[a-z]+(?:_[a-z]+)+$`) })

func kindOf(name string) Kind {
	if fields.IsPassword(name) {
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
