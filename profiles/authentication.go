package profiles

import (
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/authcompat/authcompat/profiles/internal/yamlnode"
	"github.com/authcompat/authcompat/profiles/internal/yamlvalue"
)

// Authentication is one of the classes that a REST framework view asks in turn who a client is
// (DEFAULT_AUTHENTICATION_CLASSES). The first that recognises the client, or refuses it, ends it.
type Authentication struct {
	Kind AuthenticationKind
	// Word is the keyword of tokens, or the realm of HTTP Basic; empty for sessions.
	Word string
}

// AuthenticationKind is what a client is recognised by.
type AuthenticationKind string

// The kinds of Authentication.
const (
	// AuthenticateSession stands for Django's sessions, which are not served: no client has one.
	AuthenticateSession AuthenticationKind = "session"
	AuthenticateBasic   AuthenticationKind = "basic" // HTTP Basic (RFC 7617)
	AuthenticateToken   AuthenticationKind = "token" // TokenAuthentication of REST framework or of knox
)

// basicRealm is BasicAuthentication.www_authenticate_realm (rest_framework/authentication.py).
const basicRealm = "api"

// Challenge is the value of WWW-Authenticate in a view whose first class it is. It is empty for
// sessions, which have none: such a view answers 403 instead of 401.
func (a Authentication) Challenge() string {
	switch a.Kind {
	case AuthenticateBasic:
		return `Basic realm="` + a.Word + `"`
	case AuthenticateToken:
		return a.Word
	}
	return ""
}

// Authenticates tells whether anything is asked who a client of the endpoint is, even if it is
// open to all.
func (e Endpoint) Authenticates() bool { return len(e.Authentication) > 0 }

// recognises tells whether the endpoint recognises clients by one of the kinds.
func (e Endpoint) recognises(kinds ...AuthenticationKind) bool {
	return slices.ContainsFunc(e.Authentication, func(a Authentication) bool { return slices.Contains(kinds, a.Kind) })
}

// Keyword gives the keyword under which the endpoint takes tokens, the first of several; ok is
// false if it takes none.
func (e Endpoint) Keyword() (keyword string, ok bool) {
	i := slices.IndexFunc(e.Authentication, func(a Authentication) bool { return a.Kind == AuthenticateToken })
	if i < 0 {
		return "", false
	}
	return e.Authentication[i].Word, true
}

// Authentications gives all that the profile or one of its endpoints asks who a client is.
func (p *Profile) Authentications() []Authentication {
	all := slices.Clone(p.Authentication)
	for _, e := range p.Endpoints {
		for _, a := range e.Authentication {
			if !slices.Contains(all, a) {
				all = append(all, a)
			}
		}
	}
	return all
}

// authentication reads whom the profile's endpoints ask, and its scheme: that of the first
// tokens unless it is given.
func (p *Profile) authentication(m *yamlvalue.Map) {
	given := yamlvalue.Optional(m, "scheme", &p.Scheme, token)
	p.Authentication = []Authentication{{AuthenticateToken, p.Scheme}}
	if !p.Family.oneOf(DRF, FormJSON) {
		m.Forbid("authentication", "is of families %s and %s: plain views know tokens alone", DRF, FormJSON)
		return
	}
	yamlvalue.Optional(m, "authentication", &p.Authentication, p.authentications)
	i := slices.IndexFunc(p.Authentication, func(a Authentication) bool { return a.Kind == AuthenticateToken })
	if i >= 0 && !given {
		p.Scheme = p.Authentication[i].Word
	}
}

// authentications reads a list of classes, which may be empty.
func (p *Profile) authentications(v yamlvalue.Value) ([]Authentication, bool) {
	items, isList := v.Items()
	if !isList {
		v.Want("a list of %s, or [] for nothing", authenticationWords)
		return nil, false
	}
	good := true
	list := []Authentication{}
	for _, item := range items {
		a, ok := p.authenticationItem(yamlvalue.Of(item))
		if ok && slices.Contains(list, a) {
			item.Refuse("stands here twice")
			ok = false
		}
		good = good && ok
		list = append(list, a)
	}
	return list, good
}

const authenticationWords = "session, basic, token, {basic: REALM} or {token: KEYWORD}"

