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
		case strings.HasSuffix(strings.TrimSuffix(name, "2"), "cookie"): // and what proxies make of it
			for _, pair := range cookies(h.Value) {
				v.add(pair[1])
			}
		case secretName().MatchString(name):
			v.add(h.Value)
			if _, credentials := splitCredentials(h.Value); opaque(credentials) || issuable(credentials) {
				v.add(credentials)
			}
		default:
			if isAddress(h.Value) {
				v.collectFields(addressFields(h.Value))
				v.collectSegments(h.Value)
			}
			v.collectWithin(h.Value)
		}
	}
	fields := append(queryFields(r.Path), bodyFields(r.Headers, r.Body)...)
	v.collectFields(fields)
	v.collectSegments(r.Path)
	v.collectWithin(r.Path)
	for _, f := range append(fields, field{value: string(r.Body), text: len(fields) == 0 || isLoose(r.Headers, r.Body)}) {
		if f.text && !secretName().MatchString(f.name) {
			v.collectWithin(f.value)
		}
	}
	if isLoose(r.Headers, r.Body) {
		v.collectFields(unquotedFields(string(r.Body)))
	}
}

// collectWithin adds what a value has within it under names of secrets.
func (v *vault) collectWithin(value string) {
	for _, f := range fieldsWithin(value, maxWithin) {
		if !isWord(f.value) {
			v.collectFields([]field{f})
		}
	}
}

// collectFields adds what a request has under names of secrets.
func (v *vault) collectFields(fields []field) {
	for _, f := range fields {
		if f.text && secretName().MatchString(f.name) {
			for _, value := range variants(f.value) {
				if s := v.add(value); s != nil && passwordName().MatchString(f.name) {
					s.password = true
				}
			}
		}
	}
}

// isLoose reports whether a body is neither JSON nor a form, nor a multipart form.
func isLoose(headers []wire.Header, body []byte) bool {
	if _, err := parseJSON(body); err == nil || len(body) == 0 {
		return false
	}
	response := wire.Response{Headers: headers}
	kind, _ := response.Value("Content-Type")
	return !strings.HasPrefix(strings.ToLower(kind), "application/x-www-form-urlencoded") && !formLike().Match(body) && !strings.HasPrefix(strings.ToLower(kind), "multipart/")
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
	return strings.FieldsFuncSeq(address, func(r rune) bool { return strings.ContainsRune("/?#&;<>", r) })
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
			v.collectFields([]field{{name: "password", value: password, text: true}})
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
		if _, credentials := splitCredentials(value); opaque(value) || issuable(value) {
			issue(value)
		} else if opaque(credentials) || issuable(credentials) {
			issue(credentials)
		}
	}
	issueWithin := func(value string) {
		for _, f := range fieldsWithin(value, maxWithin) {
			if f.text && secretName().MatchString(f.name) && issuable(f.value) && !isWord(f.value) && !isTime(f.value) {
				issue(f.value)
			}
		}
	}
	for _, h := range r.Headers {
		if strings.EqualFold(h.Name, "Set-Cookie") {
			if _, value := setCookie(h.Value); value != "" {
				issue(value)
			}
			continue
		}
		if strings.EqualFold(h.Name, "Location") || isAddress(h.Value) || strings.EqualFold(h.Name, "Refresh") {
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
		if secretName().MatchString(h.Name) && !strings.EqualFold(h.Name, "WWW-Authenticate") {
			issueNamed(h.Value)
		}
		issueWithin(h.Value)
	}
	for _, f := range bodyFields(r.Headers, r.Body) {
		named := secretName().MatchString(f.name) && !f.list && issuable(f.value)
		switch {
		case f.text && (named || opaque(f.value)) && !isTime(f.value):
			issue(f.value)
		case f.text && isHash(f.value):
			v.add(f.value) // no placeholder has its form
		case f.text && !f.list && secretName().MatchString(f.name):
			switch word := !strings.ContainsAny(f.value, " \t\r\n") && !isTime(f.value); {
			case word && passwordName().MatchString(f.name) && r.Status/100 == 2 && !isWord(f.value):
				v.add(f.value) // one that the server has drawn
			case word && len(f.value) >= 16 && strings.ContainsAny(f.value, "0123456789") && !isToken68(f.value):
				v.add(f.value) // a signed one, as Django makes them, with colons
			default:
				issueNamed(f.value)
			}
		case f.text:
			issueWithin(f.value)
		}
	}
	if isLoose(r.Headers, r.Body) && !isPage(r) {
		issueWithin(string(r.Body))
		for word := range strings.FieldsFuncSeq(string(r.Body), func(r rune) bool { return r <= ' ' || strings.ContainsRune(`"'<>()[],;:=`, r) }) {
			if word = strings.TrimRight(word, ".!"); !strings.Contains(word, "/") && opaque(word) && !isTime(word) {
				issue(word)
			}
		}
	}
	for _, text := range inLink().FindAllStringSubmatch(string(r.Body), -1) {
		if opaque(text[1]) && len(r.Body) < 1<<20 {
			issue(text[1]) // in a link
		}
	}
}
