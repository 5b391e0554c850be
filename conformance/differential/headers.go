package differential

import (
	"fmt"
	"strings"

	"github.com/authcompat/authcompat/conformance/wire"
)

// contentTypes returns the values of the Content-Type headers for a body of the media type.
func (g *Generator) contentTypes(mediaType string) []string {
	if mediaType == "" {
		if g.chance(70) {
			return nil
		}
		return []string{pick(g, []string{jsonType, formType, "text/plain", "multipart/form-data", ""})}
	}
	if g.chance(82) {
		return []string{mediaType}
	}
	switch g.rand.IntN(7) {
	case 0:
		return nil
	case 1:
		return []string{mediaType, pick(g, []string{"text/plain", formType, jsonType})}
	case 2, 3:
		return []string{mediaType + "; charset=" + pick(g, g.odd.charsets)}
	case 4:
		return []string{pick(g, []string{strings.ToUpper(mediaType), " " + mediaType + " ", mediaType + ";", mediaType + "; a=b; c", mediaType + "/", mediaType + "; charset", mediaType + "; charset=\"utf-8\"; charset=latin-1"})}
	}
	return []string{pick(g, g.odd.types)}
}

// charsets are names of encodings that Python knows in some spelling, and some that it does not know.
func charsets() []string {
	return []string{"utf-8", "UTF-8", "utf8", "Utf_8", "utf-8-sig", "\"utf-8\"", "'utf-8'", "latin-1", "iso-8859-1", "ISO-8859-15", "ascii", "us-ascii", "utf-16", "utf-16-le", "utf-16be", "utf-32", "windows-1252", "cp1251", "koi8-r", "cp437", "mac-roman", "iso-8859-7", "unknown", "x", "", " utf-8 ", "utf 8", "u8", "8859"}
}

func oddTypes() []string {
	return []string{"", "text/plain", "text/plain; charset=utf-8", "text/html", "application/xml", "text/json", "application/vnd.api+json", "application/json-patch+json", "application/jsonp", "application/*", "*/*", "*", "*/json", "text/*", "multipart/*", "json", "application", "application/", "/json", "/", ";", ";charset=utf-8", "application/json, text/plain",
		"application/json;version=1", "Application/JSON", "application /json", "application/ json", "application/x-www-form-urlencoded; charset=utf-16", "application/octet-stream", "multipart/form-data", "multipart/form-data; boundary=xyz", "\u00e9", "application/json; \u00e9=1", "application/json\u00a0", "\"application/json\"", "application/json\"", "a\"b\\c/d"}
}

// accept returns random Accept headers. No two media types in them have the same precedence, select
// the same renderer and differ in indentation: the REST framework iterates over a set of them.
func (g *Generator) accept() []wire.Header {
	values := []string{pick(g, g.odd.accepts)}
	if g.chance(5) {
		values = append(values, pick(g, []string{"text/html", "application/xml", "application/json"}))
	}
	var headers []wire.Header
	for _, v := range values {
		headers = append(headers, wire.Header{Name: "Accept", Value: v})
	}
	return headers
}

func accepts() []string {
	all := []string{"*/*", "application/json", "application/json; q=0.1", "application/json;q=0", "application/*", "application/*;q=0.5", "*/*;q=0.8", "*/json", "*", "application/xml", "text/html", "text/*", "text/plain", "text/plain, */*", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
		"application/xml, application/json;q=0.5", "application/json;q=0.1, application/xml", "text/html, application/json", "application/json, text/html", "text/html;q=0.1, application/json", "text/*, application/*", "*/*, text/html", "text/html;level=1, application/json", "", " ", ",", ", ,", "garbage", ";", "/", "application/", "/json", "APPLICATION/JSON", "Application/Json;Q=1", "application/json;version=1", "application/json;", "application/json; charset=utf-8",
		" application/json ", "application /json", "application/json/x", "application/vnd.api+json", "\u00e9", "application/json; indent=\u00e9", "application/json; indent=\u0664", "text/html\u00a0", "application/json;q=0.5;indent=2", "text/html; indent=4", "a/b;c=\"d,e/f\", application/json", "application/json; a=\"b;c\"; indent=2", "application/json; indent=\"4\"", "application/json; indent='4'", "*/*; indent=4", "application/*; indent=4", "*/*; a=b; indent=3", "application/json; INDENT=4", "application/json; indent=4; indent=2", "application/json; indent"}
	for _, n := range []string{"0", "1", "2", "4", "8", "9", "100", "-1", "-0", "+4", " 4 ", "4.0", "4x", "", "0x4", "1_0", "_4", "4_", "1__0", "99999999999999999999999", "04", "00"} {
		all = append(all, "application/json; indent="+n)
	}
	return all
}

