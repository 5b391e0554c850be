// Package browse is the view Profiles of the console.
package browse

import (
	"embed"
	"net/http"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/console/page"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/console/target"
)

//go:embed templates/*.html
var files embed.FS

// path is where the view is.
const path = page.Root + "profiles/"

// A View is the view of a console.
type View struct {
	targets []target.Target
}

// Link returns what leads to the view.
func Link() page.Link { return page.Link{Key: "browse", Path: path, Label: "Profiles"} }

// New returns the view.
func New(targets []target.Target) *View { return &View{targets: targets} }

// Register adds the view's paths.
func (v *View) Register(mux *http.ServeMux) {
	t := page.Parse(files, nil)
	mux.HandleFunc("GET "+path+"{$}", func(w http.ResponseWriter, r *http.Request) {
		page.Show(w, r, t, "index", "Profiles", "browse", v.targets)
	})
}
