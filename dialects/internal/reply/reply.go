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
)

// Data is what a template can show.
type Data struct {
	User    core.User
	Token   core.Token
	Key     string // the token's text
	Message string
	Status  int
	Errors  any // the errors of a form, as pyjson writes them
}

// OfSession gives the data of a good login or an account.
func OfSession(s core.Session) Data { return Data{User: s.User, Token: s.Token, Key: s.Key} }

// Build gives the template's tree with its values in it, as pyjson writes it.
func Build(t profiles.Template, d Data) any {
	switch t.Kind {
	case profiles.TemplateObject:
		o := new(pyjson.Object)
		for _, m := range t.Members {
			o.Set(m.Key, Build(m.Value, d))
		}
		return o
	case profiles.TemplateList:
		list := make([]any, len(t.Items))
		for i, item := range t.Items {
			list[i] = Build(item, d)
		}
		return list
	case profiles.TemplateValue:
		return value(t.Value, d)
	case profiles.TemplateText:
		var text strings.Builder
		for _, p := range t.Parts {
			text.WriteString(p.Literal)
			if p.Value.Name != "" {
				text.WriteString(asText(value(p.Value, d)))
			}
		}
		return text.String()
	default:
		return t.Literal
	}
}

// value gives one value in its JSON type.
func value(v profiles.Value, d Data) any {
	switch v.Name {
	case profiles.TokenKey:
		return d.Key
	case profiles.TokenExpiry:
		return timestamp(d.Token.ExpiresAt, v.Format)
	case profiles.UserID:
		return d.User.ID
	case profiles.UserUsername:
		return d.User.Username
	case profiles.UserEmail:
		return text(d.User.Email, v.Format)
	case profiles.UserCreated:
		return timestamp(d.User.CreatedAt, v.Format)
	case profiles.UserAttribute:
		return text(d.User.Attributes[v.Attribute], v.Format)
	case profiles.ErrorMessage:
		return d.Message
	case profiles.ErrorStatus:
		return d.Status
	default:
		return d.Errors
	}
}

// text writes a text in a format.
func text(s string, f profiles.Format) any {
	switch f {
	case profiles.FormatInteger:
		n, _ := strconv.ParseInt(strings.TrimSpace(s), 10, 64)
		return n
	case profiles.FormatGravatar:
		sum := md5.Sum([]byte(strings.ToLower(strings.TrimSpace(s))))
		return hex.EncodeToString(sum[:])
	}
	return s
}

// timestamp writes a time in UTC; never is null. Python's isoformat leaves out
// a fraction that is zero.
func timestamp(t time.Time, f profiles.Format) any {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	layout := "2006-01-02T15:04:05.000000Z"
	switch f {
	case profiles.FormatDayMonthYear:
		layout = "02-01-2006 15:04"
	case profiles.FormatMilliseconds:
		layout = "2006-01-02T15:04:05.000Z"
	}
	if f != profiles.FormatDayMonthYear && t.Nanosecond()/1000 == 0 {
		layout = "2006-01-02T15:04:05Z"
	}
	return t.Format(layout)
}

// asText writes a value inside a text.
func asText(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case int64:
		return strconv.FormatInt(v, 10)
	case int:
		return strconv.Itoa(v)
	}
	return ""
}

// RetryAfter is the Retry-After header of a failure that may pass: seconds, at
// least one.
func RetryAfter(err error) profiles.Header {
	wait := max(1, int(core.RetryAfter(err).Round(time.Second)/time.Second))
	return profiles.Header{Name: "Retry-After", Value: strconv.Itoa(wait)}
}
