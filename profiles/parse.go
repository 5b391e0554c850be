package profiles

import (
	"io/fs"
	"net/http"
	"slices"

	"github.com/authcompat/authcompat/profiles/internal/yamlvalue"
	"github.com/authcompat/authcompat/profiles/yamlfile"
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
	return parseWith(newReader(filename), data, files)
}

func parseWith(r *yamlfile.Reader, data []byte, files fs.FS) (*Profile, error) {
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

// Outline returns what Parse reads: all keys of profiles, and their values. The passes in it are named FAMILY/ACTION.
// Where a value can be of several types the samples have the one that a stand-in has not.
func Outline() *yamlfile.Outline {
	const sample = `
tokens: {sliding: {}}
authentication: [{basic: site, token: Token}]
passwords: {validators: [min_length]}
attributes: {"*": text}
`
	o := yamlfile.NewOutline()
	stacks := stackLoader{files: builtin}
	seen := map[Family]bool{}
	for _, name := range names(builtin, stackFolder) {
		s, err := stacks.load(name)
		if err != nil || seen[s.family] {
			continue // the stacks of a family are read alike
		}
		seen[s.family] = true
		for _, action := range s.family.actions() {
			head := "family: " + string(s.family) + "\nstack: " + name + "\n"
			endpoint := "endpoints: {\"*\": {action: " + string(action) + ", path: /x/"
			rests := []string{sample + endpoint + ", authentication: [{basic: site, token: Token}]}}\n", endpoint + "}}\n"}
			for _, role := range action.rule().takesIn(s.family) {
				rests = append(rests, endpoint+", fields: {\"*\": {role: "+string(role)+"}}}}\n")
			}
			for _, rest := range rests {
				r := newReader("")
				r.Outline, o.Pass = o, string(s.family)+"/"+string(action)
				_, _ = parseWith(r, []byte(head+rest), builtin) // its problems mean nothing
			}
		}
	}
	return o
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
	p.authentication(m)
	yamlvalue.Required(m, "tokens", &p.Tokens, tokens)
	p.readNames(m)
	yamlvalue.Optional(m, "attributes", &p.Attributes, attributes)
	yamlvalue.Optional(m, "passwords", &p.Passwords, p.Family.passwords)
	ofFamily(m, p.Family, DRF, "", "mails", &p.Mails, mails)
	yamlvalue.Optional(m, "trailing_slash", &p.TrailingSlash, slashRule)
	yamlvalue.Optional(m, "other_paths", &p.OtherPaths, yamlvalue.Word(AccessOpen, AccessToken))
	yamlvalue.Optional(m, "throttling", &p.Throttling, disclosure)
	yamlvalue.Optional(m, "headers", &p.Headers, headers)
	ofFamily(m, p.Family, PlainJSON, "", "preflight_headers", &p.PreflightHeaders, headers)
	p.readCORS(m)
	yamlvalue.Optional(m, "formats", &p.Formats, formats)
	p.shapes(m)
	if v, ok := m.Get("rules"); ok {
		readRules(v, p.Family, &p.Rules, false)
	}
	yamlvalue.Required(m, "endpoints", &p.Endpoints, p.endpoints)
	p.checkMails(m)
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

// ofFamily reads a key that only one family has, and refuses it in the others; why is what the refusal
// says besides, or empty.
func ofFamily[T any](m *yamlvalue.Map, f, only Family, why, name string, into *T, read func(yamlvalue.Value) (T, bool)) {
	if f.oneOf(only) {
		yamlvalue.Optional(m, name, into, read)
		return
	}
	if why != "" {
		why = ": " + why
	}
	m.Forbid(name, "is of family %s alone%s", only, why)
}

// oneOf tells whether f is one of the families, or unclear.
func (f Family) oneOf(families ...Family) bool { return f == "" || slices.Contains(families, f) }

// oneOf tells whether a is one of the actions, or unclear.
func (a Action) oneOf(actions ...Action) bool { return a == "" || slices.Contains(actions, a) }

// oneOf tells whether r is one of the roles, or unclear.
func (r Role) oneOf(roles ...Role) bool { return r == "" || slices.Contains(roles, r) }
