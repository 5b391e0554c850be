package template

import (
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// maxRepeat keeps a typing error in a file from filling the memory.
const maxRepeat = 4 << 20

// A Reference is the content of ${…}: the name of a captured value, a field of a user, or one of
// four functions. Fields that do not apply are empty.
type Reference struct {
	source  string
	Capture string
	User    string
	Field   string     // username, password or email
	upper   *Reference // upper(…)
	basic   bool       // basic(…), of a user's password
	text    string     // of repeat(…) and bytes(…)
	times   int        // that the text is repeated; 0 for all but these two
}

func parseReference(source string) (*Reference, error) {
	r := &Reference{source: source}
	if name, argument, ok := strings.Cut(source, "("); ok {
		argument, ok := strings.CutSuffix(argument, ")")
		if !ok {
			return r, errors.New("no ) at the end")
		}
		return r, r.parseFunction(name, argument)
	}
	name, field, ok := strings.Cut(source, ".")
	switch {
	case !IsName(name):
		return r, errors.New("want a captured name, user.username, user.password, user.email, upper(…), basic(user), repeat(text, n) or bytes(hex)")
	case !ok:
		r.Capture = name
	case field == "username" || field == "password" || field == "email":
		r.User, r.Field = name, field
	default:
		return r, fmt.Errorf("a user has no %q, only username, password and email", field)
	}
	return r, nil
}

func (r *Reference) parseFunction(name, argument string) error {
	switch name {
	case "upper":
		inner, err := parseReference(argument)
		r.upper = inner
		return err
	case "basic":
		if !IsName(argument) {
			return errors.New("want basic(user)")
		}
		r.User, r.Field, r.basic = argument, "password", true
	case "repeat":
		comma := strings.LastIndex(argument, ",")
		if comma < 0 {
			return errors.New("want repeat(text, n)")
		}
		text := argument[:comma]
		n, err := strconv.Atoi(strings.TrimSpace(argument[comma+1:]))
		if err != nil || n < 1 || len(text) == 0 || n > maxRepeat/len(text) {
			return fmt.Errorf("want repeat(text, n) of 1 to %d bytes", maxRepeat)
		}
		r.text, r.times = text, n
	case "bytes":
		raw, err := hex.DecodeString(argument)
		if err != nil || len(raw) == 0 {
			return errors.New("want bytes(hex), two hex digits a byte")
		}
		r.text, r.times = string(raw), 1
	default:
		return fmt.Errorf("no function %q, only upper, basic, repeat and bytes", name)
	}
	return nil
}

// value returns what to replace the reference with. The loader has checked that it is defined.
func (r *Reference) value(s *Scope) string {
	switch {
	case r.times > 0:
		return strings.Repeat(r.text, r.times)
	case r.upper != nil:
		return strings.ToUpper(r.upper.value(s))
	case r.User != "":
		u := s.Users[r.User]
		switch {
		case r.basic:
			return base64.StdEncoding.EncodeToString([]byte(u.Username + ":" + u.Password))
		case r.Field == "username":
			return u.Username
		case r.Field == "password":
			return u.Password
		}
		return u.Email
	}
	return s.Captures[r.Capture]
}

// IsFunction reports whether the reference is repeat(…) or bytes(…), which need no user and no
// capture.
func (r *Reference) IsFunction() bool { return r.times > 0 }

// Leaf returns the innermost reference of upper(…), and any other reference itself.
func (r *Reference) Leaf() *Reference {
	for r.upper != nil {
		r = r.upper
	}
	return r
}
