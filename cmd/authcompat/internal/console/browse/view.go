// Package browse is the view Profiles of the console: each API as a client meets it, with the texts that are sent.
package browse

import (
	"embed"
	"errors"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/console/page"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/console/target"
	"github.com/authcompat/authcompat/dialects"
)

//go:embed templates/*.html
var files embed.FS

// path is where the view is.
const path = page.Root + "profiles/"

// A View is the view of a console.
type View struct {
	shown     []shown
	templates *template.Template
}

// shown is a target with what its API is.
type shown struct {
	target.Target
	API API
	Err error // why there is no API
}

// errNoProfile says that a server was named without the profile that it speaks.
var errNoProfile = errors.New("only the exchange file of this server is known, and no profile")

// Link returns what leads to the view.
func Link() page.Link { return page.Link{Key: "browse", Path: path, Label: "Profiles"} }

// New returns the view of the targets' APIs.
func New(targets []target.Target) *View {
	v := &View{templates: page.Parse(files, functions())}
	for _, t := range targets {
		s := shown{Target: t, Err: errNoProfile}
		if t.Profile != nil {
			s.API, s.Err = Describe(t.Profile, t.Exchanges)
		}
		v.shown = append(v.shown, s)
	}
	return v
}

// Register adds the view's paths: of all APIs, of one, of one's endpoint, and of one's profile as YAML.
func (v *View) Register(mux *http.ServeMux) {
	mux.HandleFunc("GET "+path+"{$}", func(w http.ResponseWriter, r *http.Request) {
		page.Show(w, r, http.StatusOK, page.Page{Title: "Profiles", View: "browse"}, v.templates, "index", v.shown)
	})
	mux.HandleFunc("GET "+path+"{target}/{$}", v.of(v.profile))
	mux.HandleFunc("GET "+path+"{target}/profile.yaml", v.of(yaml))
	mux.HandleFunc("GET "+path+"{target}/endpoints/{endpoint}", v.of(v.endpoint))
}

// of finds the target that a path names.
func (v *View) of(show func(http.ResponseWriter, *http.Request, shown)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		i := slices.IndexFunc(v.shown, func(s shown) bool { return s.Name == r.PathValue("target") })
		if i < 0 {
			page.Error(w, r, http.StatusNotFound, "No server of this name is known.")
			return
		}
		show(w, r, v.shown[i])
	}
}

// profilePage is what the page of a profile shows.
type profilePage struct {
	shown
	Find  string
	Found []foundAnswer // at most mostFound
	More  bool
	Rest  []Exchange
}

// foundAnswer is an answer that has what was asked for.
type foundAnswer struct {
	Endpoint Endpoint
	Answer   Answer
}

// mostFound is how many answers a page shows that have what was asked for.
const mostFound = 100

func (v *View) profile(w http.ResponseWriter, r *http.Request, s shown) {
	p := profilePage{shown: s, Find: r.URL.Query().Get("find"), Rest: s.API.Exchanges}
	if s.Err != nil && s.Exchanges != nil {
		for _, e := range s.Exchanges.Exchanges {
			p.Rest = append(p.Rest, exchangeOf(e))
		}
	}
	if words := strings.Fields(p.Find); len(words) > 0 {
		for _, e := range s.API.Endpoints {
			for _, a := range append([]Answer{e.Success}, e.Refused...) {
				if !matches(words, a.text()) {
					continue
				}
				if p.More = len(p.Found) == mostFound; p.More {
					break
				}
				p.Found = append(p.Found, foundAnswer{e, a})
			}
		}
	}
	page.Show(w, r, http.StatusOK, page.Page{Title: s.Name, View: "browse"}, v.templates, "profile", p)
}

// endpointPage is what the page of an endpoint shows.
type endpointPage struct {
	shown
	Endpoint Endpoint
	Filter   string
	Stages   []stage
}

// stage are the refusals of one stage.
type stage struct {
	Title   string
	Refused []filtered
}

// filtered is an answer, and whether a filter leaves it out.
type filtered struct {
	Answer
	Hidden bool
}

