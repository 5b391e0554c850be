package record

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/authcompat/authcompat/conformance/internal/fields"
)

// A renderer writes the texts of one sequence as templates of exchange files.
type renderer struct {
	d         *Draft
	s         *sequence
	refs      map[*secret]string // the captured secrets and the variables, by the names that references use
	ids       map[string]string  // the captured ids
	person    *person            // who is named in the request
	response  bool               // what is written is expected
	dependent bool               // a reference was written
	special   bool               // one of them is of a user whose values encodings change
}

// text writes a text.
func (r *renderer) text(raw string) string {
	var b templateWriter
	b.response = r.response
	for i := 0; i < len(raw); {
		e, ok := r.d.vault.table.at(raw, i)
		if !ok {
			_, size := utf8.DecodeRuneInString(raw[i:])
			b.literal(raw[i : i+size])
			i += size
			continue
		}
		r.entry(&b, e)
		i += len(e.form)
	}
	return b.String()
}

// entry writes what stands for a form.
func (r *renderer) entry(b *templateWriter, e entry) {
	switch {
	case e.secret != nil:
		r.secret(b, e.secret, e.encode, e.form)
	case !r.s.has(e.person):
		text := e.person.written
		if e.email {
			text = e.person.name + "@example.com"
		}
		if e.upper {
			text = strings.ToUpper(text)
		}
		b.literal(e.encode(text))
	default:
		r.dependent = true
		r.special = r.special || !isPlain(e.form)
		switch {
		case e.upper:
			b.reference("upper(" + e.person.name + ".username)")
		case !e.email:
			b.reference(e.person.name + ".username")
		case r.isNew(e.person):
			b.reference(e.person.name + ".username")
			b.literal("@example.com")
		default:
			b.reference(e.person.name + ".email")
		}
	}
}

// secret writes what stands for a secret in one of its forms.
func (r *renderer) secret(b *templateWriter, s *secret, encode func(string) string, form string) {
	if name := r.refs[s]; name != "" && form == s.value {
		r.dependent = true
		r.special = r.special || !isPlain(form)
		b.reference(name)
		return
	}
	if p := r.owner(s); p != nil && !r.response && (form == s.value || isPlain(form)) {
		r.dependent = true
		r.special = r.special || !isPlain(s.value)
		b.reference(p.name + ".password")
		return
	}
	b.literal(encode(s.shadow))
}

// owner returns the user of the sequence whose password a secret is.
func (r *renderer) owner(s *secret) *person {
	if p := r.person; p != nil && p.known && p.password == s.value {
		return p
	}
	for _, p := range r.s.people {
		if p.known && p.password == s.value {
			return p
		}
	}
	return nil
}

// value writes a text that is a whole value in the place of a secret.
func (r *renderer) value(raw string) string {
	s := r.d.vault.secrets[raw]
	if s == nil {
		return r.text(raw)
	}
	b := templateWriter{response: r.response}
	r.secret(&b, s, func(text string) string { return text }, raw)
	return b.String()
}

// named writes the value of a field.
func (r *renderer) named(name, raw string) string {
	if fields.IsSecret(name) {
		return r.value(raw)
	}
	return r.text(raw)
}

func (r *renderer) isNew(p *person) bool { return p.registered || !p.known }

// header writes the value of a request's header.
func (r *renderer) header(name, raw string) string {
	switch strings.ToLower(name) {
	case "authorization", "proxy-authorization":
		scheme, credentials := fields.SplitCredentials(raw)
		if strings.EqualFold(strings.TrimSpace(scheme), "basic") {
			return r.text(scheme) + r.basic(credentials)
		}
		return r.text(scheme) + r.value(credentials)
	case "cookie":
		var b strings.Builder
		for i, pair := range strings.Split(raw, ";") {
			if i > 0 {
				b.WriteString(";")
			}
			cookie, value, ok := strings.Cut(pair, "=")
			if !ok {
				b.WriteString(r.value(pair))
				continue
			}
			b.WriteString(r.text(cookie) + "=")
			if inner := strings.Trim(value, `"`); inner != value && len(value) == len(inner)+2 {
				b.WriteString(`"` + r.value(inner) + `"`)
			} else {
				b.WriteString(r.value(value))
			}
		}
		return b.String()
	}
	return r.named(name, raw)
}

