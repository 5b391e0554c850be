package suite

import (
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/console/page"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/console/target"
)

// heartbeat is how often something is sent to those who watch when nothing happens, so that who is gone is noticed.
const heartbeat = 15 * time.Second

// changes are those of all runs. Who watches asks for the next one, reads what there is, and waits: so that nobody who is slow
// or gone holds up a run.
type changes struct {
	mu   sync.Mutex
	next chan struct{} // nil: nobody waits
}

// wait returns what is closed at the next change.
func (c *changes) wait() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.next == nil {
		c.next = make(chan struct{})
	}
	return c.next
}

// tell says that there is a change.
func (c *changes) tell() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.next != nil {
		close(c.next)
		c.next = nil
	}
}

// A rowEvent is an exchange that has ended.
type rowEvent struct {
	Number  int     `json:"number"` // of the row, from 1
	Name    string  `json:"name"`
	Verdict verdict `json:"verdict"`
	Why     string  `json:"why"`
	Took    string  `json:"took"`
}

// A cardEvent is a run that has come further.
type cardEvent struct {
	Target string `json:"target"`
	progress
}

// events streams the run of a target, or how far all runs are.
func (v *View) events(w http.ResponseWriter, r *http.Request) {
	if !r.URL.Query().Has("target") {
		v.stream(w, r, v.cards())
		return
	}
	t, ok := v.target(w, r, r.URL.Query().Get("target"))
	if !ok {
		return
	}
	last := v.lastRun(t.Name)
	if last == nil || strconv.Itoa(last.number) != r.URL.Query().Get("run") {
		page.Error(w, r, http.StatusNotFound, "This run is not known any more.")
		return
	}
	v.stream(w, r, rows(t, last))
}

// stream sends what send has to send, now and after each change, until it says that there is nothing to come.
func (v *View) stream(w http.ResponseWriter, r *http.Request, send func(*page.Stream) (more bool, err error)) {
	if r.Method == http.MethodHead {
		w.Header().Set("Content-Type", page.StreamType)
		return
	}
	stream, err := page.NewStream(w)
	if err != nil {
		return // the client is gone
	}
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	for {
		changed := v.changes.wait()
		if more, err := send(stream); !more || err != nil {
			return
		}
		select {
		case <-changed:
		case <-r.Context().Done():
			return
		case <-beat.C:
			if stream.Comment() != nil {
				return
			}
		}
	}
}

// rows sends each exchange of a run as it ends, how far it is, and its end. Who comes late, or again, gets all of it.
func rows(t target.Target, last *run) func(*page.Stream) (bool, error) {
	sent, told := 0, progress{}
	return func(stream *page.Stream) (bool, error) {
		s := last.state()
		for ; sent < len(s.Results); sent++ {
			one := rowOf(t, s, sent)
			if err := stream.Send("exchange", rowEvent{one.Number, one.Name.Text, one.Verdict, one.Why.Text, one.Took}); err != nil {
				return false, err
			}
		}
		now := progressOf(s)
		if now == told {
			return true, nil
		}
		told = now
		if !now.Running {
			return false, stream.Send("end", now)
		}
		return true, stream.Send("progress", now)
	}
}

// cards sends how far the runs are, and that all of them have ended.
func (v *View) cards() func(*page.Stream) (bool, error) {
	told := map[string]progress{}
	return func(stream *page.Stream) (bool, error) {
		running := false
		for _, t := range v.options.Targets {
			last := v.lastRun(t.Name)
			if last == nil {
				continue
			}
			now := progressOf(last.state())
			running = running || now.Running
			if now == told[t.Name] {
				continue
			}
			told[t.Name] = now
			if err := stream.Send("target", cardEvent{t.Name, now}); err != nil {
				return false, err
			}
		}
		if !running {
			return false, stream.Send("end", nil)
		}
		return true, nil
	}
}