func (v *View) endpoint(w http.ResponseWriter, r *http.Request, s shown) {
	i := slices.IndexFunc(s.API.Endpoints, func(e Endpoint) bool { return e.Name == r.PathValue("endpoint") })
	if i < 0 {
		page.Error(w, r, http.StatusNotFound, "The API has no endpoint of this name.")
		return
	}
	p := endpointPage{shown: s, Endpoint: s.API.Endpoints[i], Filter: r.URL.Query().Get("q")}
	p.Stages = stages(p.Endpoint.Refused, strings.Fields(p.Filter))
	page.Show(w, r, http.StatusOK, page.Page{Title: p.Endpoint.Name + " of " + s.Name, View: "browse"}, v.templates, "endpoint", p)
}

// stages puts refusals below the titles of their stages.
func stages(all []Answer, words []string) []stage {
	titles := map[dialects.Stage]string{
		dialects.StageRequest: "The request itself", dialects.StageClient: "Who asks", dialects.StageMethod: "The method",
		dialects.StageBody: "Whether the body can be read", dialects.StageField: "What is in the fields",
		dialects.StageAction: "What is asked for", dialects.StageServer: "The server",
	}
	var list []stage
	for _, a := range all {
		title := titles[a.Stage]
		if len(list) == 0 || list[len(list)-1].Title != title {
			list = append(list, stage{Title: title})
		}
		last := &list[len(list)-1]
		last.Refused = append(last.Refused, filtered{a, !matches(words, a.text())})
	}
	return list
}

// text is what an answer is searched for.
func (a Answer) text() string {
	text := statusText(a.Status) + " " + strings.Join(a.When, " ") + " " + a.Body.String() + " " + strings.Join(a.Body.Messages(), " ")
	for _, h := range a.Own {
		text += " " + h.Name + ": " + h.Value
	}
	return text
}

// matches tells whether a text has all words, in capitals or not.
func matches(words []string, text string) bool {
	text = strings.ToLower(text)
	return !slices.ContainsFunc(words, func(word string) bool { return !strings.Contains(text, strings.ToLower(word)) })
}

// yaml writes the profile as `authcompat profile show` does.
func yaml(w http.ResponseWriter, r *http.Request, s shown) {
	if s.Profile == nil {
		page.Error(w, r, http.StatusNotFound, "No profile of this server is known.")
		return
	}
	text, err := s.Profile.YAML()
	if err != nil {
		page.Error(w, r, http.StatusInternalServerError, "The profile can't be written as YAML.")
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = w.Write(text) // a client that left needs no profile
}

// functions are those of the templates. Names are escaped here: a template would leave the slashes and question marks of a
// name in a path as they are.
func functions() template.FuncMap {
	return template.FuncMap{
		"status":       statusText,
		"profilePath":  func(target string) string { return path + url.PathEscape(target) + "/" },
		"yamlPath":     func(target string) string { return path + url.PathEscape(target) + "/profile.yaml" },
		"endpointPath": endpointPath,
		"answerPath":   func(target, endpoint, id string) string { return endpointPath(target, endpoint) + "#" + id },
		"tryEndpoint": func(target, endpoint string) string {
			return page.Root + "try/?" + url.Values{"target": {target}, "endpoint": {endpoint}}.Encode()
		},
		"tryExchange": func(target, exchange string) string {
			return page.Root + "try/?" + url.Values{"target": {target}, "exchange": {exchange}}.Encode()
		},
		"tryPath":   func(target string) string { return page.Root + "try/?" + url.Values{"target": {target}}.Encode() },
		"suitePath": func(target string) string { return page.Root + "suite/?" + url.Values{"target": {target}}.Encode() },
		"join":      strings.Join,
		"first":     func(n int, all []string) []string { return all[:min(n, len(all))] },
		"counts":    counts,
		"badge":     badge,
	}
}

// badge is the class of an answer's status: a form refuses with one that is not for that.
func badge(a Answer) string {
	switch {
	case a.ID == "success":
		return "ok"
	case a.Status < http.StatusBadRequest:
		return "warn"
	}
	return "bad"
}

func endpointPath(target, endpoint string) string {
	return path + url.PathEscape(target) + "/endpoints/" + url.PathEscape(endpoint)
}

// count is how many answers have a status.
type count struct{ Status, Answers int }

// counts says which statuses answers have, in order.
func counts(all []Answer) []count {
	var list []count
	for _, a := range all {
		i := slices.IndexFunc(list, func(c count) bool { return c.Status == a.Status })
		if i < 0 {
			list = append(list, count{Status: a.Status})
			i = len(list) - 1
		}
		list[i].Answers++
	}
	slices.SortFunc(list, func(x, y count) int { return x.Status - y.Status })
	return list
}
