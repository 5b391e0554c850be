package origin

import (
	"errors"
	"strings"
)

// member is one character of a set, or a class of them.
type member struct {
	character rune
	class     string // in Go's syntax; empty: the character
}

// set reads what follows [.
func (t *translator) set() error {
	var out strings.Builder
	out.WriteString("[")
	if t.take("^") {
		out.WriteString("^")
	}
	for first := true; first || !t.take("]"); first = false {
		low, err := t.member()
		if err != nil {
			return err
		}
		high := low
		if t.at+1 < len(t.in) && t.in[t.at] == '-' && t.in[t.at+1] != ']' {
			t.at++
			if high, err = t.member(); err != nil {
				return err
			}
			if low.class != "" || high.class != "" || high.character < low.character {
				return errors.New("has a range in a set that ends before it begins, or is none of characters")
			}
		}
		if low.class != "" {
			out.WriteString(low.class)
		} else {
			out.WriteString(literal(low.character) + "-" + literal(high.character))
		}
	}
	return t.consume(out.String() + "]")
}

// member reads one member of a set.
func (t *translator) member() (member, error) {
	c, ok := t.next()
	if !ok {
		return member{}, errors.New("has a set ([) that is not closed")
	}
	if c != '\\' {
		return member{character: c}, nil
	}
	c, ok = t.next()
	switch {
	case !ok:
		return member{}, errors.New("ends with a backslash")
	case c == 'b':
		return member{character: '\b'}, nil
	case class(c) != "":
		return member{class: class(c)}, nil
	}
	code, err := t.character(c)
	return member{character: code}, err
}