// authorization returns random Authorization headers. {{N}} in them is the token with the number N; see
// tokens.
func (g *Generator) authorization() []wire.Header {
	token := strings.Repeat("0123456789", 4)
	if g.issued > 0 && g.chance(85) {
		// Later tokens are more likely to be still valid.
		n := g.issued - 1 - min(g.rand.IntN(8), g.issued-1)
		if g.crowd.token >= 0 && g.api.Churn {
			n = g.crowd.token
		}
		token = fmt.Sprintf("{{%d}}", n)
		if g.chance(10) {
			token = fmt.Sprintf("{{%d %s}}", n, pick(g, tokenChanges()))
		}
	}
	value := "Token " + token
	if g.chance(35) {
		value = fmt.Sprintf(pick(g, g.odd.schemes), token)
	}
	headers := []wire.Header{{Name: "Authorization", Value: value}}
	if g.chance(2) {
		headers = append(headers, wire.Header{Name: pick(g, []string{"Authorization", "authorization"}), Value: pick(g, []string{value, "Basic am9objpwYXNzd29yZA==", "Bearer x", ""})})
	}
	return headers
}

// schemes are Authorization headers with room for a token.
func schemes() []string {
	var all []string
	for _, s := range []string{"token %s", "TOKEN %s", "tOkEn %s", "Token  %s", "Token\t%s", "Token %s ", " Token %s", "Token %s x", "Token x %s", "Token", "Token ", "Token: %s", "Token:%s", "Token=%s", "Token token=%s", "Token \"%s\"", "Bearer %s", "Basic %s", "Basic am9objpwYXNzd29yZA==", "JWT %s", "%s", "", " ", "Token%s", "Token,%s",
		"Token %s,", "Token %s,%[1]s", "Token \xff%s", "Token %s\xff", "Token \u00e9", "Token %s\u00e9", "Token\u00a0%s", "Token\u2003%s", "To\u212aen %s", "Token \xa0%s", "Token %s\xa0", "Token {}", "Token null", "Token undefined", "Token 0", "Token deadbeef", "Token 0123456", "Token 01234567", "Token 012345678", "Token zzzzzzzzzzzzzzzzzzzz", "Token " + strings.Repeat("a", 5000)} {
		if !strings.Contains(s, "%") {
			s += "%.0s"
		}
		all = append(all, s)
	}
	return all
}

func otherHeaders() []wire.Header {
	return []wire.Header{{Name: "X-Http-Method-Override", Value: "PUT"}, {Name: "X-CSRFToken", Value: "x"}, {Name: "Cookie", Value: "sessionid=x; csrftoken=y"}, {Name: "Cookie", Value: "a\u00e9"}, {Name: "Origin", Value: "http://example.com"}, {Name: "Referer", Value: "http://example.com/"}, {Name: "User-Agent", Value: ""},
		{Name: "If-None-Match", Value: "*"}, {Name: "If-Modified-Since", Value: "Thu, 01 Jan 2026 00:00:00 GMT"}, {Name: "Accept-Language", Value: "de"}, {Name: "Accept-Charset", Value: "utf-16"}, {Name: "Accept-Encoding", Value: "gzip"}, {Name: "Content-Encoding", Value: "gzip"}, {Name: "X-Forwarded-Proto", Value: "https"}, {Name: "X-Requested-With", Value: "XMLHttpRequest"}, {Name: "Range", Value: "bytes=0-1"}, {Name: "Access-Control-Request-Method", Value: "POST"}}
}
