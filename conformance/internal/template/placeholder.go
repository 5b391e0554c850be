package template

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// maxHex is the longest <hexN>: a SHA-512 in hex.
const maxHex = 128

// A Placeholder is the content of <…>: a type, the name under which to capture the matched text,
// and further conditions.
type Placeholder struct {
	source  string
	pattern *regexp.Regexp // of the type, not anchored
	hex     bool           // no further hex digit may follow
	Number  bool           // may stand for a JSON number
	Any     bool           // <any>: a header with any value, or none
	Text    bool           // <text>: any string, as the whole of a JSON string
	Capture string
	Not     []string // captures that the text must differ from
	form    *timeForm
	clock   *clockRelation
}

// String returns the placeholder as written.
func (h *Placeholder) String() string { return "<" + h.source + ">" }

func parsePlaceholder(source string) (*Placeholder, error) {
	arguments := strings.Split(source, ",")
	kind, capture, captured := strings.Cut(arguments[0], ":")
	h := &Placeholder{source: source, Capture: capture}
	if captured && !IsName(capture) {
		return h, fmt.Errorf("%q is no name to capture under", capture)
	}
	switch {
	case kind == "any":
		h.Any = true
		if captured || len(arguments) > 1 {
			return h, errors.New("<any> stands alone")
		}
	case kind == "text":
		h.pattern, h.Text = regexp.MustCompile(`(?s).*`), true
	case kind == "token68":
		h.pattern = regexp.MustCompile(`[A-Za-z0-9._~+/-]+=*`)
	case kind == "integer":
		h.pattern, h.Number = integerPattern(), true
	case kind == "datetime":
		h.form = anyTime()
		h.pattern = h.form.pattern
	case strings.HasPrefix(kind, "hex"):
		n, err := strconv.Atoi(kind[len("hex"):])
		if err != nil || n < 1 || n > maxHex || kind != fmt.Sprint("hex", n) {
			return h, fmt.Errorf("want hex1 to hex%d", maxHex)
		}
		h.pattern, h.hex = regexp.MustCompile(fmt.Sprintf(`[0-9a-f]{%d}`, n)), true
	default:
		return h, errors.New("want any, text, integer, datetime, token68 or hexN")
	}
	return h, h.parseArguments(arguments[1:])
}

func (h *Placeholder) parseArguments(arguments []string) error {
	for _, argument := range arguments {
		argument = strings.TrimSpace(argument)
		if name, ok := strings.CutPrefix(argument, "not "); ok {
			if !IsName(name) {
				return fmt.Errorf("%q is no captured name", name)
			}
			h.Not = append(h.Not, name)
			continue
		}
		if h.form == nil {
			return fmt.Errorf("%q is not understood, want: not NAME", argument)
		}
		if form := findTimeForm(argument); form != nil {
			h.form, h.pattern = form, form.pattern
			continue
		}
		if !strings.HasPrefix(argument, "now") {
			return fmt.Errorf("%q is neither a form (%s) nor a relation to the clock (now + 10h ± 90s)", argument, timeFormNames())
		}
		relation, err := parseClockRelation(argument)
		if err != nil {
			return err
		}
		h.clock = relation
	}
	return nil
}

// Sample returns a text that the placeholder could match.
func (h *Placeholder) Sample() string {
	switch {
	case h.Number:
		return "1"
	case h.hex:
		n, _ := strconv.Atoi(strings.TrimPrefix(strings.FieldsFunc(h.source, func(c rune) bool { return c == ':' || c == ',' })[0], "hex"))
		return strings.Repeat("0123456789abcdef", n/16+1)[:n]
	case h.form != nil:
		at := time.Date(2020, 1, 2, 3, 4, 5, 0, time.UTC)
		return at.Format(h.form.layout)
	}
	return "text"
}

func integerPattern() *regexp.Regexp { return regexp.MustCompile(`-?(?:0|[1-9][0-9]*)`) }

// match returns how many bytes at the beginning of the text the placeholder matches.
func (h *Placeholder) match(text string, s *Scope) (int, error) {
	at := h.pattern.FindStringIndex(text)
	if at == nil || at[0] != 0 {
		return 0, fmt.Errorf("want %v here", h)
	}
	found := text[:at[1]]
	if h.hex && at[1] < len(text) && isHex(text[at[1]]) {
		return 0, fmt.Errorf("want %v here: there are more hex digits", h)
	}
	for _, name := range h.Not {
		if found == s.Captures[name] {
			return 0, fmt.Errorf("want %v here: it is the same as %s", h, name)
		}
	}
	if h.form != nil {
		if err := h.form.check(found, h.clock, s); err != nil {
			return 0, fmt.Errorf("want %v here: %w", h, err)
		}
	}
	return at[1], nil
}

// find returns the start and the end of the first match of the type in the text, nil for none.
func (h *Placeholder) find(text string) []int {
	at := h.pattern.FindStringIndex(text)
	if at == nil || h.hex && (at[0] > 0 && isHex(text[at[0]-1]) || at[1] < len(text) && isHex(text[at[1]])) {
		return nil
	}
	return at
}

func isHex(c byte) bool { return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F' }
