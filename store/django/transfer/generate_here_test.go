package transfer_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/password"
	"github.com/authcompat/authcompat/store/django/tables"
	"github.com/authcompat/authcompat/store/django/transfer"
)

// here lets users log out, change their passwords, and be deleted here. A later import
// keeps that, and an export writes logouts and passwords to the source.
func (c *genCase) here() {
	deleted, ended := c.deleteHere()
	out, changed := c.logOutHere(deleted), c.changeHere(deleted)
	from := c.mustOpen()
	name := from.Identity()
	scratch := c.fresh()
	o := c.options()
	o.Rehearsal = scratch
	rehearsed, rehearsing := transfer.Import(c.ctx, from, c.store, o)
	c.must(scratch.Close())
	report, err := transfer.Import(c.ctx, from, c.store, c.options())
	c.must(from.Close())
	if diff := cmp.Diff(plain(rehearsed), plain(report)); diff != "" || fmt.Sprint(rehearsing) != fmt.Sprint(err) {
		c.errorf("after a life here the rehearsal was another (-rehearsal +import): %v, %v\n%s", rehearsing, err, diff)
	}
	if err != nil {
		c.errorf("import after a life here: %v", err)
		return
	}
	kept := 0
	for _, n := range report.Tokens {
		kept += n.Kept
		if n.Added > 0 {
			c.errorf("an import brought tokens back that were ended here: %+v", report)
		}
	}
	if kept != len(out) || report.Users.Kept != len(changed)+len(deleted) || report.Users.Updated > 0 || report.Ended > 0 {
		c.errorf("import after %d logouts, %d new passwords and %d users deleted here: %+v", len(out), len(changed), len(deleted), report)
	}
	c.newcomersStay()
	c.handOver(name, append(out, ended...), changed)
	c.newcomersStay()
}

// logOutHere logs some tokens out here.
func (c *genCase) logOutHere(deleted []*person) (gone []*ticket) {
	for _, k := range c.tickets {
		if len(gone) == 3 || k.twin != nil || k.unfit() || !k.table.meant || len(k.table.rows) < 5 || slices.Contains(deleted, k.owner) || c.chance(60) {
			continue
		}
		session, err := c.service.Authenticate(c.ctx, c.policy, core.Presented(k.text))
		if err != nil {
			continue
		}
		c.must(c.service.Logout(c.ctx, session))
		gone = append(gone, k)
	}
	return gone
}

// changeHere changes the passwords of some users here.
func (c *genCase) changeHere(deleted []*person) map[*person]string {
	changed := map[*person]string{}
	for _, p := range c.people {
		if p.lost || len(changed) == 2 || slices.Contains(deleted, p) || c.chance(60) {
			continue
		}
		account, err := c.store.Account(c.ctx, p.name)
		if err != nil {
			c.errorf("%q is not here: %v", p.name, err)
			continue
		}
		plain := fmt.Sprint("set anew here ", len(changed))
		c.must(c.store.UpdatePassword(c.ctx, account.ID, account.PasswordHash, encoded(9, plain, "here", c.world), false, nil))
		changed[p] = plain
	}
	return changed
}

// handOver exports what happened here to the source, and checks the result there.
func (c *genCase) handOver(name string, out []*ticket, changed map[*person]string) {
	target := c.copied("handed.sqlite3")
	before, orphans := c.contents(target), c.orphans(target)
	to, err := tables.OpenTarget(c.ctx, target, c.hint, time.UTC)
	c.must(err)
	defer to.Close()
	report, err := transfer.Export(c.ctx, c.store, to, transfer.ExportOptions{
		Realm: c.policy.Realm, Sealer: c.sealer, Clock: func() time.Time { return genNow }, Name: name,
	})
	if err != nil {
		c.errorf("export after a life here: %v", err)
		return
	}
	if report.Dropped != len(out) || report.Users.Refused+report.Users.Added > len(c.newcomers) {
		c.errorf("export after %d logouts and %d new passwords here: %+v", len(out), len(changed), report)
	}
	c.compareRows(before, c.contents(target), out)
	if n := c.orphans(target); n > orphans {
		c.errorf("an export added %d tokens of nobody", n-orphans)
	}
	for p, plain := range changed {
		p.password, p.weak = plain, false
	}
	for _, k := range out {
		c.remove(k)
	}
	if c.kind == inSQLite {
		c.sources = []string{target}
	}
	c.overAgain(out)
	// The source continues in its exported state.
	for p, plain := range changed {
		p.row["password"] = encoded(9, plain, "here", c.world)
	}
	c.write()
}

