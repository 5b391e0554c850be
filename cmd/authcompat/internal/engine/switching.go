package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/cutover"
	"github.com/authcompat/authcompat/profiles/yamlfile"
)

// AllEndpoints stands for every endpoint.
const AllEndpoints = "all"

// ErrUndeclared is a cutover without endpoints.
var ErrUndeclared = errors.New("no server has declared an endpoint that can be switched: give a listener's front new: or switch:, and start it (docs/front.md)")

// Switching is what an operator changes of a cutover, relative to what is found there.
type Switching struct {
	Endpoints []EndpointShare // at least one
	Users     []string        // to be added
	Headers   []cutover.Header
	Clear     bool // the lists first
}

// EndpointShare is an endpoint, or AllEndpoints alone, and its new share unless that stays.
type EndpointShare struct {
	Name  string
	Share *cutover.Share
}

// ResolveSwitched replaces each username in the list by the account's own spelling. Who does not exist yet
// may register: they stay in the list as they are, and are returned. Errors are those of [core.Service.User].
func (e *Engine) ResolveSwitched(ctx context.Context, users []string) (unknown []string, err error) {
	for i, name := range users {
		u, err := e.User(ctx, name)
		switch {
		case err == nil:
			users[i] = u.Username
		case core.KindOf(err) == core.KindUserUnknown:
			unknown = append(unknown, name)
		default:
			return unknown, err
		}
	}
	return unknown, nil
}

// Apply changes a state. It fails with ErrUndeclared, or with an error that names an endpoint that nobody has declared.
func (s Switching) Apply(state *cutover.State) error {
	var names []string
	for _, r := range state.Rules {
		names = append(names, r.Endpoint)
	}
	if len(names) == 0 {
		return ErrUndeclared
	}
	endpoints := s.Endpoints
	if endpoints[0].Name == AllEndpoints {
		all := endpoints[0]
		endpoints = nil
		for _, name := range names {
			endpoints = append(endpoints, EndpointShare{name, all.Share})
		}
	}
	var rules []cutover.Rule
	for _, e := range endpoints {
		if !slices.Contains(names, e.Name) {
			return unknownEndpoint(e.Name, names)
		}
		r := state.Rule(e.Name)
		if e.Share != nil {
			r.Share = *e.Share
		}
		if s.Clear {
			r.Users, r.Headers = nil, nil
		}
		r.Users, r.Headers = withAll(r.Users, s.Users), withAll(r.Headers, s.Headers)
		rules = append(rules, r)
	}
	state.Set(rules...)
	return nil
}

// unknownEndpoint is the error of an endpoint that no server has declared.
func unknownEndpoint(name string, declared []string) error {
	return fmt.Errorf("no server has declared an endpoint %q%s: want %s, or all", name, yamlfile.DidYouMean(name, declared), strings.Join(declared, ", "))
}

// withAll returns a list with those that are not in it yet.
func withAll[T comparable](list, more []T) []T {
	list = slices.Clone(list)
	for _, item := range more {
		if !slices.Contains(list, item) {
			list = append(list, item)
		}
	}
	return list
}

// DescribeSwitched returns what is not as it was, a line for each endpoint.
func DescribeSwitched(was, is cutover.State) (lines []string) {
	for _, r := range is.Changed(was) {
		before := was.Rule(r.Endpoint)
		line := r.Share.String()
		if before.Share != r.Share {
			line = before.Share.String() + " → " + line
		}
		if !slices.Equal(before.Users, r.Users) {
			line += fmt.Sprintf(", users %d → %d", len(before.Users), len(r.Users))
		}
		if !slices.Equal(before.Headers, r.Headers) {
			line += fmt.Sprintf(", headers %d → %d", len(before.Headers), len(r.Headers))
		}
		lines = append(lines, r.Endpoint+" "+line)
	}
	return lines
}
