package origin

import (
	"errors"
	"fmt"
	"regexp"
	"regexp/syntax"
	"strings"
)

// translator writes a pattern of Python's in Go's syntax. Sources are Lib/re/_parser.py and
// Modules/_sre of CPython 3.11.
type translator struct {
	in      []rune
	at      int // of in, what is read next
	out     strings.Builder
	last    item
	head    int // of in: where the flags for the whole end
	ends    ends
	open    []ends // of the groups around
	dollars bool   // the last item is a group with a $ in it
}

// item is what stands before a repeat.
type item int

const (
	nothing  item = iota // the start of a group or of an alternative
	position             // ^ and $, which Python does not repeat
	repeated
	one // anything that can be repeated
)

// next gives the next character, and whether there is one.
func (t *translator) next() (rune, bool) {
	if t.at == len(t.in) {
		return 0, false
	}
	t.at++
	return t.in[t.at-1], true
}

// take takes a text if it is what comes next.
func (t *translator) take(text string) bool {
	if !strings.HasPrefix(string(t.in[t.at:]), text) {
		return false
	}
	t.at += len([]rune(text))
	return true
}

func (t *translator) write(text string, is item) {
	t.out.WriteString(text)
	t.last, t.dollars = is, false
}

// consume writes what matches one character.
func (t *translator) consume(text string) error {
	t.write(text, one)
	if !t.ends.before {
		return nil
	}
	if feed, err := regexp.MatchString(`\A(?s:`+text+`)`, "\n"); feed && err == nil {
		return errors.New("has something behind a $ that could match a line feed, which Go's regexp can't do")
	}
	return nil
}

func (t *translator) run() error {
	for {
		c, ok := t.next()
		if !ok {
			return nil
		}
		var err error
		switch c {
		case '\\':
			err = t.escape()
		case '[':
			err = t.set()
		case '(':
			err = t.group()
		case ')':
			err = t.leave()
		case '|':
			t.write("|", nothing)
			t.ends.before = t.ends.start
		case '^':
			t.write(`\A`, position)
		case '$':
			// Python's matches before a line feed at the end, too.
			t.write(`(?:\n?\z)`, position)
			t.ends.before, t.ends.within = true, true
		case '.':
			err = t.consume(".")
		case '*', '+', '?':
			err = t.repeat(string(c))
		case '{':
			err = t.braces()
		default:
			err = t.consume(regexp.QuoteMeta(string(c)))
		}
		if err != nil {
			return err
		}
	}
}

// repeat writes how often the last item comes.
func (t *translator) repeat(times string) error {
	switch t.last {
	case nothing, position:
		return fmt.Errorf("has nothing that %s could repeat", times)
	case repeated:
		return fmt.Errorf("has %s behind another repeat", times)
	}
	if t.dollars && times != "?" {
		return fmt.Errorf("repeats a group with a $ (%s), which Go's regexp can't do", times)
	}
	if t.take("+") {
		return errors.New("repeats without giving back (" + times + "+), which Go's regexp can't do")
	}
	if t.take("?") {
		times += "?"
	}
	t.write(times, repeated)
	return nil
}

// braces reads what follows {: numbers of times, or else it is a character like others.
func (t *translator) braces() error {
	start := t.at
	least := t.digits()
	most, comma := least, t.take(",")
	if comma {
		most = t.digits()
	}
	if !t.take("}") || least == "" && !comma {
		t.at = start
		return t.consume(`\{`)
	}
	if least == "" {
		least = "0"
	}
	if least == most {
		return t.repeat("{" + least + "}")
	}
	return t.repeat("{" + least + "," + most + "}")
}

// digits reads decimal digits.
func (t *translator) digits() string {
	start := t.at
	for t.at < len(t.in) && '0' <= t.in[t.at] && t.in[t.at] <= '9' {
		t.at++
	}
	return string(t.in[start:t.at])
}

// reason is what regexp found, without the pattern, which is not the one that was written.
func reason(err error) string {
	if e := (*syntax.Error)(nil); errors.As(err, &e) {
		return string(e.Code)
	}
	return err.Error()
}
