package ask

import (
	"bytes"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/authcompat/authcompat/profiles/yamlfile"
)

// Callers are the services that may introspect tokens, with their secrets as SHA-256 digests.
// That suffices because secrets are random: nobody finds one of 128 bits by trying.
type Callers struct {
	digests map[string][][]byte // by name
}

// maxCallerName is the most bytes that the name of a caller may have.
const maxCallerName = 64

// ParseCallers reads the callers from the text of a file: lines of the form
//
//	NAME: sha256:HEX
//
// with the digest of the secret in 64 hex digits. A name that is there several times has
// several secrets, to replace one. Empty lines and those that begin with # are skipped. The
// error is a [yamlfile.Problems] with all problems; no value is shown in it, since it may be a
// secret that stands where its digest should.
func ParseCallers(file string, data []byte) (*Callers, error) {
	c := &Callers{digests: make(map[string][][]byte)}
	var problems yamlfile.Problems
	for i, line := range strings.Split(string(data), "\n") {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		if problem := c.add(line); problem != "" {
			problems = append(problems, yamlfile.Problem{Position: yamlfile.Position{File: file, Line: i + 1, Column: 1}, Text: problem})
		}
	}
	if len(problems) > 0 {
		return nil, problems
	}
	if len(c.digests) == 0 {
		return nil, yamlfile.Problems{{Position: yamlfile.Position{File: file, Line: 1, Column: 1}, Text: "no callers: want lines of the form NAME: sha256:HEX"}}
	}
	return c, nil
}

// add reads a line. The problem is empty if it is good.
func (c *Callers) add(line string) (problem string) {
	name, rest, ok := strings.Cut(line, ":")
	if !ok || !isCallerName(name) {
		return fmt.Sprintf("want NAME: sha256:HEX, where a name is 1 to %d letters, digits and . _ -", maxCallerName)
	}
	digits, ok := strings.CutPrefix(strings.TrimSpace(rest), "sha256:")
	digest, err := hex.DecodeString(digits)
	if !ok || err != nil || len(digest) != sha256.Size {
		return name + ": want sha256: and 64 hex digits, the digest of the secret"
	}
	if empty := sha256.Sum256(nil); bytes.Equal(digest, empty[:]) {
		return name + ": this is the digest of nothing: the secret is empty"
	}
	c.digests[name] = append(c.digests[name], digest)
	return ""
}

func isCallerName(s string) bool {
	return s != "" && len(s) <= maxCallerName && strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") == ""
}

// Authenticate reports whether a request has the name and the secret of a caller (HTTP Basic).
// RFC 6749, 2.3.1, has the secret form-encoded, which many clients leave out: either is taken.
func (c *Callers) Authenticate(r *http.Request) bool {
	if len(r.Header["Authorization"]) != 1 {
		return false
	}
	name, secret, ok := r.BasicAuth()
	if !ok {
		return false
	}
	digests := c.digests[name]
	if len(digests) == 0 {
		digests = [][]byte{make([]byte, sha256.Size)} // as long as for a name that is known
	}
	decoded, err := url.QueryUnescape(secret)
	if err != nil {
		decoded = secret
	}
	raw, plain := sha256.Sum256([]byte(secret)), sha256.Sum256([]byte(decoded))
	good := 0
	for _, d := range digests {
		good |= subtle.ConstantTimeCompare(d, raw[:]) | subtle.ConstantTimeCompare(d, plain[:])
	}
	return good == 1
}
