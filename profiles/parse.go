package profiles

import (
	"io/fs"
	"net/http"
	"slices"
	"time"
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
	m := root.mapping()
	required(m, "name", &p.Name, identifier)
	optional(m, "title", &p.Title, line)
	optional(m, "document", &p.Document, line)
	if err := p.origin(m, stacks); err != nil {
		return nil, err
	}
	p.read(m)
	m.done()
	if err := problemsOf(append(r.Problems, stacks.problems...)); err != nil {
		return nil, err
	}
	return p, nil
}

// origin reads the family, and the contents of its stack. If the family is unclear it
// stays "", and the checks that depend on it are left out.
func (p *Profile) origin(m *mapReader, stacks *stackLoader) error {
	required(m, "family", &p.Family, word(DRF, FormJSON, PlainJSON))
	if !required(m, "stack", &p.Stack, stacks.name) {
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
		v, _ := m.get("stack")
		v.Refuse("%s is a stack of family %s, not %s", p.Stack, s.family, p.Family)
		return nil
	}
	p.Family, p.Errors, p.Rules, p.Messages = s.family, s.errors, s.rules, s.messages
	return nil
}

// read reads the rest of the file, in an order in which nothing depends on what comes
// later.
func (p *Profile) read(m *mapReader) {
	optional(m, "scheme", &p.Scheme, token)
	required(m, "tokens", &p.Tokens, tokens)
	optional(m, "trailing_slash", &p.TrailingSlash, word(SlashExact, SlashRedirect, SlashOptional))
	optional(m, "other_paths", &p.OtherPaths, word(AccessOpen, AccessToken))
	optional(m, "throttling", &p.Throttling, disclosure)
	optional(m, "headers", &p.Headers, headers)
	if p.Family.oneOf(PlainJSON) {
		optional(m, "preflight_headers", &p.PreflightHeaders, headers)
	} else {
		m.forbid("preflight_headers", "is of family %s alone", PlainJSON)
	}
	p.shapes(m)
	if v, ok := m.get("rules"); ok {
		readRules(v, p.Family, &p.Rules, false)
	}
	required(m, "endpoints", &p.Endpoints, p.endpoints)
	if v, ok := m.get("messages"); ok {
		readMessages(v, p.Family, p.Messages, false)
	}
}

// shapes reads what failures look like. By default a form with errors answers 200. Its
// body differs from API to API, so that the profile has to have it.
func (p *Profile) shapes(m *mapReader) {
	given := &mapReader{}
	v, ok := m.get("errors")
	if ok {
		given = readErrors(v, p.Family, &p.Errors)
	}
	if p.Family != FormJSON {
		return
	}
	if p.Errors.Status == 0 {
		p.Errors.Status = http.StatusOK
	}
	if _, body := given.get("body"); !ok {
		m.RefuseKey("errors", "is missing: it says with body what a form that failed answers")
	} else if !body && !given.broken {
		v.RefuseKey("body", "is missing")
	}
}

// tokens reads what tokens the API issues.
func tokens(v value) (Tokens, bool) {
	m := v.mapping()
	t := Tokens{Realm: "default", Match: MatchExact}
	counted := required(m, "hex", &t.Hex, integer(32, 128))
	limited := required(m, "ttl", &t.TTL, ttl)
	required(m, "per_user", &t.PerUser, word(ManyPerUser, OnePerUser))
	optional(m, "sliding", &t.Sliding, boolean)
	optional(m, "realm", &t.Realm, identifier)
	optional(m, "match", &t.Match, word(MatchExact, MatchKnox42))
	m.renamed("legacy_digests", "legacy_format")
	optional(m, "legacy_format", &t.LegacyFormat, word(LegacyAuthtoken, LegacyKnox41, LegacyKnox42, LegacyKnox5))
	if kept, _ := m.get("legacy_format"); counted {
		switch {
		case t.LegacyFormat == LegacyAuthtoken && t.Hex > authtokenLength:
			kept.Refuse("a token of %d digits does not fit authtoken's column: hex has to be at most %d", t.Hex, authtokenLength)
		case (t.LegacyFormat == LegacyKnox41 || t.LegacyFormat == LegacyKnox42) && t.Hex%2 != 0:
			kept.Refuse("knox up to 4.2 reads tokens as whole bytes: hex has to be even")
		}
	}
	if sliding, _ := m.get("sliding"); t.Sliding && limited {
		switch {
		case t.TTL == 0:
			sliding.Refuse("tokens that never expire have no end to move: ttl is %s", never)
		case t.TTL <= slideEvery:
			sliding.Refuse("a token's end is moved once a minute at most: ttl has to be longer")
		}
	}
	m.done()
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
