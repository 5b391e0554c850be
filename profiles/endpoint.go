package profiles

import (
	"net/http"
	"slices"
	"strings"

	"github.com/authcompat/authcompat/profiles/internal/yamlvalue"
	"github.com/authcompat/authcompat/profiles/yamlfile"
)

// endpoints reads all endpoints.
func (p *Profile) endpoints(v yamlvalue.Value) ([]Endpoint, bool) {
	m := v.Mapping()
	if !m.Broken && len(m.Entries) == 0 {
		v.Refuse("a profile has at least one endpoint")
	}
	var read []Endpoint
	for _, e := range m.Entries {
		read = append(read, p.endpoint(e, read))
	}
	checkActions(m, read)
	return read, true
}

// endpoint reads one endpoint with its defaults, and checks that it can be reached behind those
// before it.
func (p *Profile) endpoint(e yamlfile.Entry, before []Endpoint) (read Endpoint) {
	m := yamlvalue.Of(e.Value).Mapping()
	if !yamlvalue.IsName(e.Name, "abcdefghijklmnopqrstuvwxyz", "0123456789_-") {
		e.Refuse("an endpoint's name is at most 64 lower-case letters, digits, _ and -, the first a letter")
	}
	read = Endpoint{Name: e.Name, Action: p.Family.action(m, Action(e.Name))}
	yamlvalue.Required(m, "path", &read.Path, read.Action.path)
	methods(m, &read)
	first := p.firstOf(read.Path, before)
	p.slash(m, &read, first)
	p.access(m, &read, first)
	p.view(m, &read, first)
	p.reachable(m, read, before)
	p.accountKeys(m, &read)
	fields := fieldReader{p.Family, read.Action, p.Rules.Trim, p.types(), p.Usernames.Email}.fields
	rule := read.Action.rule()
	switch {
	case read.Action == "" || len(rule.takes) > 0 && len(rule.needs) == 0:
		yamlvalue.Optional(m, "fields", &read.Fields, fields)
	case read.Action == Login:
		p.loginFields(m, &read, fields)
	case len(rule.takes) > 0:
		yamlvalue.Required(m, "fields", &read.Fields, fields)
	default:
		m.Forbid("fields", "%s reads no fields", read.Action)
	}
	yamlvalue.Required(m, "reply", &read.Reply, p.replyOf(read.Action).reply)
	m.Done()
	return read
}

// loginFields reads the fields of a login. One without fields issues a token to whoever the
// classes of its view recognise (knox/views.py, LoginView).
func (p *Profile) loginFields(m *yamlvalue.Map, e *Endpoint, read func(yamlvalue.Value) ([]Field, bool)) {
	_, given := m.Get("fields")
	switch {
	case given || e.Access != AccessToken || !p.Family.oneOf(DRF):
		yamlvalue.Required(m, "fields", &e.Fields, read)
	case !e.recognises(AuthenticateBasic, AuthenticateToken):
		m.RefuseKey("fields", "is missing, and nobody is recognised without: the endpoint's authentication has no basic")
	}
}

// Methods are those that an endpoint can have, in the order of REST framework's Allow
// (django/views/generic/base.py, View.http_method_names).
func Methods() []string {
	return []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete}
}

// methods reads which methods an endpoint answers.
func methods(m *yamlvalue.Map, e *Endpoint) {
	rule := e.Action.rule()
	known := rule.methods
	if e.Methods = known[:1]; rule.allMethods {
		e.Methods = slices.Clone(known)
	}
	var one string
	if yamlvalue.Optional(m, "method", &one, yamlvalue.Word(known...)) {
		e.Methods = []string{one}
	}
	yamlvalue.Optional(m, "methods", &e.Methods, yamlvalue.Words(known...))
	if v, ok := m.Get("methods"); ok {
		if _, both := m.Get("method"); both {
			v.Refuse("stands beside method, which says the same of one")
		}
	}
	e.Methods = slices.DeleteFunc(Methods(), func(method string) bool { return !slices.Contains(e.Methods, method) })
}

// action reads what an endpoint does, by default what its name says. It is "" if that
// is unclear, which has been reported.
func (f Family) action(m *yamlvalue.Map, name Action) Action {
	v, given := m.Get("action")
	if given {
		a, _ := yamlvalue.Word(f.actions()...)(v)
		return a
	}
	if name.oneOf(f.actions()...) {
		return name
	}
	if !m.Broken {
		m.RefuseKey("action", "is missing: %s is none of %s", yamlvalue.Quote(string(name)), yamlvalue.List(f.actions()))
	}
	return ""
}

// access reads who may use an endpoint, and whom it asks who that is. Only REST framework views
// can require something of those who register or log in.
func (p *Profile) access(m *yamlvalue.Map, e, first *Endpoint) {
	e.Access = e.Action.rule().access
	accesses := []Access{e.Access}
	if e.Action == "" || e.Action.oneOf(Register, Login) && p.Family.oneOf(DRF) || e.Action == Logout && isView(p.Family, Logout) {
		accesses = []Access{AccessOpen, AccessToken}
	}
	yamlvalue.Optional(m, "access", &e.Access, yamlvalue.Word(accesses...))
	p.endpointAuthentication(m, e, first)
}

