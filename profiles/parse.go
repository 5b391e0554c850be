package profiles

import (
	"io/fs"
	"net/http"
	"slices"
	"time"

	"github.com/authcompat/authcompat/profiles/internal/ttl"
	"github.com/authcompat/authcompat/profiles/internal/yamlvalue"
)

// Parse reads a profile. filename is what positions name. The error is a
// *Problems with all that is wrong.
//
// A file is one YAML document of at most 1 MiB. Aliases (*name) stand for a whole
// value; merge keys (<<) and tags are refused.
func Parse(filename string, data []byte) (*Profile, error) {
	return parse(filename, data, builtin)
}

// parse is Parse with the stacks among files.
func parse(filename string, data []byte, files fs.FS) (*Profile, error) {
	r := newReader(filename)
	root, ok := readRoot(r, data)
	if !ok {
		return nil, problemsOf(r.Problems)
	}
	stacks := &stackLoader{files: files}
	p := &Profile{Scheme: "Token", TrailingSlash: SlashExact, OtherPaths: AccessOpen, Throttling: Hidden, Messages: Messages{}}
	m := root.Mapping()
	yamlvalue.Required(m, "name", &p.Name, yamlvalue.Identifier)
	yamlvalue.Optional(m, "title", &p.Title, yamlvalue.Line)
	yamlvalue.Optional(m, "document", &p.Document, yamlvalue.Line)
	if err := p.origin(m, stacks); err != nil {
		return nil, err
	}
	p.read(m)
	m.Done()
	if err := problemsOf(append(r.Problems, stacks.problems...)); err != nil {
		return nil, err
	}
	return p, nil
}

// origin reads the family, and the contents of its stack. If the family is unclear it
// stays "", and the checks that depend on it are left out.
func (p *Profile) origin(m *yamlvalue.Map, stacks *stackLoader) error {
	yamlvalue.Required(m, "family", &p.Family, yamlvalue.Word(DRF, FormJSON, PlainJSON))
	if !yamlvalue.Required(m, "stack", &p.Stack, stacks.name) {
		return nil
	}
	s, err := stacks.load(p.Stack)
	if err != nil {
		return err
	}
	if s.family == "" {
		return nil // the stack's own file is broken
	}
	if !p.Family.oneOf(s.family) {
		v, _ := m.Get("stack")
		v.Refuse("%s is a stack of family %s, not %s", p.Stack, s.family, p.Family)
		return nil
	}
	p.Family, p.Errors, p.Rules, p.Messages = s.family, s.errors, s.rules, s.messages
	return nil
}

// read reads the rest of the file, in an order in which nothing depends on what comes
// later.
func (p *Profile) read(m *yamlvalue.Map) {
	yamlvalue.Optional(m, "scheme", &p.Scheme, token)
	yamlvalue.Required(m, "tokens", &p.Tokens, tokens)
	yamlvalue.Optional(m, "passwords", &p.Passwords, p.Family.passwords)
	yamlvalue.Optional(m, "trailing_slash", &p.TrailingSlash, slashRule)
	yamlvalue.Optional(m, "other_paths", &p.OtherPaths, yamlvalue.Word(AccessOpen, AccessToken))
	yamlvalue.Optional(m, "throttling", &p.Throttling, disclosure)
	yamlvalue.Optional(m, "headers", &p.Headers, headers)
	if p.Family.oneOf(PlainJSON) {
		yamlvalue.Optional(m, "preflight_headers", &p.PreflightHeaders, headers)
	} else {
		m.Forbid("preflight_headers", "is of family %s alone", PlainJSON)
	}
	p.readCORS(m)
	p.shapes(m)
	if v, ok := m.Get("rules"); ok {
		readRules(v, p.Family, &p.Rules, false)
	}
	yamlvalue.Required(m, "endpoints", &p.Endpoints, p.endpoints)
	if v, ok := m.Get("messages"); ok {
		readMessages(v, p.Family, p.Messages, false)
	}
}

// shapes reads what failures look like. By default a form with errors answers 200. Its
// body differs from API to API, so that the profile has to have it.
func (p *Profile) shapes(m *yamlvalue.Map) {
	given := &yamlvalue.Map{}
	v, ok := m.Get("errors")
	if ok {
		given = readErrors(v, p.Family, &p.Errors)
	}
	if p.Family != FormJSON {
		return
	}
	if p.Errors.Status == 0 {
		p.Errors.Status = http.StatusOK
	}
	if _, body := given.Get("body"); !ok {
		m.RefuseKey("errors", "is missing: it says with body what a form that failed answers")
	} else if !body && !given.Broken {
		v.RefuseKey("body", "is missing")
	}
}

// tokens reads what tokens the API issues.
func tokens(v yamlvalue.Value) (Tokens, bool) {
	m := v.Mapping()
	t := Tokens{Realm: "default", Match: MatchExact}
	counted := yamlvalue.Required(m, "hex", &t.Hex, yamlvalue.Integer(32, 128))
	limited := yamlvalue.Required(m, "ttl", &t.TTL, ttl.Read)
	yamlvalue.Required(m, "per_user", &t.PerUser, yamlvalue.Word(ManyPerUser, OnePerUser))
	yamlvalue.Optional(m, "sliding", &t.Sliding, yamlvalue.Boolean)
	yamlvalue.Optional(m, "realm", &t.Realm, yamlvalue.Identifier)
	yamlvalue.Optional(m, "match", &t.Match, yamlvalue.Word(MatchExact, MatchKnox42))
	m.Renamed("legacy_digests", "legacy_format")
	yamlvalue.Optional(m, "legacy_format", &t.LegacyFormat, yamlvalue.Word(LegacyAuthtoken, LegacyKnox41, LegacyKnox42, LegacyKnox5))
	if kept, _ := m.Get("legacy_format"); counted {
		switch {
		case t.LegacyFormat == LegacyAuthtoken && t.Hex > authtokenLength:
			kept.Refuse("a token of %d digits does not fit authtoken's column: hex has to be at most %d", t.Hex, authtokenLength)
		case (t.LegacyFormat == LegacyKnox41 || t.LegacyFormat == LegacyKnox42) && t.Hex%2 != 0:
			kept.Refuse("knox up to 4.2 reads tokens as whole bytes: hex has to be even")
		}
	}
	if sliding, _ := m.Get("sliding"); t.Sliding && limited {
		switch {
		case t.TTL == 0:
			sliding.Refuse("tokens that never expire have no end to move: ttl is %s", ttl.Never)
		case t.TTL <= slideEvery:
			sliding.Refuse("a token's end is moved once a minute at most: ttl has to be longer")
		}
	}
	m.Done()
	return t, true
}

// authtokenLength is the most characters of a key of Django REST framework's authtoken
// (rest_framework/authtoken/models.py, Token.key).
const authtokenLength = 40

// slideEvery is how often at most the engine extends a token in use.
const slideEvery = time.Minute

// oneOf tells whether f is one of the families, or unclear.
func (f Family) oneOf(families ...Family) bool { return f == "" || slices.Contains(families, f) }

// oneOf tells whether a is one of the actions, or unclear.
func (a Action) oneOf(actions ...Action) bool { return a == "" || slices.Contains(actions, a) }

// oneOf tells whether r is one of the roles, or unclear.
func (r Role) oneOf(roles ...Role) bool { return r == "" || slices.Contains(roles, r) }
