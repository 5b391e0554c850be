package answer

import (
	"maps"
	"slices"
	"strings"

	"github.com/authcompat/authcompat/profiles"
)

// Text is a body in parts: what is always there, and what only a request brings.
type Text []Part

// Part is a piece of a text.
type Part struct {
	// Text is what is sent, or the name of what is sent in its place.
	Text     string
	Variable bool
	// Message is the key of the profile's message that the part belongs to; empty: to none.
	Message string
}

// String returns the text with {name} in the place of what only a request brings.
func (t Text) String() string {
	var out strings.Builder
	for _, p := range t {
		if p.Variable {
			out.WriteString("{" + p.Text + "}")
		} else {
			out.WriteString(p.Text)
		}
	}
	return out.String()
}

// Messages returns the keys of the profile's messages that the text has.
func (t Text) Messages() []string {
	var keys []string
	for _, p := range t {
		if p.Message != "" && !slices.Contains(keys, p.Message) {
			keys = append(keys, p.Message)
		}
	}
	return keys
}

// Fits tells whether a body can be this text, with anything in the place of what a request brings.
func (t Text) Fits(body string) bool {
	open := false // anything may come before the next part
	for i, p := range t {
		switch {
		case p.Variable:
			open = true
		case !open:
			rest, ok := strings.CutPrefix(body, p.Text)
			if !ok {
				return false
			}
			body = rest
		case i == len(t)-1:
			return strings.HasSuffix(body, p.Text)
		default:
			_, rest, ok := strings.Cut(body, p.Text)
			if !ok {
				return false
			}
			body, open = rest, false
		}
	}
	return open || body == ""
}

// The marks around a message, which survive being written as JSON: {~<key} before and {~>} behind it, and {~name} in the place
// of a placeholder that only a request fills.
const (
	openMark  = "{~"
	closeMark = "}"
	isBegin   = "<"
	isEnd     = ">"
)

// Marked returns the profile with messages from which texts are made. Placeholders of which the profile itself knows the
// value are filled in as ever.
func Marked(p *profiles.Profile) *profiles.Profile {
	marked := *p
	marked.Messages = maps.Clone(p.Messages)
	var pairs []string
	for _, name := range []string{"seconds", "error", "type", "code", "method", "length", "attribute"} {
		pairs = append(pairs, "{"+name+"}", openMark+name+closeMark)
	}
	unknown := strings.NewReplacer(pairs...)
	for key, sentence := range p.Messages {
		marked.Messages[key] = openMark + isBegin + key + closeMark + unknown.Replace(sentence) + openMark + isEnd + closeMark
	}
	return &marked
}

// parse reads a body whose messages are marked.
func parse(body string) Text {
	var t Text
	message := ""
	for body != "" {
		before, rest, found := strings.Cut(body, openMark)
		if before != "" {
			t = append(t, Part{Text: before, Message: message})
		}
		if !found {
			break
		}
		name, rest, _ := strings.Cut(rest, closeMark)
		switch key, begins := strings.CutPrefix(name, isBegin); {
		case begins:
			message = key
		case name == isEnd:
			message = ""
		default:
			t = append(t, Part{Text: name, Variable: true, Message: message})
		}
		body = rest
	}
	return t
}
