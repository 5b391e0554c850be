package adopt

import (
	"math/big"
	"strconv"
	"strings"
	"unicode"

	"github.com/authcompat/authcompat/dialects/internal/pyjson"
	"github.com/authcompat/authcompat/profiles/template"
)

// shown is what a reply shows of a user and a token.
type shown struct {
	token, username, email string
	attributes             map[string]string
}

// readReply reads a body that has the shape of a profile's reply: the same keys, the
// profile's literals, and a text of the right kind where it has a value. A nil template is that of no body.
func readReply(t *template.Template, body []byte) (s shown, ok bool) {
	if t == nil {
		return s, len(body) == 0
	}
	value, err := pyjson.DecodeBytes(body, pyjson.Options{})
	return s, err == nil && s.read(*t, value)
}

func (s *shown) read(t template.Template, value any) bool {
	switch t.Kind {
	case template.KindObject:
		object, ok := value.(*pyjson.Object)
		if !ok || object.Len() != len(t.Members) {
			return false
		}
		for _, m := range t.Members {
			if member, there := object.Get(m.Key); !there || !s.read(m.Value, member) {
				return false
			}
		}
		return true
	case template.KindList:
		list, ok := value.([]any)
		if !ok || len(list) != len(t.Items) {
			return false
		}
		for i, item := range t.Items {
			if !s.read(item, list[i]) {
				return false
			}
		}
		return true
	case template.KindValue:
		return s.readValue(t.Value, value)
	case template.KindText:
		text, ok := value.(string)
		return ok && s.readText(t.Parts, text)
	}
	return isLiteral(t.Literal, value)
}

func isLiteral(literal, value any) bool {
	if n, ok := literal.(int64); ok {
		return value == pyjson.Int(strconv.FormatInt(n, 10))
	}
	return literal == value
}

// readText reads a text with one value in it. One with several is not taken apart.
func (s *shown) readText(parts []template.Part, text string) bool {
	var only template.Value
	values := 0
	before, after := "", ""
	for _, p := range parts {
		switch {
		case p.Value.Name != "":
			only = p.Value
			values++
		case values == 0:
			before += p.Literal
		default:
			after += p.Literal
		}
	}
	if values != 1 {
		return true
	}
	rest, ok := strings.CutPrefix(text, before)
	inner, fits := strings.CutSuffix(rest, after)
	if !ok || !fits {
		return false
	}
	if only.Name == template.UserID {
		return isInteger(pyjson.Int(inner))
	}
	return s.readValue(only, inner)
}

func (s *shown) readValue(v template.Value, value any) bool {
	text, isText := value.(string)
	switch v.Name {
	case template.TokenKey:
		s.token = text
		return isText && isToken(text)
	case template.UserUsername:
		s.username = text
		return isText && text != ""
	case template.TokenExpiry, template.UserCreated:
		return isText || value == nil
	case template.UserID:
		return isInteger(value)
	case template.UserEmail:
		if v.Format == "" {
			s.email = text
		}
		return isText || value == nil
	case template.UserAttribute:
		n, isNumber := value.(pyjson.Int)
		if isNumber && v.Format == template.FormatInteger {
			text = string(n)
		} else if !isText && value != nil {
			return false
		}
		if text != "" && (v.Format == "" || isNumber) {
			if s.attributes == nil {
				s.attributes = make(map[string]string)
			}
			s.attributes[v.Attribute] = text
		}
		return true
	}
	return true // of errors
}

func isInteger(value any) bool {
	n, ok := value.(pyjson.Int)
	if !ok {
		return false
	}
	_, ok = new(big.Int).SetString(string(n), 10)
	return ok
}

// isToken reports whether a text can be sent as a token.
func isToken(text string) bool {
	return text != "" && !strings.ContainsFunc(text, func(r rune) bool { return r > unicode.MaxASCII || r <= ' ' || r == 0x7f })
}

// usernamePaths returns where a template shows the username: the keys to it.
func usernamePaths(t *template.Template) (paths [][]string) {
	if t == nil {
		return nil
	}
	if t.Kind == template.KindValue && t.Value.Name == template.UserUsername {
		return [][]string{nil}
	}
	for i := range t.Members {
		for _, path := range usernamePaths(&t.Members[i].Value) {
			paths = append(paths, append([]string{t.Members[i].Key}, path...))
		}
	}
	return paths
}

// usernameAt returns the text at the first of the paths that a body has; empty: none.
func usernameAt(paths [][]string, body []byte) string {
	value, err := pyjson.DecodeBytes(body, pyjson.Options{})
	if err != nil {
		return ""
	}
	for _, path := range paths {
		at := value
		for _, key := range path {
			object, ok := at.(*pyjson.Object)
			if !ok {
				at = nil
				break
			}
			at, _ = object.Get(key)
		}
		if text, ok := at.(string); ok && text != "" {
			return text
		}
	}
	return ""
}
