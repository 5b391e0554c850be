package fields

import (
	"encoding/base64"
	"strings"
)

// maxScheme is the length of the longest scheme that is taken for one, in bytes.
const maxScheme = 20

// SplitCredentials cuts the value of an Authorization header into its scheme with what is around it, and the credentials.
// One word alone is a scheme if it is in use.
func SplitCredentials(value string) (scheme, credentials string) {
	trimmed := strings.TrimLeft(value, " \t")
	at := strings.IndexAny(trimmed, " \t")
	if at < 0 && schemeAlone().MatchString(trimmed) {
		return value, ""
	}
	if at < 0 || at > maxScheme {
		return "", value
	}
	credentials = strings.TrimLeft(trimmed[at:], " \t")
	return value[:len(value)-len(credentials)], credentials
}

// BasicCredentials decodes what follows Basic in an Authorization header.
func BasicCredentials(text string) (username, password string, ok bool) {
	raw, err := base64.StdEncoding.DecodeString(strings.TrimSpace(text))
	if err != nil {
		raw, err = base64.RawStdEncoding.DecodeString(strings.TrimRight(strings.TrimSpace(text), "="))
	}
	if err != nil {
		raw, err = base64.RawURLEncoding.DecodeString(strings.TrimRight(strings.TrimSpace(text), "="))
	}
	if err != nil {
		return "", "", false
	}
	return strings.Cut(string(raw), ":")
}
