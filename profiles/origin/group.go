package origin

import (
	"errors"
	"fmt"
	"strings"
)

// ends says where a $ stands before what is read. Python's $ matches before a line feed at the
// end, and leaves it to what follows; Go has no such position, so that ours takes it.
type ends struct {
	before bool // in this alternative or around it
	within bool // in any alternative of the group
	start  bool // before the group
}

// enter opens a group.
func (t *translator) enter(text string) {
	t.open = append(t.open, t.ends)
	t.ends = ends{before: t.ends.before, start: t.ends.before}
	t.write(text, nothing)
}

// leave closes a group.
func (t *translator) leave() error {
	last := len(t.open) - 1
	if last < 0 {
		return errors.New("has a ) that closes no group")
	}
	around := t.open[last]
	t.open = t.open[:last]
	t.write(")", one)
	t.dollars = t.ends.within
	t.ends = ends{before: around.before || t.dollars, within: around.within || t.dollars, start: around.start}
	return nil
}

// group reads what follows an opening parenthesis.
func (t *translator) group() error {
	if !t.take("?") {
		t.enter("(")
		return nil
	}
	switch {
	case t.take(":"):
		t.enter("(?:")
		return nil
	case t.take("P<"):
		end := strings.IndexRune(string(t.in[t.at:]), '>')
		if end < 0 {
			return errors.New("has a name of a group without its >")
		}
		t.enter("(?P<" + string(t.in[t.at:t.at+end]) + ">")
		t.at += end + 1
		return nil
	case t.take("="), t.take("!"), t.take("<="), t.take("<!"):
		return errors.New("looks ahead or behind ((?=, (?!, (?<=, (?<!), which Go's regexp can't do")
	case t.take("P="), t.take("("):
		return errors.New("refers back to a group, which Go's regexp can't do")
	case t.take(">"):
		return errors.New("has an atomic group ((?>), which Go's regexp can't do")
	}
	return t.flags()
}

// flags reads the letters of (?i) and (?i:.
func (t *translator) flags() error {
	atStart := t.at == t.head+len("(?")
	kept := ""
	for {
		c, ok := t.next()
		switch {
		case !ok:
			return errors.New("has a group that is not closed")
		case c == 'i' || c == 's':
			kept += string(c)
		case c == 'u': // as without it
		case c == ')' && t.in[t.at-2] == '?':
			return errors.New("has a group (?) without flags")
		case c == ')' && !atStart:
			return errors.New("has flags for the whole that don't stand at its start")
		case c == ')':
			t.head = t.at
			if kept != "" {
				t.write("(?"+kept+")", nothing)
			}
			return nil
		case c == ':':
			t.enter("(?" + kept + ":")
			return nil
		default:
			return fmt.Errorf("has a group (?%c, of which i and s are read here alone", c)
		}
	}
}
