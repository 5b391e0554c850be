// Package operate is the operator's view of the console.
package operate

import (
	"embed"
	"net/http"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/console/page"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/engine"
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
}

// A View is the operator's view.
type View struct {
	options Options
}

// Links returns what leads to the parts of the view.
func Links() []page.Link {
	var all []page.Link
	for _, part := range []struct{ key, label string }{
		{"users", "Users"}, {"tokens", "Tokens"}, {"audit", "Audit"}, {"callers", "Callers"}, {"cutover", "Cutover"}, {"metrics", "Metrics"},
	} {
		all = append(all, page.Link{Key: part.key, Path: page.Root + part.key + "/", Label: part.label})
	}
	return all
}

// New returns the view.
func New(o Options) *View { return &View{options: o} }

// Register adds the view's paths.
func (v *View) Register(mux *http.ServeMux) {
	t := page.Parse(files, nil)
	for _, link := range Links() {
		mux.HandleFunc("GET "+link.Path+"{$}", func(w http.ResponseWriter, r *http.Request) {
			page.Show(w, r, t, "index", link.Label, link.Key, link)
		})
	}
}
