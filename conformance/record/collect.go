package record

import (
	"iter"
	"strings"

	"github.com/authcompat/authcompat/conformance/internal/fields"
	"github.com/authcompat/authcompat/conformance/wire"
)

// collect finds the secrets in the calls. Those that a response has before any request are issued.
func (v *vault) collect(calls []Call) {
	for _, c := range calls {
		for _, f := range append(fields.OfQuery(c.Request.Path), fields.OfBody(c.Request.Headers, c.Request.Body)...) {
			v.word(f.Name)
		}
		for _, f := range fields.OfBody(c.Response.Headers, c.Response.Body) {
			v.word(f.Name)
		}
	}
	shown := map[string]bool{}
	for _, c := range calls {
		before := len(v.secrets)
		v.collectRequest(c.Request)
		if len(v.secrets) > before {
			v.issue(shown)
		}
		v.collectResponse(c.Response)
		for _, f := range fields.OfBody(c.Response.Headers, c.Response.Body) {
			if f.Text && len(f.Value) >= minFound {
				shown[f.Value] = true
			}
		}
	}
	v.table = newTable()
	for _, s := range v.secrets {
		if v.found(s) {
			v.table.addForms(s.value, entry{secret: s}, len(s.value) < minInside)
		}
	}
}

// issue marks the secrets that an earlier response has shown, whatever they look like.
func (v *vault) issue(shown map[string]bool) {
	for _, s := range v.secrets {
		if !s.password && shown[s.value] && !v.words[s.value] {
			s.issued = true
		}
	}
}

// word notes the name of a field. A secret that is one stands everywhere, in descriptions of fields and
// messages about them.
func (v *vault) word(name string) {
	if fieldName().MatchString(name) {
		v.words[name] = true
	}
}

func (v *vault) collectRequest(r wire.Request) {
	for _, h := range r.Headers {
		switch {
		case fields.IsCredentials(h.Name):
			v.collectCredentials(h.Value)
		case fields.IsCookie(h.Name):
			for _, pair := range fields.Cookies(h.Value) {
				v.add(pair[1])
			}
		case fields.IsAddress(h.Value):
			v.collectSegments(h.Value)
		}
	}
	v.collectFields(fields.Secrets(r))
	v.collectSegments(r.Path)
}

// collectFields adds the secrets of a request.
func (v *vault) collectFields(secrets []fields.Field) {
	for _, f := range secrets {
		if s := v.add(f.Value); s != nil && fields.IsPassword(f.Name) {
			s.password = true
		}
	}
}

// collectSegments adds what a path has of identifiers that nobody could guess.
func (v *vault) collectSegments(path string) {
	for segment := range segments(path) {
		if fields.IsOpaque(segment) {
			v.add(segment)
		}
	}
}

// segments returns the parts of an address between its signs.
func segments(address string) iter.Seq[string] {
	return strings.FieldsFuncSeq(address, func(r rune) bool { return strings.ContainsRune("/?#&;<>", r) })
}

// collectCredentials adds the credentials of an Authorization header, whole and without what is around
// them, and the password of HTTP Basic.
func (v *vault) collectCredentials(value string) {
	scheme, credentials := fields.SplitCredentials(value)
	v.add(credentials)
	for word := range strings.FieldsFuncSeq(credentials, func(r rune) bool { return r == ' ' || r == '\t' || r == ',' || r == '"' }) {
		_, after, named := strings.Cut(word, "=")
		if named && strings.Trim(after, "=") != "" {
			word = after
		}
		if len(word) >= minFound {
			v.add(word)
		}
	}
	if strings.EqualFold(strings.TrimSpace(scheme), "basic") {
		if _, password, ok := fields.BasicCredentials(credentials); ok {
			v.collectFields(fields.Named("password", password))
		}
	}
}

func (v *vault) collectResponse(r wire.Response) {
	issue := func(value string) {
		if known := v.secrets[value]; known == nil {
			v.add(value).issued = true
		}
	}
	// Some answers have the word before it that Authorization wants.
	issueNamed := func(value string) {
		if _, credentials := fields.SplitCredentials(value); fields.IsOpaque(value) || fields.IsIssuable(value) {
			issue(value)
		} else if fields.IsOpaque(credentials) || fields.IsIssuable(credentials) {
			issue(credentials)
		}
	}
	issueWithin := func(value string) {
		for _, f := range fields.Within(value) {
			if f.Text && fields.IsSecret(f.Name) && fields.IsIssuable(f.Value) && !fields.IsWord(f.Value) && !isTime(f.Value) {
				issue(f.Value)
			}
		}
	}
	for _, h := range r.Headers {
		if strings.EqualFold(h.Name, "Set-Cookie") {
			if _, value := fields.SetCookie(h.Value); value != "" {
				issue(value)
			}
			continue
		}
		if strings.EqualFold(h.Name, "Location") || fields.IsAddress(h.Value) || strings.EqualFold(h.Name, "Refresh") {
			for _, f := range fields.OfAddress(h.Value) {
				if fields.IsSecret(f.Name) && len(f.Value) >= 8 {
					issue(f.Value)
				}
			}
			for segment := range segments(h.Value) {
				if fields.IsOpaque(segment) {
					issue(segment)
				}
			}
		}
		if fields.IsSecretHeader(h.Name) {
			issueNamed(h.Value)
		}
		issueWithin(h.Value)
	}
	for _, f := range fields.OfBody(r.Headers, r.Body) {
		named := fields.IsSecret(f.Name) && !f.List && fields.IsIssuable(f.Value)
		switch {
		case f.Text && (named || fields.IsOpaque(f.Value)) && !isTime(f.Value):
			issue(f.Value)
		case f.Text && fields.IsHash(f.Value):
			v.add(f.Value) // no placeholder has its form
		case f.Text && !f.List && fields.IsSecret(f.Name):
			switch word := !strings.ContainsAny(f.Value, " \t\r\n") && !isTime(f.Value); {
			case word && fields.IsPassword(f.Name) && r.Status/100 == 2 && !fields.IsWord(f.Value):
				v.add(f.Value) // one that the server has drawn
			case word && len(f.Value) >= 16 && strings.ContainsAny(f.Value, "0123456789") && !fields.IsToken68(f.Value):
				v.add(f.Value) // a signed one, as Django makes them, with colons
			default:
				issueNamed(f.Value)
			}
		case f.Text:
			issueWithin(f.Value)
		}
	}
	if fields.IsLoose(r.Headers, r.Body) && !isPage(r) {
		issueWithin(string(r.Body))
		for word := range strings.FieldsFuncSeq(string(r.Body), func(r rune) bool { return r <= ' ' || strings.ContainsRune(`"'<>()[],;:=`, r) }) {
			if word = strings.TrimRight(word, ".!"); !strings.Contains(word, "/") && fields.IsOpaque(word) && !isTime(word) {
				issue(word)
			}
		}
	}
	for _, text := range inLink().FindAllStringSubmatch(string(r.Body), -1) {
		if fields.IsOpaque(text[1]) && len(r.Body) < 1<<20 {
			issue(text[1]) // in a link
		}
	}
}
