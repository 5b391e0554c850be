// Package curl writes HTTP requests as commands of curl for a POSIX shell, which send the same bytes.
package curl

import (
	"fmt"
	"net/url"
	"regexp"
	"strings"

	"github.com/authcompat/authcompat/conformance/wire"
)

// maxBody is how many bytes of a body a command has: shells and systems limit what a command may have.
const maxBody = 32 << 10

// Command returns the command that sends a request to a server again. Its secrets are in it as they are. The URL is one
// that wire.NewClient takes.
func Command(server string, r wire.Request) string { return Hiding(server, false, r, nothingHidden{}) }

// A Hider hides secrets in what is shown, as a secrets.Hider does.
type Hider interface {
	Request(text string) string
	Header(h wire.Header) string
}

type nothingHidden struct{}

func (nothingHidden) Request(text string) string  { return text }
func (nothingHidden) Header(h wire.Header) string { return h.Value }

// Hiding is Command with secrets hidden, by one whose marks are those of Variables. The address of a server that is gone is a variable, URL.
func Hiding(server string, gone bool, r wire.Request, h Hider) string {
	address, base := `"${URL:-http://127.0.0.1:8000}"`, ""
	if u, err := url.Parse(server); err == nil {
		base = strings.TrimRight(u.EscapedPath(), "/")
		if !gone {
			address = shellWord(u.Scheme + "://" + u.Host)
		}
	}
	words := []string{"curl", "-isg", "--path-as-is"}
	if r.Method == "HEAD" {
		words = append(words, "-I") // it does not wait for a body
	} else {
		words = append(words, "-X", shellWord(r.Method))
	}
	path := h.Request(base + r.Path)
	if needsTarget(path) {
		words = append(words, "--request-target", shellWord(path), address)
	} else {
		words = append(words, address+shellWord(path))
	}
	given := map[string]bool{}
	for _, header := range r.Headers {
		given[strings.ToLower(header.Name)] = true
		line := header.Name + ": " + h.Header(header)
		if header.Value == "" {
			line = header.Name + ";" // with a colon, curl would not send it
		}
		words = append(words, "-H", shellWord(line))
	}
	for _, name := range []string{"Accept", "User-Agent", "Content-Type"} { // what curl adds
		if !given[strings.ToLower(name)] && (name != "Content-Type" || hasBody(r)) {
			words = append(words, "-H", shellWord(name+":"))
		}
	}
	input := ""
	switch body := h.Request(string(r.Body)); {
	case !hasBody(r):
	case len(body) > maxBody:
		words = append(words, "--data-binary", "@body")
		input = fmt.Sprintf("# the %d bytes of the body have to be in the file named body\n", len(r.Body))
	case isPlain(body) && !strings.HasPrefix(body, "@"): // which would name a file
		words = append(words, "--data-binary", shellWord(body))
	default:
		words = append(words, "--data-binary", "@-")
		input = shellOutput(body) + " | "
	}
	return input + strings.Join(words, " ")
}

// hasBody reports whether wire sends a Content-Length, which curl does for --data alone.
func hasBody(r wire.Request) bool {
	return len(r.Body) > 0 || r.Method == "POST" || r.Method == "PUT" || r.Method == "PATCH"
}

// needsTarget reports whether curl would not send a path as it is.
func needsTarget(path string) bool {
	asItIs := regexp.MustCompile(`^[A-Za-z0-9/?&=%._~:@!$'()*+,;-]*$`)
	for _, piece := range pieces(path) {
		if !piece.variable && !asItIs.MatchString(piece.text) {
			return true
		}
	}
	return !strings.HasPrefix(path, "/")
}
