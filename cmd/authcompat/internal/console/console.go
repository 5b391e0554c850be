// Package console is the page on which old APIs are seen and tried, and on which an operator sees who
// uses what.
//
// It has two doors: authcompat explore, on stores that are thrown away, and serve --manage ADDRESS
// --console. Package guard stands before both; each view is a package of its own. The build tag no_ui
// leaves all of it out: nothing but those two doors may import it.
package console

import (
	"context"
	"net/http"
	"time"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/console/browse"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/console/guard"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/console/operate"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/console/page"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/console/suite"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/console/target"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/console/try"
)

// Options are what a console shows, and to whom.
type Options struct {
	Key   string   // of guard.NewKey
	Hosts []string // of guard.Hosts
	// Targets are the servers that requests are sent to, and no others: the listeners of this process,
	// and those that were named at the start. The views of APIs show them in this order.
	Targets []target.Target
	// Clock is that of the targets that are this process's own; nil: there are none whose clock
	// can be moved.
	Clock target.Clock
	// Operate is what the operator sees; nil: there is nothing of the kind. Unless it may write, there is
	// no view of the suite either.
	Operate *operate.Options
	// Mode says in a few words what kind of console it is, at the foot of each page.
	Mode string
	// Now is the clock by which sessions end; nil: this machine's.
	Now func() time.Time
}

// New returns the handler of the console's paths, which are all under /console/. What views do beside
// answering ends with ctx, and so do answers without an end: a server that stops waits for those. It fails if
// a view can't be made of the options.
func New(ctx context.Context, o Options) (http.Handler, error) {
	views := http.NewServeMux()
	browse.New(o.Targets).Register(views)
	requests, err := try.New(ctx, o.Targets)
	if err != nil {
		return nil, err
	}
	requests.Register(views)
	frame := page.Frame{Links: []page.Link{browse.Link(), try.Link()}, Mode: o.Mode}
	// A run of the suite makes users: it is nothing for a console that is read only.
	if frame.Write = o.Operate == nil || o.Operate.Write; frame.Write {
		runs, err := suite.New(ctx, suite.Options{Targets: o.Targets, Clock: o.Clock})
		if err != nil {
			return nil, err
		}
		runs.Register(views)
		frame.Links = append(frame.Links, suite.Link())
	}
	if o.Operate != nil {
		operate.New(ctx, *o.Operate).Register(views)
		frame.Links = append(frame.Links, operate.Links()...)
	}
	views.HandleFunc("GET "+page.Root+"{$}", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, frame.Links[0].Path, http.StatusSeeOther)
	})
	g := guard.New(guard.Options{Key: o.Key, Hosts: o.Hosts, Now: o.Now})
	return g.Wrap(page.WithFrame(frame, ending(ctx, withPages(views)))), nil
}

// ending returns a handler whose requests end with ctx.
func ending(ctx context.Context, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		both, cancel := context.WithCancel(r.Context())
		defer cancel()
		defer context.AfterFunc(ctx, cancel)()
		next.ServeHTTP(w, r.WithContext(both))
	})
}

// withPages answers with a page where a path or its method is unknown.
func withPages(views *http.ServeMux) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		handler, pattern := views.Handler(r)
		if pattern != "" {
			views.ServeHTTP(w, r)
			return
		}
		found := &headOnly{header: make(http.Header)}
		handler.ServeHTTP(found, r)
		if found.status == http.StatusMethodNotAllowed {
			w.Header()["Allow"] = found.header["Allow"]
			page.Error(w, r, http.StatusMethodNotAllowed, "There is a page here, but this is not what can be done with it.")
			return
		}
		page.Error(w, r, http.StatusNotFound, "There is no such page.")
	})
}

// headOnly takes the status and header of a response, and drops its body.
type headOnly struct {
	header http.Header
	status int
}

func (h *headOnly) Header() http.Header { return h.header }

func (h *headOnly) WriteHeader(status int) { h.status = status }

func (h *headOnly) Write(b []byte) (int, error) { return len(b), nil }
