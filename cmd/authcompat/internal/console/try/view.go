// Package try is the view Try of the console: a request is written, sent byte for byte, and its response shown beside the
// documented one.
//
// The server keeps nothing of what is sent: the token in use, what steps of an exchange have captured and the history are
// fields of the page, and end with it.
package try

import (
	"context"
	"embed"
	"html/template"
	"net/http"
	"strconv"
	"strings"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/console/page"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/console/relay"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/console/target"
	"github.com/authcompat/authcompat/profiles"
)

//go:embed templates/*.html
var files embed.FS

// path is where the view is.
const path = page.Root + "try/"

// A View is the view of a console.
type View struct {
	targets  []target.Target
	relay    *relay.Relay
	examples map[string][]example // by the name of the target
	page     *template.Template
}

// Link returns what leads to the view.
func Link() page.Link { return page.Link{Key: "try", Path: path, Label: "Try"} }

// New returns the view. It looks up the addresses of all targets, and fails if one is not known.
func New(ctx context.Context, targets []target.Target) (*View, error) {
	return newView(ctx, targets, relay.Options{})
}

func newView(ctx context.Context, targets []target.Target, o relay.Options) (*View, error) {
	v := &View{targets: targets, examples: map[string][]example{}, page: page.Parse(files, template.FuncMap{"inc": func(n int) int { return n + 1 }})}
	for _, t := range targets {
		v.examples[t.Name] = examplesOf(t)
	}
	var err error
	v.relay, err = relay.New(ctx, targets, o)
	return v, err
}

// Register adds the view's paths.
func (v *View) Register(mux *http.ServeMux) {
	mux.HandleFunc("GET "+path+"{$}", v.open)
	mux.HandleFunc("POST "+path+"{$}", v.submit)
}

// target returns the target of a form. If there is none, it answers.
func (v *View) target(w http.ResponseWriter, r *http.Request, f *form) (target.Target, bool) {
	t, ok := target.Find(v.targets, f.Target)
	if !ok {
		page.Error(w, r, http.StatusForbidden, "There is no target of this name: only the servers that were named at the start can be reached.")
	}
	return t, ok
}

// open shows the editor, filled in by the query: ?target=NAME, with &exchange=NAME&step=N or &endpoint=NAME.
func (v *View) open(w http.ResponseWriter, r *http.Request) {
	if len(v.targets) == 0 {
		page.Show(w, r, http.StatusOK, page.Page{Title: "Try", View: "try"}, v.page, "none", nil)
		return
	}
	query := r.URL.Query()
	f := &form{Target: query.Get("target")}
	if f.Target == "" {
		f.Target = v.targets[0].Name
	}
	t, ok := v.target(w, r, f)
	if !ok {
		return
	}
	if query.Has("endpoint") {
		e, ok := findEndpoint(t, query.Get("endpoint"))
		if !ok {
			page.Error(w, r, http.StatusNotFound, "The profile of this target has no such endpoint.")
			return
		}
		v.fillInEndpoint(f, t.Profile, e)
		v.show(w, r, f, nil)
		return
	}
	step, err := strconv.Atoi(query.Get("step"))
	if err != nil {
		step = 1
	}
	exchange := query.Get("exchange")
	if exchange == "" {
		v.fillInFirst(f)
	} else if v.fillIn(f, exchange, step); f.Exchange == "" {
		page.Error(w, r, http.StatusNotFound, "The exchange file of this target has no such exchange, or the exchange no such step.")
		return
	}
	v.show(w, r, f, nil)
}

// fillInFirst writes a login of the target into the form, for all begins with it; or else its first example, or a plain request
// where it has none.
func (v *View) fillInFirst(f *form) {
	all := v.examples[f.Target]
	if t, ok := target.Find(v.targets, f.Target); ok && t.Profile != nil {
		for _, e := range t.Profile.Endpoints {
			if e.Action != profiles.Login {
				continue
			}
			if x, ok := exampleOf(t.Profile, all, e); ok {
				v.fillIn(f, x.Exchange, x.Step)
				return
			}
		}
	}
	if len(all) > 0 {
		v.fillIn(f, all[0].Exchange, all[0].Step)
		return
	}
	f.Exchange, f.Step, f.Method, f.Path = "", 0, "GET", "/"
}

// submit does what a button of the form is for.
func (v *View) submit(w http.ResponseWriter, r *http.Request) {
	f, err := readForm(r)
	if err != nil {
		page.Error(w, r, page.FormStatus(err), "This was not understood: "+err.Error()+".")
		return
	}
	if _, ok := v.target(w, r, f); !ok {
		return
	}
	var done *result
	action, argument, _ := strings.Cut(r.PostForm.Get("do"), " ")
	switch action {
	case "send", "before":
		ctx, cancel := context.WithTimeout(r.Context(), maxWait)
		defer cancel()
		done = v.send(ctx, f, action == "before")
	case "load":
		v.load(f, r.PostForm.Get("example"))
	case "next":
		v.fillIn(f, f.Exchange, f.Step+1)
	case "anew":
		f.Known.Run = ""
		v.fillIn(f, f.Exchange, 1)
	case "use":
		if f.Answer != "" {
			f.Token = v.scheme(f) + f.Answer
			f.setAuthorization(f.Token)
		}
	case "forget":
		f.Token = ""
	case "restore":
		if i, err := strconv.Atoi(argument); err == nil {
			f.restore(i)
		}
	default:
		page.Error(w, r, http.StatusBadRequest, "This button is none of the console's.")
		return
	}
	v.show(w, r, f, done)
}

// maxWait is how long one press of a button may take: an exchange has several requests.
const maxWait = 2 * relay.Timeout

// load writes another example into the form, or the first one of another target.
func (v *View) load(f *form, chosen string) {
	exchange, step := readExample(chosen)
	for _, x := range v.examples[f.Target] {
		if x.Exchange == exchange && x.Step == step {
			v.fillIn(f, exchange, step)
			return
		}
	}
	v.fillInFirst(f)
}
