package transfer_test

import (
	"bytes"
	"os"
	"path/filepath"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/store/django/tables"
	"github.com/authcompat/authcompat/store/django/transfer"
)

// swap has users in the source swap their names, and imports several times: whatever is
// refused meanwhile, no token ever authenticates another user.
func (c *genCase) swap() {
	var some []*person
	most := 2 + c.IntN(3)
	for _, p := range c.people {
		if !p.lost && c.dated(p) && len(some) < most && c.chance(70) {
			some = append(some, p)
		}
	}
	// Without a time of joining, a user with a new password too may be somebody else.
	if len(some) < 2 || !c.unique || c.naturalPrimary || c.toField == c.username {
		return
	}
	ids := map[*person]int64{}
	for _, p := range c.people {
		if account, err := c.store.Account(c.ctx, p.name); err == nil && !p.lost {
			ids[p] = account.ID
		}
	}
	first := some[0].row[c.username].(string)
	for i, p := range some {
		name := first
		if i+1 < len(some) {
			name = some[i+1].row[c.username].(string)
		}
		c.setName(p, name)
	}
	c.write()
	for range 3 {
		from := c.mustOpen()
		scratch := c.fresh()
		o := c.options()
		o.EndTokens = true // tokens exported to a copy are missing in the source
		really := o
		o.Rehearsal = scratch
		rehearsed, err := transfer.Import(c.ctx, from, c.store, o)
		c.must(err)
		report, err := transfer.Import(c.ctx, from, c.store, really)
		c.must(err)
		if a, b := counts(rehearsed), counts(report); a.Users != b.Users || a.Ended != b.Ended {
			c.errorf("users %d took each other's names: the rehearsal %+v, the import %+v", len(some), a, b)
		}
		c.must(scratch.Close())
		c.must(from.Close())
		for _, k := range c.tickets {
			session, err := c.service.Authenticate(c.ctx, c.policy, core.Presented(k.text))
			if err == nil && k.twin == nil && (k.owner == nil || session.User.ID != ids[k.owner]) {
				c.errorf("users took each other's names: a token of user %v (row %v) speaks for %d, %q", ids[k.owner], shown(k.row), session.User.ID, session.User.Username)
			}
			if err != nil && k.twin == nil && !c.naturalForeign && !k.unfit() && !k.over(c.policy) && k.owner.active && k.table.meant {
				c.errorf("users took each other's names: a token of %d: %v", ids[k.owner], err)
			}
		}
	}
}

// dumpOut exports to a dump, imports it into an empty store, and checks that everything
// is the same there as here.
func (c *genCase) dumpOut() {
	var out bytes.Buffer
	if _, err := transfer.ExportDump(c.ctx, c.store, &out, transfer.ExportOptions{
		Realm: c.policy.Realm, Sealer: c.sealer, Clock: func() time.Time { return genNow },
	}); err != nil {
		c.errorf("export to a dump: %v", err)
		return
	}
	path := filepath.Join(c.folder, "out.dump")
	c.must(os.WriteFile(path, out.Bytes(), 0o600))
	var hint tables.Mapping
	for _, model := range []string{"authtoken.token", "knox.authtoken"} {
		if bytes.Contains(out.Bytes(), []byte(`"`+model+`"`)) {
			hint.TokenTables = append(hint.TokenTables, model)
		}
	}
	users, err := c.store.ExportUsers(c.ctx, 0, 100)
	c.must(err)
	if len(users) == 0 {
		return
	}
	from, err := tables.Open(c.ctx, hint, path)
	if err != nil {
		c.errorf("open what was exported to a dump: %v", err)
		return
	}
	defer from.Close()
	s := c.fresh()
	defer s.Close()
	if _, err := transfer.Import(c.ctx, from, s, c.options()); err != nil {
		c.errorf("import of what was exported to a dump: %v", err)
		return
	}
	for _, u := range users {
		there, err := s.Account(c.ctx, u.Username)
		if err != nil || there.PasswordHash != u.PasswordHash || there.Active != u.Active || there.Email != u.Email {
			c.errorf("user %d, %q, in a dump: %+v, want %+v: %v", u.ID, u.Username, there, u, err)
		}
	}
	if c.policy.TTL > 0 {
		return // an expiry extended here is computed anew
	}
	service := c.serving(s.Backend(), true)
	for _, k := range c.tickets {
		here, err := c.service.Authenticate(c.ctx, c.policy, core.Presented(k.text))
		there, failed := service.Authenticate(c.ctx, c.policy, core.Presented(k.text))
		lost := k.table.form == core.Authtoken && (c.sealer.KeyID() == "" || k.table.own || len(c.hint.TokenTables) > 1 || k.owner != nil && k.owner.issued)
		switch {
		case failed == nil && (err != nil || here.User.Username != there.User.Username):
			c.errorf("a token of %q is %q's in a dump: %v", here.User.Username, there.User.Username, err)
		case err == nil && failed != nil && !lost:
			c.errorf("a token of %q, issued %v, is lost in a dump: %v", here.User.Username, here.Token.CreatedAt, failed)
		}
	}
}
