package differential

import (
	"encoding/base64"
	"fmt"
	"net/url"
	"strings"
)

// A pair is one field of a body, with its value both as text and as JSON.
type pair struct{ name, text, json string }

// body returns a body and its media type, "" for an empty one.
func (g *Generator) body(e Endpoint) (mediaType string, body []byte) {
	if e.Body == NoBody && g.chance(80) {
		return "", nil
	}
	pairs := g.pairs(e)
	form := 25
	if e.Body == FormBody {
		form = 75
	}
	switch {
	case g.chance(3):
		return "", nil
	case g.chance(4):
		return pick(g, []string{jsonType, formType, "text/plain"}), pick(g, g.odd.bodies)
	case g.chance(form) && g.chance(70):
		return formType, g.formBody(pairs)
	case g.chance(form):
		return g.multipartBody(pairs)
	}
	return jsonType, g.jsonBody(pairs)
}

const (
	jsonType = "application/json"
	formType = "application/x-www-form-urlencoded"
)

// pairs returns the fields of an endpoint: sometimes one is missing, duplicate, unknown, or
// out of order.
func (g *Generator) pairs(e Endpoint) []pair {
	a := g.login()
	if e.registers() {
		a = g.fresh()
	}
	if g.api.Churn {
		a = g.asked(e, a)
	}
	link := g.link(e)
	var pairs []pair
	password := a.password
	for _, f := range e.Fields {
		text := g.value(f.Role, a)
		if link >= 0 && g.chance(90) {
			text = linked(f.Role, link, text)
		}
		if f.Role == NewPassword {
			password = text
		} else if f.Role == PasswordAgain && g.chance(80) {
			text = password
		}
		g.crowd.said(f.Role, text)
		p := pair{name: f.Name, text: text}
		p.json = g.jsonValue(text)
		switch {
		case g.chance(6):
			continue
		case g.chance(4):
			pairs = append(pairs, p)
			p.text = g.value(f.Role, a)
			p.json = g.jsonValue(p.text)
		case g.chance(2):
			p.name = pick(g, []string{strings.ToUpper(p.name), p.name + " ", p.name + "[]", p.name + "]=1", "_" + p.name, ""})
		}
		pairs = append(pairs, p)
	}
	if g.chance(10) {
		name := pick(g, []string{"id", "is_superuser", "token", "csrfmiddlewaretoken", "remember", "\u00e9", "non_field_errors"})
		pairs = append(pairs, pair{name, "1", "true"})
	}
	if g.chance(10) {
		g.rand.Shuffle(len(pairs), func(i, k int) { pairs[i], pairs[k] = pairs[k], pairs[i] })
	}
	return pairs
}

// oddBodies are bodies that are neither a form nor a JSON object.
func oddBodies() [][]byte {
	var all [][]byte
	for _, s := range []string{" ", "\n", "\x00", "null", "true", "false", "0", "-1", "1.5", "1e400", "NaN", "-Infinity", `""`, `"a"`, `"\u2028"`, "[]", "[1]", "[{}]", "{}", " {} ", "[{\"username\":\"john\"}]", "{", "}", "[", "]",
		"username", "=", "&", "&&&", "username=", "=john", "%", "\xff", "\xff\xfe", "\xfe\xff", "\xef\xbb\xbf{}", "\xef\xbb\xbf", "\xef\xbb", "{}\xe2\x80", "{}\xe2", "{}{}", "{} x", "'a'", "undefined", "<xml/>", "--", "//", "/* */ {}",
		"{\"username\": \"john\", \"password\": \"password\"} \n\t\r ", "{}\x00", "{}\v", "{}\f", "\u00a0{}", "\u2028{}", "nul", "nulll", "tru", "True", "None", "+1", "01", "-", "1.", ".5", "1e", "1e+", "0x10", "1_000", "\u0661", "-0", "-0.0", "1E5", "1e5", "1.0e-7", "123456789012345678901234567890"} {
		all = append(all, []byte(s))
	}
	for _, n := range []int{1, 100, 800} {
		all = append(all, []byte(strings.Repeat("[", n)+strings.Repeat("]", n)), []byte(strings.Repeat(`{"a":`, n)+"1"+strings.Repeat("}", n)), []byte(strings.Repeat("[", n)))
	}
	all = append(all, []byte(strings.Repeat("[", 100000)), []byte(strings.Repeat("9", 4300)), []byte(strings.Repeat("9", 4301)), []byte("-"+strings.Repeat("9", 4301)), []byte("["+strings.Repeat("9", 5000)+".5]"))
	return all
}