// basic writes the credentials of HTTP Basic.
func (r *renderer) basic(credentials string) string {
	username, password, ok := fields.BasicCredentials(credentials)
	if !ok {
		raw, err := base64.StdEncoding.DecodeString(credentials)
		if err == nil && utf8.Valid(raw) {
			return base64.StdEncoding.EncodeToString([]byte(shadow(string(raw))))
		}
		return r.value(credentials)
	}
	for _, p := range r.s.people {
		whole := base64.StdEncoding.EncodeToString([]byte(username + ":" + password))
		if p.known && p.username == username && p.password == password && whole == credentials {
			r.dependent = true
			return "${basic(" + p.name + ")}"
		}
	}
	if s := r.d.vault.secrets[password]; s != nil {
		password = s.shadow
	}
	for _, p := range r.d.people {
		if p.username == username {
			username = p.written
		}
	}
	encoding := base64.StdEncoding
	if !strings.HasSuffix(credentials, "=") {
		encoding = base64.RawStdEncoding
	}
	return encoding.EncodeToString([]byte(username + ":" + password))
}

// path writes the path of a request: a segment that is a captured id becomes a reference.
func (r *renderer) path(raw string) string {
	path, query, hasQuery := strings.Cut(raw, "?")
	segments := strings.Split(path, "/")
	for i, segment := range segments {
		if name := r.ids[segment]; name != "" {
			segments[i] = "${" + name + "}"
			continue
		}
		segments[i] = r.text(segment)
	}
	written := strings.Join(segments, "/")
	if !hasQuery {
		return written
	}
	pairs := strings.Split(query, "&")
	for i, pair := range pairs {
		name, value, ok := strings.Cut(pair, "=")
		switch {
		case !ok:
			pairs[i] = r.text(pair)
		case fields.IsSecret(name) && fields.Unescaped(value) == value:
			pairs[i] = r.text(name) + "=" + r.value(value)
		default:
			pairs[i] = r.text(pair)
		}
	}
	return written + "?" + strings.Join(pairs, "&")
}

// isPlain reports whether JSON, forms and paths leave a text as it is.
func isPlain(text string) bool { return unreserved().MatchString(text) }

// A templateWriter writes a template.
type templateWriter struct {
	strings.Builder
	response bool
	binary   []byte
	dollar   bool // the last character of a literal
}

// literal writes text, escaped so that it stands for itself.
func (b *templateWriter) literal(text string) {
	for i := 0; i < len(text); {
		c, size := utf8.DecodeRuneInString(text[i:])
		piece := text[i : i+size]
		i += size
		if c == utf8.RuneError && size == 1 || c != '\n' && c != ' ' && !unicode.IsGraphic(c) || c == '\u0085' || c == '\ufeff' || unicode.IsSpace(c) && c != '\n' && c != ' ' {
			b.binary = append(b.binary, piece...)
			continue
		}
		b.flush()
		switch {
		case piece == "{" && b.dollar:
			b.WriteString("${") // with the $ before it
		case piece == "<" && b.response:
			b.WriteString("<<")
		default:
			b.WriteString(piece)
		}
		b.dollar = piece == "$"
	}
}

// reference writes a reference.
func (b *templateWriter) reference(name string) {
	b.flush()
	b.open()
	b.WriteString("${" + name + "}")
}

// open goes before ${: after a $ it would be text.
func (b *templateWriter) open() {
	if b.dollar {
		whole := b.Builder.String()
		b.Reset()
		b.WriteString(whole[:len(whole)-1] + "${bytes(24)}")
	}
	b.dollar = false
}

// placeholder writes a placeholder.
func (b *templateWriter) placeholder(text string) {
	b.flush()
	b.dollar = false
	b.WriteString("<" + text + ">")
}

// flush writes the bytes that are no text.
func (b *templateWriter) flush() {
	if len(b.binary) > 0 {
		b.open()
		fmt.Fprintf(&b.Builder, "${bytes(%s)}", hex.EncodeToString(b.binary))
		b.binary = nil
	}
}

// String returns the template.
func (b *templateWriter) String() string {
	b.flush()
	return b.Builder.String()
}
