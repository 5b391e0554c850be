package django

import (
	"iter"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/authcompat/authcompat/core/spelling"
	"github.com/authcompat/authcompat/dialects/internal/pyjson"
)

// Header is a header value with parameters.
type Header struct {
	Value  string
	Params []Param
}

// Param is one parameter of a header value: text, or bytes in a charset that the
// header does not name.
type Param struct {
	Name, Value string
	IsText      bool
}

// Get gives the value of the named parameter, "" where there is none.
func (h Header) Get(name string) string {
	p, _ := h.Lookup(name)
	return p.Value
}

// Lookup gives the named parameter and whether there is one.
func (h Header) Lookup(name string) (Param, bool) {
	for _, p := range h.Params {
		if p.Name == name {
			return p, true
		}
	}
	return Param{}, false
}

// params are the parameters of a header as it is read.
type params struct {
	list  []Param
	index map[string]int // place of each name, once there are many
}

// indexFrom is the number of parameters from which an index is quicker than a scan, and
// without which a header of thousands would take quadratic time.
const indexFrom = 12

// set adds a parameter, or replaces an earlier one in place, as a dict does.
func (s *params) set(p Param) {
	if i := s.find(p.Name); i >= 0 {
		s.list[i] = p
		return
	}
	s.list = append(s.list, p)
	switch n := len(s.list); {
	case s.index != nil:
		s.index[p.Name] = n - 1
	case n == indexFrom:
		s.index = make(map[string]int, 2*n)
		for i, known := range s.list {
			s.index[known.Name] = i
		}
	}
}

// find returns the place of a name, or -1.
func (s *params) find(name string) int {
	if s.index != nil {
		if i, ok := s.index[name]; ok {
			return i
		}
		return -1
	}
	return slices.IndexFunc(s.list, func(p Param) bool { return p.Name == name })
}

// text gives the value of a parameter as text.
func (p Param) text(charset pyjson.Charset) string {
	if p.IsText {
		return p.Value
	}
	return charset.DecodeReplacing([]byte(p.Value))
}

// stripped is the parameter without white space around its value.
func (p Param) stripped() Param {
	if p.IsText {
		p.Value = spelling.Strip(p.Value)
	} else {
		p.Value = strings.Trim(p.Value, blanks)
	}
	return p
}

// blanks are what bytes.strip of Python takes away.
const blanks = " \t\n\r\v\f"

// ParseHeader reads a header value as django.http.multipartparser.parse_header
// does (3.2; through it Django REST framework reads media types,
// rest_framework/compat.py 3.14): the value and the names of parameters in lower
// case, quotes and backslashes removed, RFC 2231 decoded. A parameter without
// "=" is left out. ok is false for a value or name that is not ASCII, on which
// the original fails.
func ParseHeader(header string) (h Header, ok bool) {
	var all params
	first := true
	for part := range splitParams(header, false) {
		if first {
			if h.Value, ok = lowerASCII(part); !ok {
				return Header{}, false
			}
			first = false
			continue
		}
		p, found, ok := readParam(part)
		if !ok {
			return Header{}, false
		}
		if found {
			all.set(p)
		}
	}
	h.Params = all.list
	return h, true
}

// readParam reads one parameter. found is false if it has no "=", ok if its name is not
// ASCII.
func readParam(part string) (p Param, found, ok bool) {
	name, text, found := strings.Cut(part, "=")
	if !found {
		return Param{}, false, true
	}
	if name, ok = lowerASCII(name); !ok {
		return Param{}, false, false
	}
	p = Param{Name: name, Value: unquoteParam(text)}
	if base, extended := strings.CutSuffix(name, "*"); extended {
		p.Name = base
		if strings.Count(part, "'") == 2 {
			p.Value, p.IsText = decodeExtended(p.Value), true
		}
	}
	return p, true, true
}

// lowerASCII strips a text and puts it in lower case. It fails if the text is not
// ASCII.
func lowerASCII(s string) (string, bool) {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return "", false
		}
	}
	return strings.ToLower(strings.Trim(s, blanks)), true
}

// unquoteParam strips the value of a parameter and removes its quotes.
func unquoteParam(text string) string {
	text = strings.Trim(text, blanks)
	if len(text) < 2 || text[0] != '"' || text[len(text)-1] != '"' {
		return text
	}
	text = strings.ReplaceAll(text[1:len(text)-1], `\\`, `\`)
	return strings.ReplaceAll(text, `\"`, `"`)
}

// decodeExtended reads charset'language'percent-encoded text (RFC 2231, section
// 4).
func decodeExtended(text string) string {
	parts := strings.SplitN(text, "'", 3)
	if len(parts) < 3 {
		return text
	}
	charset, _ := pyjson.LookupCharset(parts[0])
	return unquote(parts[2], charset)
}

// splitParams splits at the semicolons that are not inside quotes. Only Python's cgi
// takes a backslash before a quote as an escape.
func splitParams(header string, cgi bool) iter.Seq[string] {
	return func(yield func(string) bool) {
		start, quotes := 0, 0
		for i := range len(header) {
			switch {
			case header[i] == '"' && !(cgi && i > start && header[i-1] == '\\'):
				quotes++
			case header[i] == ';' && quotes%2 == 0:
				if !yield(header[start:i]) {
					return
				}
				start, quotes = i+1, 0
			}
		}
		yield(header[start:])
	}
}

// ParseContentType reads a Content-Type as Django's WSGIRequest does (django/core/
// handlers/wsgi.py 3.2, with cgi.parse_header), which keeps the case of the value.
func ParseContentType(header string) (h Header) {
	var all params
	first := true
	for part := range splitParams(header, true) {
		if first {
			h.Value, first = strings.Trim(part, blanks), false
		} else if name, text, found := strings.Cut(part, "="); found {
			all.set(Param{Name: strings.ToLower(strings.Trim(name, blanks)), Value: unquoteParam(text)})
		}
	}
	h.Params = all.list
	return h
}

// CharsetOf gives the charset that a Content-Type names, and whether it names one
// that Python knows. If not, the charset is UTF-8 (django/core/handlers/wsgi.py,
// _set_content_type_params).
func CharsetOf(contentType string) (c pyjson.Charset, named bool) {
	if !strings.Contains(contentType, ";") {
		return pyjson.Charset{}, false
	}
	return pyjson.LookupCharset(ParseContentType(contentType).Get("charset"))
}
