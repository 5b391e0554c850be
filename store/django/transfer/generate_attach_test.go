package transfer_test

import (
	"fmt"
	"slices"
	"strings"

	"github.com/google/go-cmp/cmp"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/sealing"
	"github.com/authcompat/authcompat/store/django/live"
)

// attach attaches to the source itself, or to a copy.
func (c *genCase) attach() {
	target := c.copied("attached.sqlite3")
	before := c.contents(target)
	s, err := live.Open(c.ctx, target, c.hint)
	if err != nil {
		c.errorf("attach: %v", err)
		return
	}
	defer func() { c.must(s.Close()) }()
	sealer, err := sealing.NewSealer(make([]byte, sealing.KeySize))
	c.must(err)
	c.sealer = sealer
	c.policy = core.Policy{Issuer: "beside", Realm: core.DefaultRealm, TokenHex: 40, Reuse: s.SingleTokenPerUser() || c.chance(50)}
	if err := s.CheckPolicy(c.policy); err != nil {
		c.errorf("attach: %v", err)
		return
	}
	for _, p := range c.people {
		p.issued = false
	}
	service := c.serving(s.Backend(), true)
	c.serve(service, true)
	c.register(service)
	gone := c.logouts(service)
	after := c.contents(target)
	for _, row := range before {
		if !slices.Contains(after, row) && !slices.ContainsFunc(gone, func(k *ticket) bool { return k.appears(row) }) {
			c.errorf("working beside changed a row: %.300s\n%.1000s", row, cmp.Diff(before, after))
			return
		}
	}
}

// appears reports whether a row, as text, is the token's.
func (k *ticket) appears(row string) bool {
	name := "digest"
	if k.table.form == core.Authtoken {
		name = "key"
	}
	return strings.HasPrefix(row, k.table.name+" ") && strings.Contains(row, fmt.Sprintf(" %s=%v", name, k.row[name]))
}

// register registers users, and logs them in and out.
func (c *genCase) register(s *core.Service) {
	for n := range 2 {
		name := fmt.Sprintf("registered%d@example.org", n)
		session, err := s.Register(c.ctx, c.policy, core.Registration{Username: name, Email: name, Password: "registered here"})
		if err != nil {
			c.errorf("register: %v", err)
			return
		}
		c.wantUser(s, session.Key, name)
		again, err := s.Login(c.ctx, c.policy, name, "registered here")
		if err != nil || again.User.ID != session.User.ID || c.policy.Reuse && again.Key != session.Key {
			c.errorf("login of a user who registered: %v", err)
			return
		}
		for _, key := range []string{session.Key, again.Key} {
			used, err := s.Authenticate(c.ctx, c.policy, core.Presented(key))
			if err != nil {
				continue // the same token again
			}
			if err := s.Logout(c.ctx, used); err != nil {
				c.errorf("logout: %v", err)
			}
			c.wantUser(s, key, "")
		}
	}
}

// wantUser checks which user a token authenticates; an empty name means none.
func (c *genCase) wantUser(s *core.Service, key, name string) {
	session, err := s.Authenticate(c.ctx, c.policy, core.Presented(key))
	if name == "" && (err == nil || core.KindOf(err) != core.KindTokenUnknown) || name != "" && (err != nil || session.User.Username != name) {
		c.errorf("a token of %q is %q's: %v", name, session.User.Username, err)
	}
}

// logouts logs some of the tokens out that Django issued.
func (c *genCase) logouts(s *core.Service) (gone []*ticket) {
	for _, k := range c.tickets {
		if len(gone) == 3 || k.twin != nil {
			continue
		}
		session, err := s.Authenticate(c.ctx, c.policy, core.Presented(k.text))
		if err != nil {
			continue
		}
		if err := s.Logout(c.ctx, session); err != nil {
			c.errorf("logout: %v", err)
		}
		gone = append(gone, k)
		c.wantUser(s, k.text, "")
	}
	for n, k := range c.tickets {
		if slices.Contains(gone, k) || n > 200 {
			continue // a sample is enough
		}
		_, err := s.Authenticate(c.ctx, c.policy, core.Presented(k.text))
		works := k.twin == nil && strings.HasPrefix(c.answer(k, true), "user ")
		if got := core.KindOf(err); err != nil && (works && got != core.KindUserInactive || got == core.KindInternal || got == core.KindUnavailable) {
			c.errorf("a token after logouts of others: %v", err)
		}
	}
	return gone
}
