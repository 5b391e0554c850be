// Package operate is the operator's view of the console: users, tokens, the audit record, who calls, the cutover with
// the shadow, and metrics.
//
// It works on what the commands of these names work on. Every page reads a bounded part of the store: [pageRows] rows by
// their keys, where rows are filtered [maxScan] at most, within [timeout]. No page has the text of a token, a hash, a key
// or what stands in the audit record for a name that nobody has.
package operate

import (
	"context"
	"embed"
	"html/template"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/console/page"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/engine"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/term"
)

//go:embed templates/*.html
var files embed.FS

// Options are what the view shows.
type Options struct {
	// Engine is the store with core's engine on it, whose capabilities are in Engine.Backend.
	Engine *engine.Engine
	// Metrics are those of the process.
	Metrics prometheus.Gatherer
	// Write says that the view may change something. It is refused with 403 otherwise.
	Write bool
	// Journals returns the files of the process's shadows; nil: there are none.
	Journals func() []string
	// Log is told why the store did not answer; nil: nobody is.
	Log *slog.Logger
	// Now is the clock by which tokens have expired; nil: this machine's.
	Now func() time.Time
}

// A View is the operator's view.
type View struct {
	Options
	page    *template.Template
	samples *sampler
	reading sync.Mutex // journals, one reader at a time
}

// Links returns what leads to the parts of the view.
func Links() []page.Link {
	var all []page.Link
	for _, part := range []struct{ key, label string }{
		{"users", "Users"}, {"tokens", "Tokens"}, {"audit", "Audit"}, {"callers", "Callers"}, {"cutover", "Cutover"}, {"metrics", "Metrics"},
	} {
		all = append(all, page.Link{Key: part.key, Path: path(part.key), Label: part.label})
	}
	return all
}

// path returns the path of a part of the view.
func path(part string) string { return page.Root + part + "/" }

// New returns the view. It takes samples of the metrics until ctx ends.
func New(ctx context.Context, o Options) *View {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	v := &View{
		Options: o, samples: newSampler(o.Metrics, o.Log),
		page: page.Parse(files, template.FuncMap{"shown": term.Printable, "count": term.Count[int]}),
	}
	v.samples.take(time.Now())
	go v.samples.run(ctx)
	return v
}

// Register adds the view's paths.
func (v *View) Register(mux *http.ServeMux) {
	for pattern, show := range map[string]showing{
		"users/{$}": v.users, "users/{id}/{$}": v.user, "tokens/{$}": v.tokens, "audit/{$}": v.audit, "callers/{$}": v.callers,
		"cutover/{$}": v.cutover, "cutover/shadow/{$}": v.shadow, "metrics/{$}": v.metrics,
	} {
		mux.Handle("GET "+page.Root+pattern, v.shows(show))
	}
	mux.HandleFunc("GET "+path("metrics")+"events", v.follow)
	for pattern, c := range map[string]changing{
		"users/{id}/disable": {v.askDisable, v.disable}, "users/{id}/enable": {v.askEnable, v.enable}, "users/{id}/revoke": {v.askRevokeAll, v.revokeAll},
		"tokens/{id}/revoke": {v.askRevoke, v.revoke}, "cutover/set": {v.askSet, v.set}, "cutover/rollback": {v.askRollback, v.rollback},
	} {
		mux.Handle("GET "+page.Root+pattern, v.writes(v.shows(c.ask)))
		mux.Handle("POST "+page.Root+pattern, v.writes(v.does(c)))
	}
}
