package django

import (
	"errors"
	"strings"
	"unicode/utf8"

	"github.com/authcompat/authcompat/dialects/internal/pyjson"
)

// MaxFields is the most fields a form may have (Django's setting
// DATA_UPLOAD_MAX_NUMBER_FIELDS).
const MaxFields = 1000

// ErrTooManyFields is a form with more than MaxFields fields. Django answers it
// with its own 400 page (TooManyFieldsSent).
var ErrTooManyFields = errors.New("too many form fields")

// Values are the fields of a form by name: the last value of each, as QueryDict.get
// gives it. What is not valid in the charset has become U+FFFD.
type Values map[string]string

// ParseQuery reads an urlencoded body as django.http.QueryDict does (3.2,
// django/http/request.py): only "&" separates, blanks are kept, a body that is
// not valid in the charset is read as Latin-1 whole, and percent-encoded bytes
// that are not valid become U+FFFD.
func ParseQuery(body []byte, charset pyjson.Charset) (Values, error) {
	text, err := charset.Decode(body, pyjson.Python311)
	if err != nil {
		text = Latin1(body)
	}
	if strings.Count(text, "&") >= MaxFields {
		return nil, ErrTooManyFields
	}
	values := make(Values)
	for pair := range strings.SplitSeq(text, "&") {
		if pair == "" {
			continue
		}
		name, value, _ := strings.Cut(pair, "=")
		values[unquotePlus(name, charset)] = unquotePlus(value, charset)
	}
	return values, nil
}

// CheckQuery fails for a query with too many fields if Django reads the query before
// it resolves the path: it does so when the Content-Type names a charset (3.2,
// django/http/request.py, HttpRequest.encoding).
func CheckQuery(query, contentType string) error {
	charset, named := CharsetOf(contentType)
	if !named {
		return nil
	}
	_, err := ParseQuery([]byte(query), charset)
	return err
}

// unquotePlus is urllib.parse.unquote_plus.
func unquotePlus(s string, charset pyjson.Charset) string {
	return unquote(strings.ReplaceAll(s, "+", " "), charset)
}

// unquote is urllib.parse.unquote, which decodes each run of ASCII from percent signs
// and the charset, and keeps all other characters.
func unquote(s string, charset pyjson.Charset) string {
	if !strings.Contains(s, "%") {
		return s
	}
	var out strings.Builder
	for s != "" {
		end := strings.IndexFunc(s, func(r rune) bool { return r >= utf8.RuneSelf })
		switch end {
		case -1:
			end = len(s)
			fallthrough
		default:
			out.WriteString(charset.DecodeReplacing(unquoteBytes(s[:end])))
		case 0:
			_, end = utf8.DecodeRuneInString(s)
			out.WriteString(s[:end])
		}
		s = s[end:]
	}
	return out.String()
}

// unquoteBytes is urllib.parse.unquote_to_bytes, which keeps a "%" without two hex
// digits.
func unquoteBytes(s string) []byte {
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) {
			high, low := hexDigit(s[i+1]), hexDigit(s[i+2])
			if high >= 0 && low >= 0 {
				out = append(out, byte(high<<4|low))
				i += 2
				continue
			}
		}
		out = append(out, s[i])
	}
	return out
}

func hexDigit(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'a' && c <= 'f':
		return int(c-'a') + 10
	case c >= 'A' && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}

// Latin1 reads each byte as the code point of its number.
func Latin1[T string | []byte](raw T) string {
	var out strings.Builder
	for i := range len(raw) {
		out.WriteRune(rune(raw[i]))
	}
	return out.String()
}