// accountKeys reads the keys of endpoints that are about accounts.
func (p *Profile) accountKeys(m *yamlvalue.Map, e *Endpoint) {
	ofAccounts := e.Action.rule().named || e.Action == List
	if ofAccounts && isView(p.Family, e.Action) {
		if e.Others = OthersHidden; strings.Contains(e.Path, usernameVariable) && e.Action == Account {
			e.Others = OthersVisible
		}
	}
	if ofAccounts && p.Family.oneOf(DRF) {
		yamlvalue.Optional(m, "others", &e.Others, yamlvalue.Word(OthersHidden, OthersForbidden, OthersVisible))
		if v, _ := m.Get("others"); e.Others == OthersVisible && e.Action.oneOf(Update, Delete) && e.Action != "" {
			v.Refuse("only what shows accounts has others %s: want %s or %s", OthersVisible, OthersHidden, OthersForbidden)
		} else if e.Others == OthersForbidden && e.Action == List {
			v.Refuse("a list has those whom the caller may see: want %s or %s", OthersHidden, OthersVisible)
		}
	} else {
		m.Forbid("others", "is of accounts of others in family %s alone", DRF)
	}
	if v, _ := m.Get("path"); e.Action == Delete && !p.Family.oneOf(DRF) && strings.Contains(e.Path, "{") {
		v.Refuse("%s removes the caller's own account in family %s: its path has no variable", Delete, p.Family)
	}
	if e.Action.oneOf(Login) {
		yamlvalue.Optional(m, "update_last_login", &e.UpdateLastLogin, yamlvalue.Boolean)
	} else {
		m.Forbid("update_last_login", "update_last_login is of %s alone", Login)
	}
	if e.Action.oneOf(SetPassword) {
		yamlvalue.Optional(m, "logout", &e.Logout, yamlvalue.Boolean)
	} else {
		m.Forbid("logout", "logout is of %s alone", SetPassword)
	}
}

// isView tells whether an endpoint is a REST framework view: all of family drf are,
// and those of formjson that want a token.
func isView(f Family, a Action) bool {
	return f.oneOf(DRF) || f == FormJSON && a.oneOf(Logout, LogoutAll, Account, Delete, SetPassword)
}

// view reads the keys of a REST framework view.
func (p *Profile) view(m *yamlvalue.Map, e, first *Endpoint) {
	if !isView(p.Family, e.Action) {
		for _, key := range []string{"view", "renderers", "parsers"} {
			m.Forbid(key, "%s is no REST framework view in family %s", e.Action, p.Family)
		}
		return
	}
	e.View.Name = viewName(e.Name)
	e.Renderers = []Renderer{RenderJSON, RenderHTML}
	e.Parsers = []Parser{ParseJSON, ParseForm, ParseMultipart}
	if first != nil {
		e.View, e.Renderers, e.Parsers = first.View, first.Renderers, first.Parsers
	}
	if v, ok := m.Get("view"); ok {
		view := v.Mapping()
		yamlvalue.Optional(view, "name", &e.View.Name, yamlvalue.Line)
		yamlvalue.Optional(view, "description", &e.View.Description, yamlvalue.Text)
		if v, ok := view.Get("actions"); ok {
			e.viewActions(v)
		}
		yamlvalue.Optional(view, "access", &e.View.Access, yamlvalue.Word(AccessToken))
		yamlvalue.Optional(view, "allow", &e.View.Allow, yamlvalue.Words(allowable()...))
		view.Done()
		if first != nil && !e.View.equal(first.View) {
			contradicts(v, first)
		}
	}
	yamlvalue.Optional(m, "renderers", &e.Renderers, yamlvalue.Words(RenderJSON, RenderHTML))
	if v, ok := m.Get("renderers"); ok && !slices.Contains(e.Renderers, RenderJSON) {
		v.Refuse("want %s among them", RenderJSON)
	}
	yamlvalue.Optional(m, "parsers", &e.Parsers, yamlvalue.Words(ParseJSON, ParseForm, ParseMultipart))
	if first != nil {
		if v, _ := m.Get("renderers"); !slices.Equal(e.Renderers, first.Renderers) {
			contradicts(v, first)
		}
		if v, _ := m.Get("parsers"); !slices.Equal(e.Parsers, first.Parsers) {
			contradicts(v, first)
		}
	}
}

// allowable gives the methods that a view can say it allows.
func allowable() []string { return append(Methods(), http.MethodHead, http.MethodOptions) }

func (v View) equal(other View) bool {
	return v.Name == other.Name && v.Description == other.Description && v.Actions == other.Actions &&
		v.ActionsOf == other.ActionsOf && v.Access == other.Access && slices.Equal(v.Allow, other.Allow)
}

// viewActions reads whether OPTIONS describes fields, or whose. The rest of the view stays.
func (e *Endpoint) viewActions(v yamlvalue.Value) {
	v.Shape().Text("")
	if v.IsText() && v.Node.Value != "" {
		e.View.Actions, e.View.ActionsOf = true, v.Node.Value
		return
	}
	yamlvalue.Keep(v, &e.View.Actions, yamlvalue.Boolean)
}

// checkActions refuses views that describe the fields of an endpoint that isn't there.
func checkActions(m *yamlvalue.Map, all []Endpoint) {
	for i, e := range m.Entries {
		of := all[i].View.ActionsOf
		fields := func(other Endpoint) bool { return other.Name == of && len(other.Fields) > 0 }
		if view, ok := yamlvalue.Of(e.Value).Mapping().Get("view"); ok && of != "" && !slices.ContainsFunc(all, fields) {
			v, _ := view.Mapping().Get("actions")
			v.Refuse("want true, false or the name of an endpoint with fields")
		}
	}
}

// contradicts refuses what stands differently at the first endpoint of a path.
func contradicts(v yamlvalue.Value, first *Endpoint) {
	v.Refuse("is another one at %s, the first endpoint of this path: its value holds for all of them", first.Name)
}

// viewName is the default name of a view in OPTIONS: its key with capital letters.
func viewName(key string) string {
	words := strings.FieldsFunc(key, func(c rune) bool { return c == '_' || c == '-' })
	for i, w := range words {
		words[i] = strings.ToUpper(w[:1]) + w[1:]
	}
	return strings.Join(words, " ")
}
