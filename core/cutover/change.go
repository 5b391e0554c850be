package cutover

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// KeySize is the size of a State's Key in bytes.
const KeySize = 32

// Limits of a rule: every node reads the state four times a second.
const (
	MaxUsers   = 1000
	MaxHeaders = 20
	// MaxText is the size of a name, or of a header's value, in bytes.
	MaxText = 1024
)

// Equal reports whether two rules are the same.
func (r Rule) Equal(o Rule) bool {
	return r.Endpoint == o.Endpoint && r.Share == o.Share && slices.Equal(r.Users, o.Users) && slices.Equal(r.Headers, o.Headers)
}

// Changed returns the rules that are new since an earlier state, or not as they were there.
func (s *State) Changed(since State) (changed []Rule) {
	for _, r := range s.Rules {
		if !slices.ContainsFunc(since.Rules, r.Equal) {
			changed = append(changed, r)
		}
	}
	return changed
}

// Check returns why the rules can't be kept, or nil if they can.
func (s *State) Check() error {
	for _, r := range s.Rules {
		if err := r.check(); err != nil {
			return fmt.Errorf("%s: %w", r.Endpoint, err)
		}
	}
	return nil
}

func (r Rule) check() error {
	texts := append([]string{r.Endpoint}, r.Users...)
	for _, h := range r.Headers {
		texts = append(texts, h.Name, cmp.Or(h.Value, h.Name)) // an empty value means any
	}
	for _, text := range texts {
		if text == "" || len(text) > MaxText || !utf8.ValidString(text) {
			return fmt.Errorf("names and values have 1 to %d bytes of UTF-8", MaxText)
		}
	}
	switch {
	case r.Share < 0 || r.Share > All:
		return errors.New("a share is 0% to 100%")
	case len(r.Users) > MaxUsers:
		return fmt.Errorf("%d users: a list has at most %d", len(r.Users), MaxUsers)
	case len(r.Headers) > MaxHeaders:
		return fmt.Errorf("%d headers: a list has at most %d", len(r.Headers), MaxHeaders)
	}
	return nil
}

// ParseHeader reads a header that selects requests: NAME, or NAME: VALUE.
func ParseHeader(text string) (Header, error) {
	name, value, valued := strings.Cut(text, ":")
	value = strings.Trim(value, " \t")
	switch {
	case name == "" || strings.ContainsFunc(name, notInToken):
		return Header{}, errors.New("it has no name of a header: want 'NAME: VALUE', or 'NAME' for any value")
	case valued && value == "":
		return Header{}, errors.New("the value is empty: want 'NAME: VALUE', or 'NAME' for any value")
	case strings.ContainsFunc(value, unicode.IsControl):
		return Header{}, errors.New("the value has control characters")
	case slices.ContainsFunc(unselectable(), func(h string) bool { return strings.EqualFold(name, h) }):
		return Header{}, fmt.Errorf("requests can't be selected by %s: it is about the connection, or taken out of the headers before they are compared", http.CanonicalHeaderKey(name))
	}
	return Header{Name: http.CanonicalHeaderKey(name), Value: value}, nil
}

// unselectable returns the headers that net/http takes out of a request, and those that each server on the
// way sets anew: a rule with one would never hold, or hold by chance.
func unselectable() []string {
	return []string{"Host", "Connection", "Content-Length", "Expect", "Keep-Alive", "Proxy-Connection", "Te", "Trailer", "Transfer-Encoding", "Upgrade"}
}

// notInToken reports whether a header's name can't have a character (RFC 9110, section 5.6.2).
func notInToken(r rune) bool {
	return !(r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || strings.ContainsRune("!#$%&'*+-.^_`|~", r))
}
