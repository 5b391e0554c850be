package cutover

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Side is who answers.
type Side string

// The sides.
const (
	Old Side = "old"
	New Side = "new"
)

// Other is the endpoint that stands for all paths of an application without a rule of their
// own.
const Other = "other"

// Header selects requests that have it.
type Header struct {
	Name string `json:"name"`
	// Value is compared byte for byte; empty: any.
	Value string `json:"value,omitempty"`
}

// Rule says who is sent to the new side at an endpoint. The zero value sends nobody.
type Rule struct {
	// Endpoint is the name of an endpoint of the API, a path of an application as its rules
	// have it, or Other.
	Endpoint string   `json:"endpoint"`
	Share    Share    `json:"share"`             // of the users
	Users    []string `json:"users,omitempty"`   // beside those of the share
	Headers  []Header `json:"headers,omitempty"` // requests with one of these, whoever sends them
}

// Settled reports whether everybody is sent to the same side.
func (r Rule) Settled() (side Side, ok bool) {
	switch {
	case r.Share >= All:
		return New, true
	case r.Share <= 0 && len(r.Users) == 0 && len(r.Headers) == 0:
		return Old, true
	}
	return Old, false
}

// Selects reports whether a request is sent to the new side for a header.
func (r Rule) Selects(h http.Header) bool {
	return slices.ContainsFunc(r.Headers, func(wanted Header) bool {
		values := h.Values(wanted.Name)
		return wanted.Value == "" && len(values) > 0 || wanted.Value != "" && slices.Contains(values, wanted.Value)
	})
}

// State is what an operator has set. All its endpoints are in Rules, once each.
type State struct {
	Version   int64 // rises with each change; 0: nothing was ever set
	ChangedAt time.Time
	// Key makes users' positions unpredictable; it never changes.
	Key   []byte
	Rules []Rule
}

// Rule returns the rule of an endpoint; the zero value if it has none.
func (s *State) Rule(endpoint string) Rule {
	for _, r := range s.Rules {
		if r.Endpoint == endpoint {
			return r
		}
	}
	return Rule{Endpoint: endpoint}
}

// Side returns the side that a user is sent to by a rule of the state. username is the
// account's; who has none is the last to be sent to the new side.
func (s *State) Side(r Rule, username string) Side {
	if side, ok := r.Settled(); ok {
		return side
	}
	if username != "" && (slices.Contains(r.Users, username) || s.position(username) < r.Share) {
		return New
	}
	return Old
}

// position is where a user stands among all, 0 to All-1: the same at every endpoint.
func (s *State) position(username string) Share {
	mac := hmac.New(sha256.New, s.Key)
	mac.Write([]byte(username))
	return Share(binary.BigEndian.Uint64(mac.Sum(nil)) % uint64(All))
}

// Set replaces the rules of endpoints, and adds those that are new.
func (s *State) Set(rules ...Rule) {
	s.Rules = slices.Clone(s.Rules)
	for _, r := range rules {
		if i := slices.IndexFunc(s.Rules, func(have Rule) bool { return have.Endpoint == r.Endpoint }); i >= 0 {
			s.Rules[i] = r
		} else {
			s.Rules = append(s.Rules, r)
		}
	}
	slices.SortFunc(s.Rules, func(a, b Rule) int { return strings.Compare(a.Endpoint, b.Endpoint) })
}

// Rollback sends everybody to the old side at all endpoints.
func (s *State) Rollback() {
	rules := make([]Rule, len(s.Rules))
	for i, r := range s.Rules {
		rules[i] = Rule{Endpoint: r.Endpoint}
	}
	s.Rules = rules
}
