package core_test

import (
	"slices"
	"testing"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/clients"
)

// heard is a request that notes what it is told.
type heard struct{ users, secrets []string }

func (h *heard) Client() clients.Client   { return clients.Client{} }
func (h *heard) Identify(username string) { h.users = append(h.users, username) }
func (h *heard) Present(secret string)    { h.secrets = append(h.secrets, secret) }

// TestRequestsKnowTheirUsers tells a request whose token or password was good, and every secret in it;
// no name that was only typed.
func TestRequestsKnowTheirUsers(t *testing.T) {
	w := newWorld(t, true)
	w.user(t, "john")
	var key string
	for _, test := range []struct {
		name   string
		do     func(t *testing.T, s *core.Service, h *heard) error
		user   string
		secret string
	}{
		{"a registration", func(t *testing.T, s *core.Service, h *heard) error {
			_, err := s.Register(clients.WithRequest(t.Context(), h), fixed, core.Registration{Username: "ann", Password: "ann's"})
			return err
		}, "ann", "ann's"},
		{"one of a name that is taken", func(t *testing.T, s *core.Service, h *heard) error {
			_, err := s.Register(clients.WithRequest(t.Context(), h), fixed, core.Registration{Username: "ann", Password: "other"})
			return failsAs(err, core.KindUsernameTaken)
		}, "", "other"},
		{"a login", func(t *testing.T, s *core.Service, h *heard) error {
			session, err := s.Login(clients.WithRequest(t.Context(), h), fixed, "ann", "ann's")
			key = session.Key
			return err
		}, "ann", "ann's"},
		{"a wrong password", func(t *testing.T, s *core.Service, h *heard) error {
			_, err := s.Login(clients.WithRequest(t.Context(), h), fixed, "ann", "wrong")
			return failsAs(err, core.KindInvalidCredentials)
		}, "", "wrong"},
		{"an unknown name", func(t *testing.T, s *core.Service, h *heard) error {
			_, err := s.Login(clients.WithRequest(t.Context(), h), fixed, "ann's", "ann")
			return failsAs(err, core.KindInvalidCredentials)
		}, "", "ann"},
		{"a token", func(t *testing.T, s *core.Service, h *heard) error {
			_, err := s.Authenticate(clients.WithRequest(t.Context(), h), core.Policy{Realm: core.DefaultRealm}, core.Presented(key))
			return err
		}, "ann", "its token"},
		{"an unknown one", func(t *testing.T, s *core.Service, h *heard) error {
			_, err := s.Authenticate(clients.WithRequest(t.Context(), h), core.Policy{Realm: core.DefaultRealm}, "nope")
			return failsAs(err, core.KindTokenUnknown)
		}, "", "nope"},
		{"one that has expired", func(t *testing.T, s *core.Service, h *heard) error {
			w.now = w.now.Add(11 * time.Hour)
			_, err := s.Authenticate(clients.WithRequest(t.Context(), h), core.Policy{Realm: core.DefaultRealm}, core.Presented(key))
			return failsAs(err, core.KindTokenExpired)
		}, "", "its token"},
	} {
		var h heard
		if err := test.do(t, w.Service, &h); err != nil {
			t.Errorf("%s: %v", test.name, err)
		}
		var users []string
		if test.user != "" {
			users = []string{test.user}
		}
		if test.secret == "its token" {
			test.secret = key
		}
		if !slices.Equal(h.users, users) || !slices.Equal(h.secrets, []string{test.secret}) {
			t.Errorf("%s: told of the users %q and the secrets %q", test.name, h.users, h.secrets)
		}
	}
}

// failsAs returns an error unless err is of a kind.
func failsAs(err error, kind core.Kind) error {
	if err != nil && core.KindOf(err) == kind {
		return nil
	}
	return &core.Error{Kind: core.KindInternal, Err: err}
}