// formBody encodes a urlencoded form as one client or another does, and sometimes breaks it.
func (g *Generator) formBody(pairs []pair) []byte {
	escape := url.QueryEscape
	switch g.rand.IntN(6) {
	case 0:
		escape = url.PathEscape
	case 1:
		escape = func(s string) string { return strings.NewReplacer("&", "%26", "%", "%25", "+", "%2B").Replace(s) }
	case 2:
		escape = func(s string) string { return strings.ToLower(url.QueryEscape(s)) }
	}
	parts := make([]string, len(pairs))
	for i, p := range pairs {
		parts[i] = escape(p.name) + "=" + escape(p.text)
	}
	body := strings.Join(parts, "&")
	if !g.chance(20) {
		return []byte(body)
	}
	switch g.rand.IntN(8) {
	case 0:
		body = strings.ReplaceAll(body, "&", ";")
	case 1:
		body = "&" + body + "&&"
	case 2:
		body = strings.ReplaceAll(body, "=", "%3D")
	case 3:
		body += "&username"
	case 4:
		body += "&=" + pick(g, []string{"", "a", "%00"})
	case 5:
		body += pick(g, []string{"\r\n", "\n", " ", "%", "%e", "%zz", "%ff", "%C3%A9%ff", "\xff", "\xc3", "%F0%9F%98", "%ED%A0%80", "%00", "+", "%20", "\u00e9%C3%A9"})
	case 6:
		body += strings.Repeat("&a=b", pick(g, []int{1, 990, 995, 996, 997, 998, 999, 1000, 1001}))
	default:
		return g.spoil([]byte(body))
	}
	return []byte(body)
}

// multipartBody encodes a multipart form, and sometimes breaks it. It returns its media type too.
func (g *Generator) multipartBody(pairs []pair) (mediaType string, body []byte) {
	boundary := pick(g, []string{"xyz", "----WebKitFormBoundary7MA4YWxkTrZu0gW", "a'b(c)+_,-./:=?", strings.Repeat("b", 70)})
	mediaType = "multipart/form-data; boundary=" + boundary
	end := "\r\n"
	if g.chance(5) {
		end = "\n"
	}
	var b strings.Builder
	if g.chance(5) {
		b.WriteString("preamble" + end)
	}
	for _, p := range pairs {
		b.WriteString("--" + boundary + end)
		b.WriteString(g.partHeader(p, end) + end + end)
		b.WriteString(p.text + end)
	}
	if g.chance(10) {
		for range pick(g, []int{1, 10, 997, 998, 999, 1000, 1001}) {
			b.WriteString("--" + boundary + end + "Content-Disposition: form-data; name=a" + end + end + "b" + end)
		}
	}
	b.WriteString("--" + boundary + "--" + end)
	if g.chance(5) {
		b.WriteString("epilogue")
	}
	body = []byte(b.String())
	if g.chance(12) {
		mediaType = pick(g, []string{"multipart/form-data", "multipart/form-data; boundary=", "multipart/form-data; boundary=other", `multipart/form-data; boundary="` + boundary + `"`,
			"Multipart/Form-Data; Boundary=" + boundary, "multipart/form-data;boundary=" + boundary + ";charset=latin-1", "multipart/form-data; charset=utf-8; boundary=" + boundary, "multipart/mixed; boundary=" + boundary,
			"multipart/form-data; boundary=" + boundary + " ", "multipart/form-data; boundary=\u00e9", "multipart/form-data; boundary=a b", "multipart/form-data; boundary=" + strings.Repeat("b", 201),
			"multipart/form-data; boundary=" + strings.Repeat("b", 202), "multipart/form-data; boundary=\"a\tb\"", "multipart/*; boundary=" + boundary})
	}
	if g.chance(15) {
		body = g.spoil(body)
	}
	return mediaType, body
}

