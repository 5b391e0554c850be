package suite

import (
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/console/page"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/console/target"
	"github.com/authcompat/authcompat/profiles"
)

// A timeLine remembers when the clock of this process's servers was moved.
type timeLine struct {
	mu     sync.Mutex
	points []point // the start, and the last moves
	ahead  time.Duration
}

// A point is the start, or a move of the clock.
type point struct {
	At time.Time     // by the clock, before it was moved
	By time.Duration // 0: the start
}

const (
	// maxPoints is how many points are remembered: the start, and the last moves.
	maxPoints = 4
	// maxAhead is how far the clock can be moved in all: times have an end.
	maxAhead = 150 * 365 * 24 * time.Hour
)

// advance moves the clock: by an hour, a day, or past the end of a token that is issued now.
func (v *View) advance(w http.ResponseWriter, r *http.Request) {
	t, ok := v.formTarget(w, r)
	if !ok {
		return
	}
	var by time.Duration
	switch r.PostForm.Get("by") {
	case "hour":
		by = time.Hour
	case "day":
		by = 24 * time.Hour
	case "end":
		if t.Profile != nil && t.Profile.Tokens.TTL > 0 {
			by = t.Profile.Tokens.TTL + time.Second
		}
	}
	if by == 0 || !t.Own {
		page.Error(w, r, http.StatusBadRequest, "The clock can’t be moved by that.")
		return
	}
	if !v.move(by) {
		page.Error(w, r, http.StatusConflict, "The clock can be moved by "+inWords(maxAhead)+" in all. Start the command again for one that shows the time.")
		return
	}
	http.Redirect(w, r, of(t)+"#time", http.StatusSeeOther)
}

// move moves the clock, unless it would be too far ahead then.
func (v *View) move(by time.Duration) bool {
	v.line.mu.Lock()
	defer v.line.mu.Unlock()
	if v.line.ahead+by > maxAhead {
		return false
	}
	v.line.ahead += by
	v.line.points = append(v.line.points, point{v.options.Clock.Now(), by})
	if over := len(v.line.points) - maxPoints; over > 0 {
		v.line.points = slices.Delete(v.line.points, 1, 1+over)
	}
	v.options.Clock.Advance(by)
	return true
}

// A lineSight is the time line as it is shown.
type lineSight struct {
	Now   time.Time
	Ahead string // how far the clock was moved; empty: it was not
	Marks []mark // in the order of time
	Ends  bool   // tokens end
	Rule  string // how, in a sentence
}

// A mark is an instant of the time line.
type mark struct {
	At    time.Time
	Text  string
	Away  string // from now: "in 1 day" or "1 day ago"
	Class string // past, now or future
}

// lineSight returns the time line, with the ends of tokens of a target's API.
func (v *View) lineSight(t target.Target) *lineSight {
	v.line.mu.Lock()
	points, ahead := slices.Clone(v.line.points), v.line.ahead
	v.line.mu.Unlock()
	line := &lineSight{Now: v.options.Clock.Now()}
	if ahead > 0 {
		line.Ahead = inWords(ahead)
	}
	var tokens profiles.Tokens
	if t.Profile != nil {
		tokens = t.Profile.Tokens
		line.Ends, line.Rule = tokens.TTL > 0, rule(tokens)
	}
	line.Marks = marks(points, line.Now, tokens)
	return line
}

// marks returns the marks of a time line, in the order of time.
func marks(points []point, now time.Time, tokens profiles.Tokens) []mark {
	var all []mark
	add := func(at time.Time, text string) {
		one := mark{At: at, Text: text, Class: "future", Away: "in " + inWords(at.Sub(now))}
		if !at.After(now) {
			one.Class, one.Away = "past", inWords(now.Sub(at))+" ago"
		}
		all = append(all, one)
	}
	ends := func(at time.Time, when string) {
		if tokens.TTL == 0 {
			return
		}
		if end := at.Add(tokens.TTL); end.After(now) {
			add(end, "A token issued "+when+" ends"+unlessUsed(tokens))
		} else {
			add(end, "A token issued "+when+" has ended"+unlessUsed(tokens))
		}
	}
	for _, p := range points {
		if p.By == 0 {
			add(p.At, "The console started")
			continue
		}
		add(p.At, "The clock was moved by "+inWords(p.By))
		ends(p.At, "just before it was moved by "+inWords(p.By))
	}
	all = append(all, mark{At: now, Text: "Now", Class: "now"})
	ends(now, "now")
	if tokens.Sliding && tokens.Max > 0 {
		add(now.Add(tokens.Max), "A token issued now ends, however often it is used")
	}
	slices.SortStableFunc(all, func(a, b mark) int { return a.At.Compare(b.At) })
	return all
}

func unlessUsed(t profiles.Tokens) string {
	if t.Sliding {
		return ", unless it was used since"
	}
	return ""
}

// rule says how tokens end.
func rule(t profiles.Tokens) string {
	switch {
	case t.TTL == 0:
		return "Tokens of this API don’t end by themselves."
	case !t.Sliding:
		return "A token of this API ends " + inWords(t.TTL) + " after its login."
	case t.Max > 0:
		return "A token of this API ends " + inWords(t.TTL) + " after its last use, and at the latest " + inWords(t.Max) + " after its login."
	}
	return "A token of this API ends " + inWords(t.TTL) + " after its last use."
}

// inWords writes a length of time to its two largest units: nobody looks for seconds in days.
func inWords(d time.Duration) string { return page.Length(d, 2) }
