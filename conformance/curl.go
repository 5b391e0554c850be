package conformance

import (
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/authcompat/authcompat/conformance/internal/secrets"
	"github.com/authcompat/authcompat/conformance/wire"
)

// maxCurlBody is how many bytes of a body a curl command has: shells and systems limit what a command
// may have.
const maxCurlBody = 32 << 10

// What surrounds the name of a shell's variable until the text is quoted. No HTTP message has it.
const (
	variableBegins = "\x00\xff{"
	variableEnds   = "}\xff\x00"
)

// variables give the secrets of an exchange numbers, which stand for them until a command is complete.
type variables map[string]int

// mark is a secrets.Mark for texts that shellWord quotes.
func (v variables) mark(kind secrets.Kind, value string) string {
	if v[value] == 0 {
		v[value] = len(v) + 1
	}
	return fmt.Sprintf("%s%s\x00%d\x00%s", variableBegins, kind, v[value], variableEnds)
}

// name gives the variables of a command their names: PASSWORD is the first password in it, PASSWORD_2 the
// next one.
func (v variables) name(command string) string {
	names, count := map[string]string{}, map[string]int{}
	return regexp.MustCompile(`([A-Z]+)\x00[0-9]+\x00`).ReplaceAllStringFunc(command, func(variable string) string {
		if names[variable] == "" {
			kind, _, _ := strings.Cut(variable, "\x00")
			names[variable] = kind
			if count[kind]++; count[kind] > 1 {
				names[variable] = fmt.Sprintf("%s_%d", kind, count[kind])
			}
		}
		return names[variable]
	})
}

// Curl returns the command that sends a request to a server again, for a POSIX shell. Its secrets are in it as they are.
// The URL is one that wire.NewClient takes.
func Curl(server string, r wire.Request) string { return curlOf(server, false, r, nothingHidden{}) }

// A hider hides secrets in what is shown, as a secrets.Hider does.
type hider interface {
	Request(text string) string
	Header(h wire.Header) string
}

type nothingHidden struct{}

func (nothingHidden) Request(text string) string  { return text }
func (nothingHidden) Header(h wire.Header) string { return h.Value }

// curl returns the command that sends a request to the server again. The Hider marks by variables.
func (x *replay) curl(r wire.Request, h *secrets.Hider) string {
	return curlOf(x.server.URL, x.server.Isolated, r, h)
}

// curlOf returns the command; the address of a server that is gone is a variable.
func curlOf(server string, gone bool, r wire.Request, h hider) string {
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
	case len(body) > maxCurlBody:
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

// A piece of a text is a text itself, or the name of a variable.
type piece struct {
	text     string
	variable bool
}

func pieces(text string) []piece {
	var all []piece
	for {
		before, rest, found := strings.Cut(text, variableBegins)
		if before != "" {
			all = append(all, piece{text: before})
		}
		if !found {
			return all
		}
		var name string
		name, text, _ = strings.Cut(rest, variableEnds)
		all = append(all, piece{text: name, variable: true})
	}
}

// isPlain reports whether a text can be quoted as it is: it is UTF-8 without control characters, line
// feeds aside.
func isPlain(text string) bool {
	for _, p := range pieces(text) {
		if !p.variable && (!utf8.ValidString(p.text) || strings.ContainsFunc(p.text, isControl)) {
			return false
		}
	}
	return true
}

func isControl(r rune) bool { return r < 0x20 && r != '\n' || r >= 0x7f && r < 0xa0 }

// shellWord quotes a text for a POSIX shell, as one word.
func shellWord(text string) string {
	var b strings.Builder
	for _, p := range pieces(text) {
		switch {
		case p.variable:
			b.WriteString(`"$` + p.text + `"`)
		case isPlain(p.text):
			b.WriteString(quoted(p.text))
		default:
			b.WriteString(`"$(printf ` + shellFormat(p.text) + `)"`)
		}
	}
	if b.Len() == 0 {
		return "''"
	}
	return b.String()
}

// shellOutput returns a command that prints a text.
func shellOutput(text string) string {
	var commands []string
	for _, p := range pieces(text) {
		if p.variable {
			commands = append(commands, `printf %s "$`+p.text+`"`)
		} else {
			commands = append(commands, "printf "+shellFormat(p.text))
		}
	}
	if len(commands) == 1 {
		return commands[0]
	}
	return "{ " + strings.Join(commands, "; ") + "; }"
}

// shellFormat returns a format that makes printf print a text, with octal escapes for what is no
// printable ASCII.
func shellFormat(text string) string {
	var b strings.Builder
	for _, c := range []byte(text) {
		switch {
		case c == '%':
			b.WriteString("%%")
		case c == '\\' || c == '\'' || c < 0x20 || c >= 0x7f:
			fmt.Fprintf(&b, `\%03o`, c)
		default:
			b.WriteByte(c)
		}
	}
	return "'" + b.String() + "'"
}

func quoted(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }
