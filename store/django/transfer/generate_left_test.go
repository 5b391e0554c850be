package transfer_test

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/authcompat/authcompat/core"
)

// leave deletes users in the source, with their tokens. The users stay here, and their
// tokens are revoked like those that were logged out.
func (c *genCase) leave(gone *[]*ticket) (left []*person) {
	if c.kind == inDump && len(c.people) < 10 || !c.chance(60) {
		return nil // without any users, a dump does not have their model
	}
	most := 1 + c.IntN(3)
	for _, p := range slices.Clone(c.people) {
		own := c.ticketsOf(p)
		if len(left) == most || p.lost || p.changed || !p.came || c.chance(70) || slices.ContainsFunc(own, unremovable) {
			continue
		}
		for _, k := range own {
			c.remove(k)
			if k.came && !slices.Contains(*gone, k) {
				*gone = append(*gone, k)
			}
		}
		c.removePerson(p)
		left = append(left, p)
		c.left[p.name] = true
	}
	return left
}

// ticketsOf returns the tokens of a user in all tables.
func (c *genCase) ticketsOf(p *person) (own []*ticket) {
	for _, k := range c.tickets {
		if k.owner == p {
			own = append(own, k)
		}
	}
	return own
}

// unremovable reports whether a token can't be deleted on its own, or is among the last
// ones of its table, by which the table is recognized.
func unremovable(k *ticket) bool { return k.twin != nil || len(k.table.rows) < 5 }

// removePerson deletes the rows of a user in the source.
func (c *genCase) removePerson(p *person) {
	is := func(key string, of genRow) func(genRow) bool {
		return func(r genRow) bool { return of != nil && r[key] == of[key] }
	}
	for _, t := range c.tables {
		if t.key == "user_ptr_id" { // part of a user, in whichever table
			t.rows = slices.DeleteFunc(t.rows, func(r genRow) bool { return r[t.key] == p.row[c.users.key] })
		}
	}
	c.users.rows = slices.DeleteFunc(c.users.rows, is(c.users.key, p.row))
	if c.child != nil {
		c.child.rows = slices.DeleteFunc(c.child.rows, is(c.child.key, p.childRow))
	}
	c.people = slices.DeleteFunc(c.people, func(o *person) bool { return o == p })
}

// stay checks that users deleted in the source still exist here, unchanged.
func (c *genCase) stay(left []*person) {
	for _, p := range left {
		account, err := c.store.Account(c.ctx, p.name)
		if err != nil {
			c.errorf("%q, who was deleted at the source, is not here: %v", p.name, err)
			continue
		}
		if !p.active || p.password == "" {
			continue
		}
		session, err := c.service.Login(c.ctx, c.policy, p.name, p.password)
		if err != nil || session.User.ID != account.ID {
			c.errorf("login of %q, who was deleted at the source: %v", p.name, err)
		}
		if slices.ContainsFunc(c.tickets, func(k *ticket) bool { return k.text == session.Key }) {
			c.errorf("login of %q, who was deleted at the source, shows a token of another", p.name)
		}
	}
}

// inherit gives the keys of deleted users to others, as a source does that restarts its
// numbering: here, these IDs still belong to the deleted users.
func (c *genCase) inherit(left []*person) {
	if c.naturalPrimary || !c.unique || c.toField != "" {
		return
	}
	for _, p := range left {
		if !c.chance(50) {
			continue
		}
		heir := c.addPerson(p.row[c.users.key])
		heir.heir = true
		if c.created != "" && !heir.bad {
			heir.row[c.created] = genTime{at: genNow.AddDate(0, 0, -1-c.IntN(300))} // when nobody else joined
		}
		for heir.row["password"] == p.row["password"] {
			c.setPassword(heir)
		}
	}
}

// deleter administers users.
type deleter interface {
	DeleteUser(ctx context.Context, userID int64, audit *core.AuditEntry) error
}

// deleteHere deletes some users here, and registers others in their place: none of them
// is the one in the source.
func (c *genCase) deleteHere() (gone []*person, tokens []*ticket) {
	most := c.IntN(3)
	for _, p := range c.people {
		own := c.ticketsOf(p)
		if len(gone) == most || p.lost || c.chance(60) || slices.ContainsFunc(own, unremovable) || c.hasNamesake(p) {
			continue
		}
		account, err := c.store.Account(c.ctx, p.name)
		if err != nil {
			c.errorf("%q is not here: %v", p.name, err)
			continue
		}
		c.must(c.store.(deleter).DeleteUser(c.ctx, account.ID, nil))
		gone = append(gone, p)
		for _, k := range own {
			if k.table.meant && !k.unfit() && !k.over(c.policy) {
				tokens = append(tokens, k)
			}
		}
		name := fmt.Sprint("after ", p.key)
		if c.chance(50) && (c.blind || !c.lower) { // otherwise the source accepts both
			name = p.name
		}
		if _, err := c.service.CreateUser(c.ctx, c.policy, core.Registration{Username: name, Password: "a newcomer's"}); err != nil {
			continue // a name that can't be registered here
		}
		c.newcomers = append(c.newcomers, name)
	}
	return gone, tokens
}

// hasNamesake reports whether another user of the source has the name of p, and is
// imported, with the tokens, once p is deleted.
func (c *genCase) hasNamesake(p *person) bool {
	return slices.ContainsFunc(c.people, func(other *person) bool { return other != p && strings.EqualFold(other.name, p.name) })
}

// newcomersStay checks that users who registered in the place of users deleted here are
// unchanged, without any token of the source.
func (c *genCase) newcomersStay() {
	for _, name := range c.newcomers {
		session, err := c.service.Login(c.ctx, c.policy, name, "a newcomer's")
		if err != nil {
			c.errorf("login of %q, who registered here: %v", name, err)
			continue
		}
		for _, k := range c.tickets {
			if k.text == session.Key {
				c.errorf("login of %q, who registered here, shows a token of another", name)
			}
			if used, err := c.service.Authenticate(c.ctx, c.policy, core.Presented(k.text)); err == nil && used.User.ID == session.User.ID {
				c.errorf("a token of another speaks for %q, who registered here", name)
			}
		}
	}
}

// keptIDs checks that users have the same IDs here as in the source, if these are
// positive integers and not taken.
func (c *genCase) keptIDs() {
	for _, p := range c.people {
		account, err := c.store.Account(c.ctx, p.name)
		if id := c.idOf(p); err == nil && !p.lost && id > 0 && !p.heir && account.ID != id {
			c.errorf("%q has the id %d here, and %d there", p.name, account.ID, id)
			return
		}
	}
}