// partHeader returns the header of a part, without the empty line after it.
func (g *Generator) partHeader(p pair, end string) string {
	name := fmt.Sprintf("%q", p.name)
	switch g.rand.IntN(20) {
	case 0:
		name = p.name
	case 1:
		return `Content-Disposition: form-data; name=` + name + `; filename="a.txt"` + end + "Content-Type: text/plain"
	case 2:
		return "Content-Type: text/plain; charset=latin-1" + end + `Content-Disposition: form-data; name=` + name
	case 3:
		return `content-disposition:form-data;name=` + name
	case 4:
		return `Content-Disposition: attachment; NAME=` + name
	case 5:
		return `Content-Disposition: form-data; name=` + name + end + "Content-Transfer-Encoding: " + pick(g, []string{"base64", "BASE64", " base64 ", "quoted-printable", "base64; a=b"})
	case 6:
		return pick(g, []string{`Content-Disposition: form-data`, `Content-Type: text/plain`, `Content-Disposition; name=` + name, `X: ` + strings.Repeat("y", 1024) + end + `Content-Disposition: form-data; name=` + name,
			`Content-Disposition: form-data; name=""`, `Content-Disposition: form-data; name=" ` + p.name + ` "`, `Content-Disposition: form-data; name*=UTF-8''` + p.name, `Content-Disposition: form-data; name=` + name + `; filename=""`,
			`Content-Disposition: form-data; name=` + name + `; filename="../"`, `Content-Disposition: form-data; name=` + name + `; filename*=UTF-8''a%20b`, `Content-Disposition : form-data; name=` + name, `Content-Disposition: form-data; name=` + name + "; name=other",
			`Content-Disposition: form-data; name="a\"b;c"; name=` + name})
	}
	return `Content-Disposition: form-data; name=` + name
}

// spoil changes a few bytes of a body.
func (g *Generator) spoil(body []byte) []byte {
	for range 1 + g.rand.IntN(2) {
		if len(body) == 0 {
			return body
		}
		at := g.rand.IntN(len(body) + 1)
		rest := append([]byte(nil), body[at:]...)
		body = append([]byte(nil), body[:at]...)
		switch g.rand.IntN(5) {
		case 0: // cut off
		case 1:
			body = append(body, rest[min(1, len(rest)):]...)
		case 2:
			body = append(append(body, pick(g, g.odd.bytes)...), rest...)
		case 3:
			body = append(append(body, pick(g, g.odd.bytes)...), rest[min(1, len(rest)):]...)
		default:
			body = append(append(body, rest[:min(len(rest), 4)]...), rest...)
		}
	}
	return body
}

func oddBytes() []string {
	return []string{"\x00", "\x01", "\x1f", "\x7f", "\x80", "\xff", "\xc3", "\xc3\x28", "\xe2\x82", "\xf0\x9f\x98", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xc0\x80", "\xef\xbb\xbf", "\u00e9", "\u2028", "\U0001f600", "\"", "'", "\\", "\\u", "\\ud800", "\\x", "\\n", "/", ",", ":", "{", "}", "[", "]", " ", "\n", "\r", "\t", "1", "a", "-", "+", ".", "%", "&", "=", ";",
		"NaN", "null", "true", "//", "/**/", base64.StdEncoding.EncodeToString([]byte("password"))}
}
