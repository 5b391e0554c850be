package transfer_test

import (
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/store/django/live"
	"github.com/authcompat/authcompat/store/django/tables"
	"github.com/authcompat/authcompat/store/django/transfer"
)

// check runs all checks on the source.
func (c *genCase) check() {
	c.store = c.target()
	defer func() { c.must(c.store.Close()) }()
	c.service = c.serving(core.Backend{Store: c.store}, false)
	if c.unique && c.chance(15) { // otherwise it is open which of two namesakes is imported
		c.residents()
	}
	before := c.untouched()
	if c.refused {
		c.wantRefusal()
	}
	c.inspect()
	first := c.take(c.expected(), false)
	c.wantNote(first.Notes)
	if c.taken == nil && !c.naturalPrimary {
		c.keptIDs()
	}
	again := c.take(c.unchanged(first), false)
	if diff := cmp.Diff(refusals(first), refusals(again)); diff != "" {
		c.errorf("other rows are refused the second time (-first +second):\n%s", diff)
	}
	if after := c.untouched(); before != after {
		c.errorf("the source is not what it was:\n%s", cmp.Diff(before, after))
	}
	if c.kind != inDump && c.taken == nil {
		c.giveBack()
	}
	c.serve(c.service, false)
	if c.chance(60) && len(c.people) > 0 {
		c.change()
	}
	if c.kind != inDump && !c.users.view && c.taken == nil && c.chance(40) {
		c.here()
	}
	if c.chance(25) {
		c.dumpOut()
	}
	if c.chance(25) {
		c.swap()
	}
	switch {
	case c.attachable && c.kind != inDump:
		c.attach()
	case (c.keys != "serial" || c.toField != "") && c.kind != inDump:
		if s, err := live.Open(c.ctx, c.copied("refused.sqlite3"), c.hint); err == nil {
			c.errorf("users with keys of kind %s can be worked on", c.keys)
			c.must(s.Close())
		}
	}
}

// wantRefusal imports without the required options.
func (c *genCase) wantRefusal() {
	from, err := c.open(tables.Mapping{})
	if err != nil {
		return
	}
	defer from.Close()
	_, err = transfer.Import(c.ctx, from, c.store, c.options())
	users, failed := c.store.ExportUsers(c.ctx, 0, 10)
	c.must(failed)
	if err == nil || len(users) != len(c.taken) {
		c.errorf("import without a hint (%+v): error %v, %d users, of %s with tokens of %v", c.hint, err, len(users), from.Shape().Users, from.Shape().Tokens)
	}
}

func (c *genCase) options() transfer.Options {
	return transfer.Options{Policy: c.policy, Sealer: c.sealer, Random: rand.Reader, Zone: time.UTC, EndTokens: c.endTokens, Clock: func() time.Time { return genNow }}
}

// mustOpen opens the source with the hint.
func (c *genCase) mustOpen() tables.Source {
	from, err := c.open(c.hint)
	if err != nil && c.unclear && c.hint.UserTable == "" {
		c.hint.UserTable = c.named().name
		if c.kind == inDump {
			c.hint.UserTable = c.named().model
		}
		from, err = c.open(c.hint)
	}
	if err != nil {
		c.fatalf("open with %+v: %v", c.hint, err)
	}
	if got := from.Shape().Users.Name; got != c.named().name && got != c.named().model {
		c.fatalf("users are taken to be in %s, and are in %s", got, c.named().name)
	}
	return from
}

// inspect inspects the source.
func (c *genCase) inspect() {
	from := c.mustOpen()
	defer from.Close()
	found, err := transfer.Inspect(c.ctx, from, time.UTC, genNow)
	if err != nil {
		c.fatalf("inspect: %v", err)
	}
	if found.Users.Number != len(c.people) || found.Undecided != "" {
		c.errorf("inspect found %d users, undecided %q; there are %d", found.Users.Number, found.Undecided, len(c.people))
	}
	for _, t := range c.tokens {
		want, seen := len(t.rows), false
		for _, i := range found.Tokens {
			if name := i.Table[strings.LastIndex(i.Table, ".")+1:]; name == t.name || i.Table == t.model {
				seen = true
				// A dump tells knox 4.2 from 5 by the lengths of token_key, if there
				// are any.
				unsure := c.kind == inDump && len(t.rows) > 0 && !slices.ContainsFunc(t.rows, func(r genRow) bool { return r["token_key"] != nil })
				if i.Number != want || i.Chosen != t.meant || i.Format != t.form && !(unsure && t.form == core.Knox42) {
					c.errorf("inspect: %+v; there are %d tokens of %s, meant %t", i, want, t.form, t.meant)
				}
			}
		}
		if !seen && (want > 0 || c.kind != inDump) {
			c.errorf("inspect does not show %s", t.name)
		}
	}
}

// take rehearses an import, imports, and compares the reports with want.
func (c *genCase) take(want *transfer.Report, ending bool) *transfer.Report {
	from := c.mustOpen()
	defer from.Close()
	scratch := c.fresh()
	defer scratch.Close()
	o := c.options()
	o.Rehearsal = scratch
	rehearsed, rehearsing := transfer.Import(c.ctx, from, c.store, o)
	var many *transfer.EndingError
	if (rehearsing != nil) != ending || ending && !errors.As(rehearsing, &many) {
		c.fatalf("rehearsal: %v", rehearsing)
	}
	report, err := transfer.Import(c.ctx, from, c.store, c.options())
	if fmt.Sprint(err) != fmt.Sprint(rehearsing) {
		c.errorf("the rehearsal ended with %v, and the import with %v", rehearsing, err)
	}
	if diff := cmp.Diff(plain(rehearsed), plain(report)); diff != "" {
		c.errorf("the rehearsal was another (-rehearsal +import):\n%s", diff)
	}
	if diff := cmp.Diff(counts(want), counts(report)); diff != "" {
		c.errorf("counts (-want +got):\n%s\n%v", diff, lines(report)[:min(20, len(report.Problems))])
	}
	return report
}

