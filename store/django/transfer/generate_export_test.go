package transfer_test

import (
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/store/django/tables"
	"github.com/authcompat/authcompat/store/django/transfer"
)

// giveBack exports to the source right after an import: nothing changes there.
func (c *genCase) giveBack() {
	target := c.copied("copy.sqlite3")
	before := c.contents(target)
	to, err := tables.OpenTarget(c.ctx, target, c.hint, time.UTC)
	if err != nil || c.users.view {
		if !c.users.view || err == nil {
			c.errorf("open to export: %v, users in a view: %t", err, c.users.view)
		}
		return
	}
	defer to.Close()
	from := c.mustOpen()
	name := from.Identity()
	c.must(from.Close())
	report, err := transfer.Export(c.ctx, c.store, to, transfer.ExportOptions{
		Realm: c.policy.Realm, Sealer: c.sealer, Clock: func() time.Time { return genNow }, Name: name,
	})
	if err != nil {
		c.errorf("export: %v", err)
		return
	}
	if diff := cmp.Diff(before, c.contents(target)); diff != "" {
		c.errorf("an export right after the import changed rows (-before +after):\n%.3000s", diff)
	}
	unsealed := 0
	for _, k := range c.tickets {
		if k.table.meant && k.table.form == core.Authtoken && !k.unfit() && !k.over(c.policy) && !k.second && c.sealer.KeyID() == "" {
			unsealed++
		}
	}
	if report.Users.Refused > 0 || report.Tokens.Refused != unsealed {
		c.errorf("export: %+v; %d tokens are not sealed", report, unsealed)
	}
}
