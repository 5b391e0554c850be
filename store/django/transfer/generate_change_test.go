package transfer_test

import (
	"slices"

	"github.com/authcompat/authcompat/core"
)

// change changes the source, and imports again.
func (c *genCase) change() {
	for _, p := range c.people {
		p.came, p.changed = !p.lost, false
	}
	for _, k := range c.tickets {
		k.came = k.table.meant && !k.unfit() && !k.over(c.policy) && !k.second
	}
	c.changePeople()
	gone, here := c.endTickets()
	left := c.leave(&gone)
	many := len(gone) > 10 && len(gone)*10 > here
	c.joined(left)
	c.write()
	want := c.expected()
	if many {
		c.take(want, true)
		for _, k := range gone {
			if _, err := c.service.Authenticate(c.ctx, c.policy, core.Presented(k.text)); core.KindOf(err) == core.KindTokenUnknown {
				c.errorf("a token was ended by a run that was to end none: %v", err)
			}
		}
		c.endTokens = true
		want = c.unchanged(want)
	}
	want.Ended = len(gone)
	report := c.take(want, false)
	for _, k := range gone {
		if _, err := c.service.Authenticate(c.ctx, c.policy, core.Presented(k.text)); core.KindOf(err) != core.KindTokenUnknown || err == nil {
			c.errorf("a token that was ended at the source: %v", err)
		}
	}
	c.take(c.unchanged(report), false)
	c.serve(c.service, false)
	c.stay(left)
}

// changePeople changes some users in the source.
func (c *genCase) changePeople() {
	for _, p := range c.people {
		if p.lost || !c.chance(25) {
			continue
		}
		password, name, active := p.row["password"], p.name, p.active
		if c.chance(50) {
			c.setPassword(p)
		}
		switch {
		case !c.dated(p) && p.row["password"] != password: // with a new name it would be another user
		case c.naturalPrimary || !c.unique || c.toField == c.username: // the name is the identity
		case c.lower && !c.blind: // or the name may become that of another user here
		case c.chance(40):
			c.setName(p, c.genName())
		case c.lower && c.blind && c.username != "email" && !c.users.has("shown") && c.chance(40): // which changes nothing here
			c.setName(p, otherCapitals(p.row[c.username].(string)))
		}
		if c.chance(30) && c.active != "" {
			p.active = !p.active
			p.row[c.active] = p.active
		}
		first := p.row["first_name"]
		if first != nil && c.chance(30) {
			p.row["first_name"] = first.(string) + "x"
		}
		p.changed = first != p.row["first_name"] || p.row["password"] != password || p.name != name || p.active != active
	}
}

// dated reports whether the source knows when a user joined: the years 1 and 9999 are
// placeholders.
func (c *genCase) dated(p *person) bool {
	at, ok := p.row[c.created].(genTime)
	return ok && at.at.Year() > 1970 && at.at.Year() < 9999
}

// endTickets deletes some tokens in the source, as logouts do there; sometimes more
// than a run may revoke.
func (c *genCase) endTickets() (gone []*ticket, here int) {
	for _, k := range c.tickets {
		if k.came {
			here++
		}
	}
	most := c.IntN(11)
	if c.chance(15) {
		most = here
	}
	for _, k := range slices.Clone(c.tickets) {
		if len(gone) == most || !k.came || k.twin != nil || len(k.table.rows) < 2 || c.chance(30) {
			continue
		}
		c.remove(k)
		gone = append(gone, k)
		if c.chance(30) { // and log in again
			serial := int64(1<<41 + len(gone))
			c.addTicket(k.table, k.owner, &serial)
		}
	}
	return gone, here
}

// remove deletes a token in the source.
func (c *genCase) remove(k *ticket) {
	k.table.rows = slices.DeleteFunc(k.table.rows, func(r genRow) bool { return r["key"] == k.row["key"] && r["digest"] == k.row["digest"] })
	c.tickets = slices.DeleteFunc(c.tickets, func(o *ticket) bool { return o == k })
}

// joined adds users with tokens. Some of them get the name of a deleted user.
func (c *genCase) joined(left []*person) {
	serial := int64(1 << 42)
	before := len(c.people)
	for range c.IntN(4) {
		c.addPerson(c.newKey())
	}
	c.inherit(left)
	for _, p := range left {
		if !c.naturalPrimary && c.unique && c.toField != c.username && c.chance(40) {
			if other := c.addPerson(c.newKey()); !other.bad {
				c.setName(other, p.row[c.username].(string))
			}
		}
	}
	c.judgeNames()
	for _, p := range c.people[before:] {
		for _, t := range c.tokens {
			if t.meant && len(t.rows) > 0 && c.chance(70) {
				c.addTicket(t, p, &serial)
			}
		}
	}
}
