package profiles

import (
	"net/http"
	"slices"
	"strings"

	"github.com/authcompat/authcompat/profiles/internal/yamlvalue"
	"github.com/authcompat/authcompat/profiles/yamlfile"
)

// endpoints reads all endpoints, and checks that each can be reached.
func (p *Profile) endpoints(v yamlvalue.Value) ([]Endpoint, bool) {
	m := v.Mapping()
	if !m.Broken && len(m.Entries) == 0 {
		v.Refuse("a profile has at least one endpoint")
	}
	var read []Endpoint
	for _, e := range m.Entries {
		endpoint, path := p.endpoint(e)
		for _, before := range read {
			if reason := p.hides(before, endpoint); reason != "" {
				path.Refuse("%s", reason)
				break
			}
		}
		read = append(read, endpoint)
	}
	return read, true
}

// endpoint reads one endpoint with its defaults. path is where its path stands.
func (p *Profile) endpoint(e yamlfile.Entry) (read Endpoint, path yamlvalue.Value) {
	m := yamlvalue.Of(e.Value).Mapping()
	if !yamlvalue.IsName(e.Name, "abcdefghijklmnopqrstuvwxyz", "0123456789_-") {
		e.Refuse("an endpoint's name is at most 64 lower-case letters, digits, _ and -, the first a letter")
	}
	read = Endpoint{Name: e.Name, Action: action(m, Action(e.Name))}
	yamlvalue.Required(m, "path", &read.Path, read.Action.path)
	read.Method = http.MethodPost
	if read.Action == Account {
		read.Method = http.MethodGet
	}
	if read.Action != "" {
		yamlvalue.Optional(m, "method", &read.Method, yamlvalue.Word(read.Method))
	} else {
		yamlvalue.Optional(m, "method", &read.Method, yamlvalue.Word(http.MethodPost, http.MethodGet))
	}
	p.access(m, &read)
	p.view(m, &read)
	fields := fieldReader{p.Family, read.Action, p.Rules.Trim}.fields
	switch read.Action {
	case "":
		yamlvalue.Optional(m, "fields", &read.Fields, fields)
	case Register, Login:
		yamlvalue.Required(m, "fields", &read.Fields, fields)
	default:
		m.Forbid("fields", "%s reads no fields", read.Action)
	}
	yamlvalue.Required(m, "reply", &read.Reply, replyOf(p.Family, read.Action).reply)
	m.Done()
	path, _ = m.Get("path")
	return read, path
}

func actions() []Action { return []Action{Register, Login, Logout, LogoutAll, Account} }

// action reads what an endpoint does, by default what its name says. It is "" if that
// is unclear, which has been reported.
func action(m *yamlvalue.Map, name Action) Action {
	v, given := m.Get("action")
	if given {
		a, _ := yamlvalue.Word(actions()...)(v)
		return a
	}
	if name.oneOf(actions()...) {
		return name
	}
	if !m.Broken {
		m.RefuseKey("action", "is missing: %s is none of %s", yamlvalue.Quote(string(name)), yamlvalue.List(actions()))
	}
	return ""
}

// access reads who may use an endpoint, and whether a token is checked if none is
// required. Only REST framework views can require one to register or log in.
func (p *Profile) access(m *yamlvalue.Map, e *Endpoint) {
	e.Access = AccessToken
	if e.Action == Register || e.Action == Login {
		e.Access = AccessOpen
	}
	accesses := []Access{e.Access}
	if e.Action == "" || e.Action.oneOf(Register, Login) && p.Family.oneOf(DRF) {
		accesses = []Access{AccessOpen, AccessToken}
	}
	yamlvalue.Optional(m, "access", &e.Access, yamlvalue.Word(accesses...))
	view := isView(p.Family, e.Action)
	e.Authenticate = e.Access == AccessToken || view
	if !view {
		m.Forbid("authenticate", "%s is no REST framework view in family %s", e.Action, p.Family)
		return
	}
	yamlvalue.Optional(m, "authenticate", &e.Authenticate, yamlvalue.Boolean)
	if v, _ := m.Get("authenticate"); !e.Authenticate && e.Access == AccessToken {
		v.Refuse("want true: the endpoint's access is %s", AccessToken)
	}
}

// isView tells whether an endpoint is a REST framework view: all of family drf are,
// and those of formjson that are not forms.
func isView(f Family, a Action) bool {
	return f.oneOf(DRF) || f == FormJSON && a.oneOf(Logout, LogoutAll, Account)
}

// view reads the keys of a REST framework view.
func (p *Profile) view(m *yamlvalue.Map, e *Endpoint) {
	if !isView(p.Family, e.Action) {
		for _, key := range []string{"view", "renderers", "parsers"} {
			m.Forbid(key, "%s is no REST framework view in family %s", e.Action, p.Family)
		}
		return
	}
	e.View.Name = viewName(e.Name)
	e.Renderers = []Renderer{RenderJSON, RenderHTML}
	e.Parsers = []Parser{ParseJSON, ParseForm, ParseMultipart}
	if v, ok := m.Get("view"); ok {
		view := v.Mapping()
		yamlvalue.Optional(view, "name", &e.View.Name, yamlvalue.Line)
		yamlvalue.Optional(view, "description", &e.View.Description, yamlvalue.Text)
		yamlvalue.Optional(view, "actions", &e.View.Actions, yamlvalue.Boolean)
		view.Done()
	}
	yamlvalue.Optional(m, "renderers", &e.Renderers, yamlvalue.Words(RenderJSON, RenderHTML))
	if v, ok := m.Get("renderers"); ok && !slices.Contains(e.Renderers, RenderJSON) {
		v.Refuse("want %s among them", RenderJSON)
	}
	yamlvalue.Optional(m, "parsers", &e.Parsers, yamlvalue.Words(ParseJSON, ParseForm, ParseMultipart))
}

// viewName is the default name of a view in OPTIONS: its key with capital letters.
func viewName(key string) string {
	words := strings.FieldsFunc(key, func(c rune) bool { return c == '_' || c == '-' })
	for i, w := range words {
		words[i] = strings.ToUpper(w[:1]) + w[1:]
	}
	return strings.Join(words, " ")
}
