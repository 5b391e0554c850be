// Package reply fills the body templates of a profile.
package reply

import (
	"crypto/md5"
	"encoding/hex"
	"strconv"
	"strings"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/dialects/internal/pyjson"
	"github.com/authcompat/authcompat/profiles"
	"github.com/authcompat/authcompat/profiles/strftime"
	"github.com/authcompat/authcompat/profiles/template"
)

// Data holds the values that a template can show.
type Data struct {
	User    core.User
	Token   core.Token
	Key     string // the token's text
	Message string
	Status  int
	Errors  any // the errors of a form, in a type that pyjson writes
}

// OfSession gives the data of a session.
func OfSession(s core.Session) Data { return Data{User: s.User, Token: s.Token, Key: s.Key} }

// Body is a template compiled for one style of JSON: literal bytes with values between
// them. It does not change, so that goroutines can share it.
type Body struct {
	style    pyjson.Style
	segments []segment
}

// segment is literal bytes and the value behind them, as JSON of its own or inside of
// a text. The value of the last segment has no name.
type segment struct {
	literal []byte
	value   template.Value
	inText  bool
	zone    *time.Location   // of a time in a format of the profile; nil: none
	layout  *strftime.Layout // nil: isoformat
}

// Compile compiles a template.
func Compile(t template.Template, style pyjson.Style) *Body {
	b := &Body{style: style, segments: []segment{{}}}
	b.compile(t)
	return b
}

func (b *Body) compile(t template.Template) {
	switch t.Kind {
	case template.KindObject:
		b.write("{")
		for i, m := range t.Members {
			if i > 0 {
				b.write(b.style.ItemSeparator)
			}
			b.writeJSON(m.Key)
			b.write(b.style.KeySeparator)
			b.compile(m.Value)
		}
		b.write("}")
	case template.KindList:
		b.write("[")
		for i, item := range t.Items {
			if i > 0 {
				b.write(b.style.ItemSeparator)
			}
			b.compile(item)
		}
		b.write("]")
	case template.KindValue:
		b.show(t.Value, false)
	case template.KindText:
		b.write(`"`)
		for _, p := range t.Parts {
			if p.Value.Name != "" {
				b.show(p.Value, true)
				continue
			}
			quoted := pyjson.AppendString(nil, p.Literal, b.style.ASCII)
			b.write(string(quoted[1 : len(quoted)-1]))
		}
		b.write(`"`)
	default:
		b.writeJSON(t.Literal)
	}
}

func (b *Body) write(text string) {
	last := &b.segments[len(b.segments)-1]
	last.literal = append(last.literal, text...)
}

func (b *Body) writeJSON(v any) { b.write(string(pyjson.Append(nil, v, b.style))) }

func (b *Body) show(v template.Value, inText bool) {
	last := &b.segments[len(b.segments)-1]
	last.value, last.inText = v, inText
	if v.Time.Zone != "" {
		last.zone, last.layout = compileTime(v.Time)
	}
	b.segments = append(b.segments, segment{})
}

// compileTime compiles a format of times, which the profile was loaded with.
func compileTime(f template.TimeFormat) (*time.Location, *strftime.Layout) {
	zone, err := time.LoadLocation(f.Zone)
	if err != nil {
		panic("reply: a zone of a profile: " + err.Error())
	}
	if f.Strftime == "" {
		return zone, nil
	}
	layout, err := strftime.Parse(f.Strftime)
	if err != nil {
		panic("reply: a format of a profile: " + err.Error())
	}
	return zone, &layout
}

// Append appends the body with the data filled in.
func (b *Body) Append(dst []byte, d *Data) []byte {
	for i := range b.segments {
		s := &b.segments[i]
		dst = append(dst, s.literal...)
		if s.value.Name != "" {
			dst = b.appendValue(dst, s, d)
		}
	}
	return dst
}

