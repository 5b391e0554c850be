package reply

import (
	"strconv"
	"strings"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/profiles/template"
)

// appendAttribute writes an attribute in its type; ok is false if the user has none. What is no
// value of the type counts as none.
func (b *Body) appendAttribute(dst []byte, text string, ok bool, s *segment) []byte {
	kind := s.value.Type.Type
	if s.value.Format != "" || kind == "" {
		return b.appendText(dst, text, s)
	}
	switch kind {
	case template.TypeInteger:
		var n int64
		if ok {
			var err error
			n, err = strconv.ParseInt(strings.TrimSpace(text), 10, 64)
			ok = err == nil
		}
		if ok || !s.value.Type.Null {
			return strconv.AppendInt(dst, n, 10)
		}
	case template.TypeBoolean:
		yes := false
		if ok {
			yes, ok = core.ParseBoolean(text)
		}
		if ok || !s.value.Type.Null {
			return strconv.AppendBool(dst, yes)
		}
	case template.TypeDate:
		if text != "" {
			return b.appendText(dst, text, s)
		}
	default:
		if ok || !s.value.Type.Null {
			return b.appendText(dst, text, s)
		}
	}
	return append(dst, "null"...)
}
