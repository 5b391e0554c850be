// Package suite is the view Suite of the console: the documented exchanges of an API are replayed, and watched.
//
// A run is the view's and not a page's: it goes on while nobody looks, its result is there until the next run at the same
// target, and it ends with the process. There is one at a time at a target.
package suite

import (
	"context"
	"embed"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"sync"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/console/page"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/console/relay"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/console/target"
	"github.com/authcompat/authcompat/conformance"
)

//go:embed templates/*.html
var files embed.FS

// path is where the view is.
const path = page.Root + "suite/"

// maxRuns is how many runs replay exchanges at once; others wait.
const maxRuns = 2

// Options are what the view works on.
type Options struct {
	Targets []target.Target
	// Clock is that of the targets that are this process's own; nil: there are none whose clock
	// can be moved.
	Clock target.Clock
}

// A View is the view of a console.
type View struct {
	options Options
	ctx     context.Context // that runs end with
	relay   *relay.Relay
	page    *template.Template
	places  chan struct{} // for runs that replay exchanges
	changes changes       // of runs
	line    timeLine

	mu   sync.Mutex
	runs map[string]*run // the last one of each target
}

// Link returns what leads to the view.
func Link() page.Link { return page.Link{Key: "suite", Path: path, Label: "Suite"} }

// New returns the view. Its runs end with ctx. It looks up the addresses of all targets, and fails if one is not known.
func New(ctx context.Context, o Options) (*View, error) {
	v := &View{options: o, ctx: ctx, places: make(chan struct{}, maxRuns), runs: map[string]*run{}}
	v.page = page.Parse(files, template.FuncMap{"query": url.QueryEscape})
	if o.Clock != nil {
		v.line.points = []point{{At: o.Clock.Now()}}
	}
	var err error
	v.relay, err = relay.New(ctx, o.Targets, relay.Options{Timeout: conformance.DefaultTimeout})
	return v, err
}

// Register adds the view's paths.
func (v *View) Register(mux *http.ServeMux) {
	mux.HandleFunc("GET "+path+"{$}", v.open)
	mux.HandleFunc("GET "+path+"exchange", v.exchange)
	mux.HandleFunc("GET "+path+"events", v.events)
	mux.HandleFunc("POST "+path+"run", v.run)
	mux.HandleFunc("POST "+path+"all", v.runAll)
	mux.HandleFunc("POST "+path+"cancel", v.cancel)
	if v.options.Clock != nil {
		mux.HandleFunc("POST "+path+"clock", v.advance)
	}
}

// target returns the target that a request names. If there is none, it answers.
func (v *View) target(w http.ResponseWriter, r *http.Request, name string) (target.Target, bool) {
	t, ok := target.Find(v.options.Targets, name)
	if !ok {
		page.Error(w, r, http.StatusForbidden, "There is no target of this name: only the servers that were named at the start can be reached.")
	}
	return t, ok
}

// lastRun returns the last run at a target; nil: there was none.
func (v *View) lastRun(name string) *run {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.runs[name]
}

// start starts a run, unless one is under way at the target.
func (v *View) start(r *run) (started bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	r.number, r.changes = 1, &v.changes
	if before := v.runs[r.target.Name]; before != nil {
		if before.state().Ended.IsZero() {
			return false
		}
		r.number = before.number + 1
	}
	ctx, cancel := context.WithCancel(v.ctx)
	r.cancel = cancel
	v.runs[r.target.Name] = r
	go func() {
		defer cancel()
		r.replay(ctx, v.places, func(string) (conformance.Client, error) {
			client, err := v.relay.Client(r.target.Name)
			return client.Client, err // exchanges send what they document, also what people may not
		})
	}()
	return true
}

// run starts a run, and leads to where it is watched.
func (v *View) run(w http.ResponseWriter, r *http.Request) {
	t, ok := v.formTarget(w, r)
	if !ok {
		return
	}
	f := form{Only: r.PostForm.Get("only"), User: r.PostForm.Get("user"), Sure: r.PostForm.Has("sure")}
	made, refused := v.prepare(t, f, r.PostForm.Get("password"), r.PostForm.Get("do") == "again")
	if refused != "" {
		v.show(w, r, http.StatusBadRequest, t, f, refused)
		return
	}
	leadsTo := of(t)
	if !v.start(made) {
		leadsTo += "&under-way=yes"
	}
	http.Redirect(w, r, leadsTo, http.StatusSeeOther)
}

// formTarget reads a form, and returns the target that it names. If it can't be read, or there is none, it answers.
func (v *View) formTarget(w http.ResponseWriter, r *http.Request) (target.Target, bool) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		page.Error(w, r, page.FormStatus(err), "This is no form of the console.")
		return target.Target{}, false
	}
	return v.target(w, r, r.PostForm.Get("target"))
}

// maxForm is how many bytes a form has at most.
const maxForm = 16 << 10

// maxPattern is how many bytes a pattern of names has at most.
const maxPattern = 200

// of returns the address of the page of a target.
func of(t target.Target) string { return path + "?target=" + url.QueryEscape(t.Name) }

// A form is what somebody has asked a run for.
type form struct {
	Only string
	User string
	Sure bool
}

// prepare returns the run that a form asks for. refused says in a sentence why there is none.
func (v *View) prepare(t target.Target, f form, password string, again bool) (made *run, refused string) {
	made = &run{target: t, only: f.Only, again: again}
	switch {
	case t.Exchanges == nil:
		return nil, "There is no exchange file for this API, and so nothing to replay."
	case t.Launcher == nil && !f.Sure:
		return nil, "Nothing was sent: a run changes what is at that server. Tick that this is what you want."
	case len(f.Only) > maxPattern:
		return nil, "This is more than a pattern of names: it may have 200 bytes."
	case (f.User == "") != (password == "") && !again:
		return nil, "A user needs a password, and a password a user: give both or none."
	}
	some := *t.Exchanges
	if again {
		before := v.lastRun(t.Name)
		if before == nil {
			return nil, "There was no run at this target yet."
		}
		names := before.state().left()
		some.Exchanges = slices.DeleteFunc(slices.Clone(some.Exchanges), func(e conformance.Exchange) bool { return !slices.Contains(names, e.Name) })
		made.options, made.only = before.options, before.only
	} else {
		pattern, err := conformance.NamePattern(f.Only)
		if err != nil {
			return nil, "The names of exchanges: " + err.Error()
		}
		some = *t.Exchanges.Matching(pattern)
		made.options = conformance.Options{User: f.User, Password: password}
	}
	if made.file = &some; len(some.Exchanges) == 0 {
		if again {
			return nil, "Nothing failed in the last run."
		}
		return nil, "No exchange has such a name. Capitals count."
	}
	return made, ""
}

// runAll starts a run at each server that this process starts for it.
func (v *View) runAll(w http.ResponseWriter, r *http.Request) {
	for _, t := range v.options.Targets {
		if t.Launcher == nil || t.Exchanges == nil {
			continue
		}
		if made, refused := v.prepare(t, form{}, "", false); refused == "" {
			v.start(made) // one that is under way is as good
		}
	}
	http.Redirect(w, r, path, http.StatusSeeOther)
}

// cancel ends a run.
func (v *View) cancel(w http.ResponseWriter, r *http.Request) {
	t, ok := v.formTarget(w, r)
	if !ok {
		return
	}
	// Of a run that has ended since the page was made, there is nothing to cancel, nor of the next one.
	if last := v.lastRun(t.Name); last != nil && strconv.Itoa(last.number) == r.PostForm.Get("run") {
		last.end()
	}
	http.Redirect(w, r, of(t), http.StatusSeeOther)
}