func (b *Body) appendValue(dst []byte, s *segment, d *Data) []byte {
	switch s.value.Name {
	case template.TokenKey:
		return b.appendText(dst, d.Key, s)
	case template.TokenExpiry:
		return b.appendTime(dst, d.Token.ExpiresAt, s)
	case template.UserID:
		return strconv.AppendInt(dst, d.User.ID, 10)
	case template.UserUsername:
		return b.appendText(dst, d.User.Username, s)
	case template.UserEmail:
		return b.appendText(dst, d.User.Email, s)
	case template.UserCreated:
		return b.appendTime(dst, d.User.CreatedAt, s)
	case template.UserAttribute:
		text, ok := d.User.Attributes[s.value.Attribute]
		return b.appendAttribute(dst, text, ok, s)
	case template.ErrorMessage:
		return b.appendText(dst, d.Message, s)
	case template.ErrorStatus:
		return strconv.AppendInt(dst, int64(d.Status), 10)
	default:
		return pyjson.Append(dst, d.Errors, b.style)
	}
}

// appendText writes a text in its format.
func (b *Body) appendText(dst []byte, text string, s *segment) []byte {
	switch s.value.Format {
	case template.FormatInteger:
		n := int64(0)
		if text != "" {
			n, _ = strconv.ParseInt(strings.TrimSpace(text), 10, 64)
		}
		return strconv.AppendInt(dst, n, 10)
	case template.FormatGravatar:
		sum := md5.Sum([]byte(strings.ToLower(strings.TrimSpace(text))))
		if s.inText {
			return hex.AppendEncode(dst, sum[:])
		}
		text = hex.EncodeToString(sum[:])
	}
	start := len(dst)
	dst = pyjson.AppendString(dst, text, b.style.ASCII)
	if s.inText {
		// The surrounding text has the quotes.
		dst = append(dst[:start], dst[start+1:len(dst)-1]...)
	}
	return dst
}

// appendTime writes a time, in UTC unless its format says otherwise, or null for the zero time.
// Python's isoformat omits a fraction that is zero.
func (b *Body) appendTime(dst []byte, t time.Time, s *segment) []byte {
	if t.IsZero() {
		return append(dst, "null"...)
	}
	if s.zone != nil {
		var text []byte
		if s.layout != nil {
			text = s.layout.Append(text, t.In(s.zone))
		} else {
			text = strftime.AppendISO(text, t.In(s.zone))
		}
		return b.appendText(dst, string(text), s)
	}
	t = t.UTC()
	layout := "2006-01-02T15:04:05.000000Z"
	switch year := t.Year(); {
	case s.value.Format == template.FormatDayMonthYear && year >= 1000 && year <= 9999:
		if s.inText {
			return appendDayMonthYear(dst, t)
		}
		return append(appendDayMonthYear(append(dst, '"'), t), '"')
	case s.value.Format == template.FormatDayMonthYear:
		layout = "02-01-2006 15:04"
	case t.Nanosecond()/1000 == 0:
		layout = "2006-01-02T15:04:05Z"
	case s.value.Format == template.FormatMilliseconds:
		layout = "2006-01-02T15:04:05.000Z"
	}
	if s.inText {
		return t.AppendFormat(dst, layout)
	}
	dst = t.AppendFormat(append(dst, '"'), layout)
	return append(dst, '"')
}

// appendDayMonthYear is AppendFormat with 02-01-2006 15:04, whose layout would be read each time, at five times the cost. The
// year has four digits.
func appendDayMonthYear(dst []byte, t time.Time) []byte {
	year, month, day := t.Date()
	hour, minute, _ := t.Clock()
	two := func(n int, behind byte) { dst = append(dst, byte('0'+n/10), byte('0'+n%10), behind) }
	two(day, '-')
	two(int(month), '-')
	dst = strconv.AppendInt(dst, int64(year), 10)
	dst = append(dst, ' ')
	two(hour, ':')
	two(minute, '"')
	return dst[:len(dst)-1]
}

// RetryAfter gives the Retry-After header for a temporary failure: seconds, at least
// one.
func RetryAfter(err error) profiles.Header {
	wait := max(1, int(core.RetryAfter(err).Round(time.Second)/time.Second))
	return profiles.Header{Name: "Retry-After", Value: strconv.Itoa(wait)}
}