// authenticationItem reads one class: a word, or a map of one key.
func (p *Profile) authenticationItem(v yamlvalue.Value) (Authentication, bool) {
	for _, k := range []AuthenticationKind{AuthenticateSession, AuthenticateBasic, AuthenticateToken} {
		v.Shape().Words(string(k))
	}
	if v.IsText() {
		switch k := AuthenticationKind(v.Node.Value); k {
		case AuthenticateSession:
			return Authentication{Kind: k}, true
		case AuthenticateBasic:
			return Authentication{k, basicRealm}, true
		case AuthenticateToken:
			return Authentication{k, p.Scheme}, true
		}
	}
	if v.Node.Kind != yaml.MappingNode {
		v.Want("%s", authenticationWords)
		return Authentication{}, false
	}
	m := v.Mapping()
	realm, keyword := "", ""
	basic := yamlvalue.Optional(m, string(AuthenticateBasic), &realm, realmOf)
	tokens := yamlvalue.Optional(m, string(AuthenticateToken), &keyword, token)
	m.Done()
	switch {
	case len(m.Entries) != 1:
		v.Want("%s", authenticationWords)
	case basic:
		return Authentication{AuthenticateBasic, realm}, true
	case tokens && strings.EqualFold(keyword, string(AuthenticateBasic)):
		v.Refuse("%s is the scheme of HTTP Basic: want {basic: REALM}", keyword)
	case tokens:
		return Authentication{AuthenticateToken, keyword}, true
	}
	return Authentication{}, false
}

// realmOf reads the realm of a challenge, which is quoted as it stands.
func realmOf(v yamlvalue.Value) (string, bool) {
	s, ok := headerValue(v)
	if ok && strings.ContainsAny(s, "\"\\") {
		v.Refuse("a realm has no quotes and no backslashes")
		ok = false
	}
	return s, ok
}

// endpointAuthentication reads whom an endpoint asks: whom the profile's do unless it says
// otherwise, and nobody where it is a form or a plain view that is open to all.
func (p *Profile) endpointAuthentication(m *yamlvalue.Map, e, first *Endpoint) {
	view := isView(p.Family, e.Action)
	switch {
	case first != nil:
		e.Authentication = first.Authentication
	case view || e.Access == AccessToken:
		e.Authentication = p.Authentication
	}
	key := "authentication"
	if !view {
		m.Forbid(key, "%s is no REST framework view in family %s", e.Action, p.Family)
		m.Forbid("authenticate", "%s is no REST framework view in family %s", e.Action, p.Family)
		return
	}
	yamlvalue.Optional(m, key, &e.Authentication, p.authentications)
	v, given := m.Get(key)
	if old, ok := m.Get("authenticate"); ok {
		if given {
			old.Refuse("stands beside authentication, which says more")
		}
		v, given, key = old, true, "authenticate"
		var on bool
		if yamlvalue.Keep(old, &on, yamlvalue.Boolean) {
			e.Authentication = []Authentication{}
			if on {
				e.Authentication = p.Authentication
			}
		}
	}
	switch {
	case first != nil && !slices.Equal(e.Authentication, first.Authentication):
		contradicts(v, first)
	case len(e.Authentication) > 0 || e.Access != AccessToken:
	case given && key == "authenticate":
		v.Refuse("want true: the endpoint's access is %s", AccessToken)
	case given:
		v.Refuse("is empty, and the endpoint's access is %s", AccessToken)
	default:
		m.RefuseKey("access", "is %s, and nothing is asked who a client is", AccessToken)
	}
}

// showAuthentication writes classes as in a file whose scheme is the profile's.
func (p *Profile) showAuthentication(list []Authentication) *yaml.Node {
	n := &yaml.Node{Kind: yaml.SequenceNode}
	for _, a := range list {
		item := yamlnode.Quoted(string(a.Kind))
		if a.Kind == AuthenticateBasic && a.Word != basicRealm || a.Kind == AuthenticateToken && a.Word != p.Scheme {
			of := yamlnode.NewMap()
			of.Text(string(a.Kind), a.Word)
			item = of.Node
		}
		n.Content = append(n.Content, item)
	}
	return n
}