// plain returns a report without what may differ between two runs.
func plain(r *transfer.Report) transfer.Report {
	p := *r
	p.DryRun, p.Started, p.Finished, p.Resumed = false, time.Time{}, time.Time{}, false
	p.Problems = nil
	for n, text := range unnumbered(lines(r)) {
		p.Problems = append(p.Problems, transfer.Problem{Row: r.Problems[n].Row, Reason: text})
	}
	return p
}

// lines returns the problems of a report.
func lines(r *transfer.Report) []string {
	var all []string
	for _, p := range r.Problems {
		all = append(all, p.Row+": "+p.Reason)
	}
	return all
}

// refusals returns the rows that a report names, sorted: users whose ID is taken come
// last in the first run.
func refusals(r *transfer.Report) []string { return slices.Sorted(slices.Values(unnumbered(lines(r)))) }

// counted has the numbers of a report.
type counted struct {
	Users  transfer.Counts
	Tokens map[string]transfer.Counts
	Ended  int
}

func counts(r *transfer.Report) counted {
	return counted{r.Users, r.Tokens, r.Ended}
}

// expected returns the report of the next import.
func (c *genCase) expected() *transfer.Report {
	r := &transfer.Report{Tokens: map[string]transfer.Counts{}}
	r.Users.Read = len(c.people)
	for _, p := range c.people {
		switch {
		case p.lost:
			r.Users.Refused++
		case p.came && p.changed:
			r.Users.Updated++
		case p.came:
			r.Users.Unchanged++
		default:
			r.Users.Added++
		}
	}
	for _, t := range c.tokens {
		if t.meant {
			r.Tokens[c.reported(t)] = transfer.Counts{Read: len(t.rows)}
		}
	}
	for _, k := range c.tickets {
		if !k.table.meant {
			continue
		}
		n := r.Tokens[c.reported(k.table)]
		switch {
		case k.unfit():
			n.Refused++
		case k.second && !k.twin.bad && k.twin.unfit(): // a text that is stored already is not looked at again
			n.Refused++
		case k.over(c.policy):
			n.Expired++
		case k.second && k.owner != k.twin.owner:
			n.Refused++
		case k.second || k.came:
			n.Unchanged++
		default:
			n.Added++
		}
		r.Tokens[c.reported(k.table)] = n
	}
	return r
}

// reported returns the name of a table in reports.
func (c *genCase) reported(t *tokenTable) string {
	if c.kind == inDump && t.name != "authtoken_token" {
		return t.model
	}
	return t.name
}

// unfit reports whether a token can't be imported.
func (k *ticket) unfit() bool { return k.bad || k.respelled || k.owner == nil || k.owner.lost }

// unchanged returns the report of an import right after the one reported by before.
func (c *genCase) unchanged(before *transfer.Report) *transfer.Report {
	again := func(n transfer.Counts) transfer.Counts {
		return transfer.Counts{Read: n.Read, Unchanged: n.Added + n.Updated + n.Unchanged + n.Kept, Refused: n.Refused, Expired: n.Expired}
	}
	r := &transfer.Report{Users: again(before.Users), Tokens: map[string]transfer.Counts{}}
	for name, n := range before.Tokens {
		r.Tokens[name] = again(n)
	}
	return r
}

// serve authenticates every token, and logs some users in. With beside the store is the
// source itself, where rows that can't be imported are valid.
func (c *genCase) serve(s *core.Service, beside bool) {
	c.authenticate(s, beside)
	c.logins(s, beside)
	c.capitalNames(s, beside)
}

// authenticate authenticates with every token.
func (c *genCase) authenticate(s *core.Service, beside bool) {
	for _, k := range c.tickets {
		session, err := s.Authenticate(c.ctx, c.policy, core.Presented(k.text))
		got := core.KindOf(err).String()
		if err == nil {
			got = "user " + session.User.Username
		}
		if want := c.answer(k, beside); !strings.Contains(want+"|", got+"|") {
			c.errorf("a token of %s (row %v): %s, %v; want %s", k.table.name, shown(k.row), got, err, want)
		}
		for _, secret := range []string{"api_key", "otp_secret", "password"} {
			if session.User.Attributes[secret] != "" {
				c.errorf("the column %s is an attribute", secret)
			}
		}
	}
}

// shown returns a row without long texts.
func shown(row genRow) string { return fmt.Sprintf("%.300s", fmt.Sprint(row)) }

// answer returns the expected result of authenticating with a token; several if each is
// right.
func (c *genCase) answer(k *ticket, beside bool) string {
	unfit := k.unfit()
	if beside {
		unfit = k.dead || k.owner == nil
	}
	owner := k.owner
	switch {
	case k.twin != nil && beside:
		return c.answerOf(k.owner) + "|" + c.answerOf(k.twin.owner) + "|token_unknown|token_expired"
	case k.twin != nil && k.second && k.twin.owner != nil && k.twin.owner.lost:
		return "token_unknown" // the first twin's user was refused, and no other user gets the token
	case k.twin != nil && k.second: // whichever row it is, the text is the first twin's
		owner, unfit = k.twin.owner, k.twin.unfit()
	}
	over := k.over(c.policy)
	if beside {
		over = k.over(core.Policy{})
	}
	switch {
	case !k.table.meant || unfit:
		return "token_unknown"
	case over:
		return "token_unknown|token_expired"
	}
	return c.answerOf(owner)
}

func (c *genCase) answerOf(p *person) string {
	if !p.active {
		return "user_inactive"
	}
	return "user " + p.name
}
