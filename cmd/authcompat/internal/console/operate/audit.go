package operate

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/config/flagvalue"
	"github.com/authcompat/authcompat/core"
)

// maxSkew is how far apart the clocks of the nodes that write a record may be: ids rise in the order of writing, and an entry is
// found by its time if the others around it are at most that much off.
const maxSkew = time.Hour

// auditPage is a part of the audit record, the newest entries first.
type auditPage struct {
	Missing string
	Filter  auditFilter
	Actions []core.Action
	window[core.AuditEntry, int64]
	Next string
}

// auditFilter is which entries are asked for, as the form has it.
type auditFilter struct {
	User, Action, Since, Until string
	Failed                     bool

	since, until time.Time
	before       int64
}

// audit shows entries: ?user=NAME, ?action=, ?failed=1, ?since= and ?until= as times in UTC or ages, older than that of ?before=ID.
func (v *View) audit(ctx context.Context, r *http.Request) (view, error) {
	f, err := readAuditFilter(r.URL.Query())
	if err != nil {
		return view{}, err
	}
	p := auditPage{Filter: f, Actions: core.Actions()}
	shown := view{"audit", "Audit", "audit", &p}
	auditor := v.Engine.Backend.Auditor
	if auditor == nil {
		p.Missing = "This store keeps no audit record."
		return shown, nil
	}
	if f.User != "" && !core.Storable(f.User) {
		return shown, nil
	}
	before := f.before
	if before == 0 && !f.until.IsZero() {
		if before, err = seek(ctx, auditor, f.until.Add(maxSkew)); err != nil {
			return view{}, err
		}
	}
	var match, end func(core.AuditEntry) bool
	if f.Action != "" || f.Failed || !f.since.IsZero() || !f.until.IsZero() {
		match = f.matches
	}
	if !f.since.IsZero() {
		end = func(e core.AuditEntry) bool { return e.At.Before(f.since.Add(-maxSkew)) }
	}
	// The store finds the name by an index. It would read the whole record for an action that is in none of its entries.
	p.window, err = scan(before, func(before int64, limit int) ([]core.AuditEntry, error) {
		return auditor.AuditEntries(ctx, core.AuditFilter{Username: f.User, Before: before}, limit)
	}, func(e core.AuditEntry) int64 { return e.ID }, match, end)
	if p.More {
		p.Next = "?" + f.values(p.Last).Encode()
	}
	return shown, err
}

// readAuditFilter reads the form.
func readAuditFilter(query url.Values) (f auditFilter, err error) {
	f = auditFilter{
		User: query.Get("user"), Action: query.Get("action"), Failed: query.Get("failed") != "",
		Since: strings.TrimSpace(query.Get("since")), Until: strings.TrimSpace(query.Get("until")),
	}
	if f.Action != "" && !slices.Contains(core.Actions(), core.Action(f.Action)) {
		return f, badRequest("There is no such action.")
	}
	if f.since, err = readTime(f.Since, time.Now()); err != nil {
		return f, err
	}
	if f.until, err = readTime(f.Until, time.Now()); err != nil {
		return f, err
	}
	f.before, err = number(query.Get("before"))
	return f, err
}

// readTime reads a time in UTC as the page shows times, or a time or an age as the commands take them; empty: the zero time.
func readTime(text string, now time.Time) (time.Time, error) {
	for _, layout := range []string{"2006-01-02 15:04", time.DateTime} {
		if t, err := time.Parse(layout, text); err == nil {
			return t, nil
		}
	}
	var since flagvalue.Since
	if err := since.Set(text); err != nil {
		return time.Time{}, badRequest("This is no time: " + err.Error() + ".")
	}
	return since.Time(now), nil
}

// values returns the query of the part before an entry.
func (f auditFilter) values(before int64) url.Values {
	query := url.Values{"before": {strconv.FormatInt(before, 10)}}
	for name, value := range map[string]string{"user": f.User, "action": f.Action, "since": f.Since, "until": f.Until} {
		if value != "" {
			query.Set(name, value)
		}
	}
	if f.Failed {
		query.Set("failed", "1")
	}
	return query
}

func (f auditFilter) matches(e core.AuditEntry) bool {
	return (f.Action == "" || e.Action == core.Action(f.Action)) && (!f.Failed || e.Outcome != core.OK) &&
		!e.At.Before(f.since) && (f.until.IsZero() || e.At.Before(f.until))
}

// seek returns an id that is above those of all entries from before a time; 0: there are no others. It reads one entry for
// each bit of the newest id, however many there are.
func seek(ctx context.Context, auditor core.Auditor, until time.Time) (before int64, err error) {
	newest := func(before int64) (core.AuditEntry, bool, error) {
		entries, err := auditor.AuditEntries(ctx, core.AuditFilter{Before: before}, 1)
		if err != nil || len(entries) == 0 {
			return core.AuditEntry{}, false, err
		}
		return entries[0], true, nil
	}
	last, ok, err := newest(0)
	if err != nil || !ok || last.At.Before(until) {
		return 0, err
	}
	low, high := int64(1), last.ID+1 // the newest entry below high is too late, that below low is not, or is none
	for high-low > 1 {
		middle := low + (high-low)/2
		e, ok, err := newest(middle)
		switch {
		case err != nil:
			return 0, err
		case ok && !e.At.Before(until):
			high = min(middle, e.ID+1)
		default:
			low = middle
		}
	}
	return high, nil
}
