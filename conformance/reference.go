package conformance

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// maxRepeat keeps a file's slip from filling the memory.
const maxRepeat = 4 << 20

// A reference is what stands between ${ and }: a captured value, a field of a user, or one of
// three functions. The fields that its form does not use are empty.
type reference struct {
	source  string
	capture string
	user    string
	field   string     // username, password or email
	upper   *reference // upper(…)
	text    string     // of repeat(…) and bytes(…), which need nothing of a run
	times   int        // that the text is repeated; more than 0 for these two only
}

func parseReference(source string) (*reference, error) {
	r := &reference{source: source}
	if name, argument, ok := strings.Cut(source, "("); ok {
		argument, ok := strings.CutSuffix(argument, ")")
		if !ok {
			return r, errors.New("no ) at the end")
		}
		return r, r.parseFunction(name, argument)
	}
	name, field, ok := strings.Cut(source, ".")
	switch {
	case !isName(name):
		return r, errors.New("want a captured name, user.username, user.password, user.email, upper(…), repeat(text, n) or bytes(hex)")
	case !ok:
		r.capture = name
	case field == "username" || field == "password" || field == "email":
		r.user, r.field = name, field
	default:
		return r, fmt.Errorf("a user has no %q, only username, password and email", field)
	}
	return r, nil
}

func (r *reference) parseFunction(name, argument string) error {
	switch name {
	case "upper":
		inner, err := parseReference(argument)
		r.upper = inner
		return err
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
		return fmt.Errorf("no function %q, only upper, repeat and bytes", name)
	}
	return nil
}

// value returns what the reference stands for. The loader has made sure that it is defined.
func (r *reference) value(s *scope) string {
	switch {
	case r.times > 0:
		return strings.Repeat(r.text, r.times)
	case r.upper != nil:
		return strings.ToUpper(r.upper.value(s))
	case r.user != "":
		u := s.users[r.user]
		switch r.field {
		case "username":
			return u.Username
		case "password":
			return u.Password
		}
		return u.Email
	}
	return s.captures[r.capture]
}

// leaf is the reference at the bottom of upper(…).
func (r *reference) leaf() *reference {
	for r.upper != nil {
		r = r.upper
	}
	return r
}
