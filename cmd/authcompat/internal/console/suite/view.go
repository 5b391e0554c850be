// Package suite is the view Suite of the console.
package suite

import (
	"embed"
	"net/http"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/console/page"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/console/target"
)

//go:embed templates/*.html
var files embed.FS

// path is where the view is.
const path = page.Root + "suite/"

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
}

// Link returns what leads to the view.
func Link() page.Link { return page.Link{Key: "suite", Path: path, Label: "Suite"} }

// New returns the view.
func New(o Options) *View { return &View{options: o} }

// Register adds the view's paths.
func (v *View) Register(mux *http.ServeMux) {
	t := page.Parse(files, nil)
	mux.HandleFunc("GET "+path+"{$}", func(w http.ResponseWriter, r *http.Request) {
		page.Show(w, r, t, "index", "Suite", "suite", v.options)
	})
}