// orphans counts the tokens in a source whose users do not exist.
func (c *genCase) orphans(source string) (all int) {
	db := c.reader(source)
	defer db.Close()
	for _, t := range c.tokens {
		key := c.idColumn()
		if c.child != nil {
			key = c.child.key
		}
		var n int
		c.must(db.QueryRowContext(c.ctx, fmt.Sprintf(`SELECT count(*) FROM %s k WHERE NOT EXISTS (SELECT 1 FROM %s u WHERE CAST(u.%s AS text) = CAST(k.user_id AS text))`,
			t.kept(), c.named().kept(), ident(key))).Scan(&n))
		all += n
	}
	return all
}

// compareRows checks what an export changed: tokens revoked here are deleted, others
// may be new, and of users only the password differs.
func (c *genCase) compareRows(before, after []string, out []*ticket) {
	count := map[string]int{}
	for _, row := range after {
		count[row]++
	}
	fresh := maps.Clone(count)
	var lost []string
	for _, row := range before {
		if count[row]--; count[row] < 0 {
			lost = append(lost, row)
		}
		fresh[row]--
	}
	ended := 0
	for _, row := range lost {
		switch {
		case slices.ContainsFunc(out, func(k *ticket) bool { return k.appears(row) }):
			ended++
		case !slices.ContainsFunc(after, func(o string) bool { return fresh[o] > 0 && c.mayBecome(row, o) }):
			c.errorf("an export changed or removed a row: %.400s", row)
		}
	}
	if ended != len(out) {
		c.errorf("of %d tokens that were ended here %d are gone there", len(out), ended)
	}
	for row, n := range fresh {
		token := slices.ContainsFunc(c.tokens, func(t *tokenTable) bool { return t.meant && strings.HasPrefix(row, t.name+" ") })
		user := strings.HasPrefix(row, c.users.name+" ") || c.child != nil && strings.HasPrefix(row, c.child.name+" ")
		if n > 0 && !token && !user {
			c.errorf("an export added a row: %.400s", row)
		}
	}
}

// mayBecome reports whether an export may change a row into the other one: a user's new
// password, or a token's later expiry.
func (c *genCase) mayBecome(row, other string) bool {
	for _, t := range c.tokens {
		if c.policy.Sliding && t.ends != "" && strings.HasPrefix(row, t.name+" ") {
			return same(t.genTable, row, other, t.ends)
		}
	}
	return strings.HasPrefix(row, c.users.name+" ") && same(c.users, row, other, "password")
}

// same reports whether two rows of a table, as text, differ only in one column.
func same(t *genTable, a, b, column string) bool {
	cut := func(row string) string {
		before, rest, _ := strings.Cut(row, " "+column+"=")
		place := slices.IndexFunc(t.columns, func(c genColumn) bool { return c.name == column })
		if place+1 == len(t.columns) {
			return before
		}
		_, rest, _ = strings.Cut(rest, " "+t.columns[place+1].name+"=")
		return before + rest
	}
	return cut(a) == cut(b)
}

// overAgain imports the exported state into an empty store, and checks that it is the
// same there as here.
func (c *genCase) overAgain(out []*ticket) {
	s := c.fresh()
	defer s.Close()
	left := c.left // whose names are free there
	c.left = nil
	c.judgeNames()
	defer func() { c.left = left; c.judgeNames() }()
	from := c.mustOpen()
	defer from.Close()
	if _, err := transfer.Import(c.ctx, from, s, c.options()); err != nil {
		c.errorf("import of what was handed over: %v", err)
		return
	}
	service := c.serving(s.Backend(), true)
	for _, k := range out {
		if _, err := service.Authenticate(c.ctx, c.policy, core.Presented(k.text)); core.KindOf(err) != core.KindTokenUnknown || err == nil {
			c.errorf("a token that was ended here works there: %v", err)
		}
	}
	c.authenticate(service, false)
	for _, p := range c.people {
		if p.lost || p.password == "" {
			continue
		}
		account, err := s.Account(c.ctx, p.name)
		if err != nil {
			c.errorf("%q was not handed over: %v", p.name, err)
			continue
		}
		if ok, err := password.Verify(account.PasswordHash, p.password); !ok || err != nil {
			c.errorf("the password of %q is not what it is here: %v", p.name, err)
		}
	}
}

// residents registers users here before the first import. Some have the name of a user
// of the source, which is refused then; and a user of the source with the same ID gets
// another one.
func (c *genCase) residents() {
	c.taken = map[string]bool{}
	for n := range 1 + c.IntN(3) {
		name := fmt.Sprint("resident ", n)
		if p := c.people; len(p) > 0 && c.chance(30) && !c.naturalForeign {
			if p := p[c.IntN(len(p))]; !p.bad && c.unique {
				name = p.name
			}
		}
		if c.taken[name] {
			continue
		}
		if _, err := c.service.CreateUser(c.ctx, c.policy, core.Registration{Username: name, Password: "a resident's"}); err != nil {
			continue // a name that can't be registered here
		}
		c.taken[name] = true
	}
	c.judgeNames()
}
