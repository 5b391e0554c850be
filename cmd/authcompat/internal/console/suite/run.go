package suite

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/console/target"
	"github.com/authcompat/authcompat/conformance"
)

// A run is one run of the suite at a target: under way or ended. Whoever watches it reads what there is and waits for the
// next change, so that nobody who is slow or gone holds it up.
type run struct {
	number  int // at the target, from 1
	target  target.Target
	file    *conformance.File // the exchanges that are replayed
	only    string            // the pattern of their names; empty: all of them
	again   bool              // they are those that failed before
	options conformance.Options
	cancel  context.CancelFunc
	changes *changes

	mu        sync.Mutex
	results   []conformance.Result // of the first exchanges of the file
	began     time.Time            // zero: another run is waited for
	ended     time.Time            // zero: it is under way
	cancelled bool
	unfit     *conformance.Unfit // why nothing was replayed; nil: something was
}

// A state is what there is of a run at an instant.
type state struct {
	Number    int
	Results   []conformance.Result // of the first exchanges of the file
	Exchanges []conformance.Exchange
	Only      string
	Again     bool
	Began     time.Time // zero: another run is waited for
	Ended     time.Time // zero: it is under way
	Cancelled bool
	Unfit     *conformance.Unfit // why nothing was replayed; nil: something was
}

// state returns what there is.
func (r *run) state() state {
	r.mu.Lock()
	defer r.mu.Unlock()
	return state{
		Number: r.number, Results: slices.Clone(r.results), Exchanges: r.file.Exchanges, Only: r.only, Again: r.again,
		Began: r.began, Ended: r.ended, Cancelled: r.cancelled, Unfit: r.unfit,
	}
}

// change makes a change, and tells those who watch.
func (r *run) change(f func()) {
	r.mu.Lock()
	f()
	r.mu.Unlock()
	r.changes.tell()
}

// end has a run end soon: the exchange that is being replayed is given up.
func (r *run) end() {
	r.change(func() { r.cancelled = r.cancelled || r.ended.IsZero() })
	r.cancel()
}

// replay replays the exchanges until all are or ctx ends. It takes one of the places before.
func (r *run) replay(ctx context.Context, places chan struct{}, connect func(url string) (conformance.Client, error)) {
	defer r.change(func() { r.ended = time.Now() })
	select {
	case places <- struct{}{}:
		defer func() { <-places }()
	case <-ctx.Done():
		return
	}
	r.change(func() { r.began = time.Now() })
	options, launcher := r.options, r.target.Launcher
	options.Transcripts = true
	options.Each = func(_ string, result conformance.Result) { r.add(ctx, result) }
	if launcher == nil {
		options.Connect = connect
		launcher = conformance.Target{r.file.Profile: r.target.URL}
		if !r.look(ctx, options) {
			return
		}
	}
	conformance.Run(ctx, []*conformance.File{r.file}, launcher, options)
}

// look reports whether exchanges can be replayed at a server that is running.
func (r *run) look(ctx context.Context, options conformance.Options) bool {
	err := conformance.Look(ctx, r.target.Exchanges, r.target.URL, options)
	var why *conformance.Unfit
	if errors.As(err, &why) {
		r.change(func() { r.unfit = why })
	}
	return err == nil
}

// add adds a result. When the run is ended, what could not be replayed for that is no result.
func (r *run) add(ctx context.Context, result conformance.Result) {
	notDone := result.Outcome == conformance.CouldNotRun || result.Outcome == conformance.NotTried
	if ctx.Err() != nil && notDone {
		return
	}
	if result.Outcome == conformance.Passed {
		result.Transcript = nil // nobody looks at it
	}
	shorten(&result)
	r.change(func() { r.results = append(r.results, result) })
}

// kept is how many bytes of a text are kept.
const kept = 16 << 10

// shorten leaves out what a page has no room for, so that not all of what a server sends is kept.
func shorten(r *conformance.Result) {
	for i := range r.Transcript {
		c := &r.Transcript[i]
		c.Request.Body = conformance.Content(begin(string(c.Request.Body)))
		if c.Response != nil {
			c.Response.Body = conformance.Content(begin(string(c.Response.Body)))
		}
	}
	for i := range r.Differences {
		d := &r.Differences[i]
		d.Want, d.Got = begin(d.Want), begin(d.Got)
	}
}

// begin returns the beginning of a text, as a copy: the rest is let go.
func begin(text string) string {
	if len(text) <= kept {
		return text
	}
	return strings.Clone(text[:kept]) + "…"
}

// passed reports whether an exchange need not be replayed again.
func passed(o conformance.Outcome) bool {
	return o == conformance.Passed || o == conformance.NotReplayable
}

// left returns the names of the exchanges that failed or, after a run that ended early, were not tried.
func (s state) left() []string {
	var names []string
	for i, e := range s.Exchanges {
		if i >= len(s.Results) || !passed(s.Results[i].Outcome) {
			names = append(names, e.Name)
		}
	}
	return names
}

// totals counts the results; those that are missing at the end were not tried.
func (s state) totals() conformance.Totals {
	t := (&conformance.ProfileReport{Results: s.Results}).Totals()
	if !s.Ended.IsZero() {
		t.NotTried += len(s.Exchanges) - len(s.Results)
	}
	return t
}
