// Package try is the view Try of the console.
package try

import (
	"embed"
	"net/http"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/console/page"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/console/target"
)

//go:embed templates/*.html
var files embed.FS

// path is where the view is.
const path = page.Root + "try/"

// A View is the view of a console.
type View struct {
	targets []target.Target
}

// Link returns what leads to the view.
func Link() page.Link { return page.Link{Key: "try", Path: path, Label: "Try"} }

// New returns the view.
func New(targets []target.Target) *View { return &View{targets: targets} }

// Register adds the view's paths.
func (v *View) Register(mux *http.ServeMux) {
	t := page.Parse(files, nil)
	mux.HandleFunc("GET "+path+"{$}", func(w http.ResponseWriter, r *http.Request) {
		page.Show(w, r, t, "index", "Try", "try", v.targets)
	})
}
