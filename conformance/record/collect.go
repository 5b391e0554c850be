package record

import (
	"iter"
	"strings"

	"github.com/authcompat/authcompat/conformance/wire"
)

// collect finds the secrets in the calls. Those that a response has before any request are issued.
func (v *vault) collect(calls []Call) {
	for _, c := range calls {
		for _, f := range append(queryFields(c.Request.Path), bodyFields(c.Request.Headers, c.Request.Body)...) {
			v.word(f.name)
		}
		for _, f := range bodyFields(c.Response.Headers, c.Response.Body) {
			v.word(f.name)
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
		for _, f := range bodyFields(c.Response.Headers, c.Response.Body) {
			if f.text && len(f.value) >= minFound {
				shown[f.value] = true
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
		switch name := strings.ToLower(h.Name); {
		case name == "authorization" || name == "proxy-authorization":
			v.collectCredentials(h.Value)
		case name == "cookie":
			for _, pair := range cookies(h.Value) {
				v.add(pair[1])
			}
		case secretName().MatchString(name):
			v.add(h.Value)
		case isAddress(h.Value):
			v.collectFields(addressFields(h.Value))
			v.collectSegments(h.Value)
		}
	}
	v.collectFields(append(queryFields(r.Path), bodyFields(r.Headers, r.Body)...))
	v.collectSegments(r.Path)
}

// collectFields adds what a request has under names of secrets.
func (v *vault) collectFields(fields []field) {
	for _, f := range fields {
		if f.text && secretName().MatchString(f.name) {
			s := v.add(f.value)
			if s != nil && passwordName().MatchString(f.name) {
				s.password = true
			}
		}
	}
}

// collectSegments adds what a path has of identifiers that nobody could guess.
func (v *vault) collectSegments(path string) {
	for segment := range segments(path) {
		if opaque(segment) {
			v.add(segment)
		}
	}
}

// segments returns the parts of an address between its signs.
func segments(address string) iter.Seq[string] {
	return strings.FieldsFuncSeq(address, func(r rune) bool { return strings.ContainsRune("/?#&<>", r) })
}

// collectCredentials adds the credentials of an Authorization header, whole and without what is around
// them, and the password of HTTP Basic.
func (v *vault) collectCredentials(value string) {
	scheme, credentials := splitCredentials(value)
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
		if _, password, ok := basicCredentials(credentials); ok {
			if s := v.add(password); s != nil {
				s.password = true
			}
		}
	}
}

func (v *vault) collectResponse(r wire.Response) {
	issue := func(value string) {
		if known := v.secrets[value]; known == nil {
			v.add(value).issued = true
		}
	}
	for _, h := range r.Headers {
		if strings.EqualFold(h.Name, "Set-Cookie") {
			if _, value := setCookie(h.Value); value != "" {
				issue(value)
			}
			continue
		}
		if strings.EqualFold(h.Name, "Location") || isAddress(h.Value) {
			for _, f := range addressFields(h.Value) {
				if secretName().MatchString(f.name) && len(f.value) >= 8 {
					issue(f.value)
				}
			}
			for segment := range segments(h.Value) {
				if opaque(segment) {
					issue(segment)
				}
			}
		}
		if secretName().MatchString(h.Name) && !strings.EqualFold(h.Name, "WWW-Authenticate") && (opaque(h.Value) || issuable(h.Value)) {
			issue(h.Value)
		}
	}
	for _, f := range bodyFields(r.Headers, r.Body) {
		named := secretName().MatchString(f.name) && !f.list && issuable(f.value)
		switch {
		case f.text && (named || opaque(f.value)) && !isTime(f.value):
			issue(f.value)
		case f.text && isHash(f.value):
			v.add(f.value) // no placeholder has its form
		}
	}
	for _, text := range inLink().FindAllStringSubmatch(string(r.Body), -1) {
		if opaque(text[1]) && len(r.Body) < 1<<20 {
			issue(text[1]) // in a link
		}
	}
}
