package transfer_test

import (
	"slices"
	"unicode/utf8"

	"github.com/authcompat/authcompat/core"
)

// logins logs some users in, with right and wrong passwords.
func (c *genCase) logins(s *core.Service, beside bool) {
	if len(c.people) == 0 {
		return
	}
	for range min(6, len(c.people)) {
		p := c.people[c.IntN(len(c.people))]
		if p.name == "" || !utf8.ValidString(p.name) {
			continue
		}
		c.login(s, p, beside)
		if _, err := s.Login(c.ctx, c.policy, p.name, "wrong"); core.KindOf(err) != core.KindInvalidCredentials {
			c.errorf("login of %q with a wrong password: %v", p.name, err)
		}
	}
	if _, err := s.Login(c.ctx, c.policy, "nobody", "wrong"); core.KindOf(err) != core.KindInvalidCredentials {
		c.errorf("login of nobody: %v", err)
	}
}

// login logs a user in with the password in the source.
func (c *genCase) login(s *core.Service, p *person, beside bool) {
	session, err := s.Login(c.ctx, c.policy, p.name, p.password)
	kind := core.KindOf(err)
	lost := p.lost && !beside || beside && c.namesakes(p) > 1
	switch {
	case lost || p.password == "":
		if err == nil || kind != core.KindInvalidCredentials {
			c.errorf("login of %q (%v), who has no password or was not taken over: %v", p.name, p.row["password"], err)
		}
		return
	case !p.active:
		if err == nil || kind != core.KindUserInactive {
			c.errorf("login of %q, who is not active: %v", p.name, err)
		}
		return
	case err != nil:
		c.errorf("login of %q (%v): %v", p.name, p.row["password"], err)
		return
	}
	if session.User.Username != p.name {
		c.errorf("login of %q is one of %q", p.name, session.User.Username)
	}
	used, err := s.Authenticate(c.ctx, c.policy, core.Presented(session.Key))
	if err != nil || used.User.ID != session.User.ID || used.User.Username != p.name {
		c.errorf("the token of the login of %q is of %q: %v", p.name, used.User.Username, err)
	}
	c.ownToken(p, session.Key, beside)
}

// namesakes counts the rows with the name of a user.
func (c *genCase) namesakes(p *person) (n int) {
	for _, o := range c.people {
		if o.name == p.name {
			n++
		}
	}
	return n
}

// ownToken checks the token that a login returns: the user's existing one if the
// profile returns it again, and never another user's.
func (c *genCase) ownToken(p *person, key string, beside bool) {
	var own []string
	for _, k := range c.tickets {
		mine := k.owner == p || k.twin != nil && k.twin.owner == p
		if k.text == key {
			if !mine {
				c.errorf("login of %q shows a token of another", p.name)
			}
			return
		}
		policy := c.policy
		if beside {
			policy = core.Policy{}
		}
		if k.owner == p && k.table.meant && k.table.form == core.Authtoken && !k.unfit() && !k.over(policy) && k.twin == nil {
			own = append(own, k.text)
		}
	}
	if c.policy.Reuse && len(own) > 0 && !p.issued && !(beside && c.ownAlone()) {
		c.errorf("login of %q shows a new token, and not that of %d which the user has", p.name, len(own))
	}
	p.issued = true
}

// ownAlone reports whether the token tables to use are the project's own.
func (c *genCase) ownAlone() bool {
	return slices.ContainsFunc(c.tokens, func(t *tokenTable) bool { return t.meant && t.own })
}
