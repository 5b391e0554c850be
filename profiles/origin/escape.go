package origin

import (
	"errors"
	"fmt"
	"regexp/syntax"
	"strconv"
	"strings"
	"unicode"
)

// The characters of Python's classes, in the syntax of Go's. str.isalnum is true for letters
// and for numbers of all kinds.
const (
	wordClass  = `\p{L}\p{N}_`
	digitClass = `\p{Nd}`
	spaceClass = `\t-\r\x1c-\x20\x{85}\x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000}`
)

// class gives what \w and its like mean; "" for other letters.
func class(letter rune) string {
	switch letter {
	case 'w':
		return wordClass
	case 'd':
		return digitClass
	case 's':
		return spaceClass
	case 'W', 'D', 'S':
		return complement(class(unicode.ToLower(letter)))
	}
	return ""
}

// complement lists what is not in a class, so that it can be part of another.
func complement(class string) string {
	tree, err := syntax.Parse("[^"+class+"]", syntax.Perl)
	if err != nil {
		panic("origin: a class of our own: " + err.Error())
	}
	var out strings.Builder
	for i := 0; i < len(tree.Rune); i += 2 {
		out.WriteString(literal(tree.Rune[i]) + "-" + literal(tree.Rune[i+1]))
	}
	return out.String()
}

// literal is one character, in a class or outside.
func literal(c rune) string { return fmt.Sprintf(`\x{%x}`, c) }

// escape reads what follows a backslash outside of a set.
func (t *translator) escape() error {
	c, ok := t.next()
	switch {
	case !ok:
		return errors.New("ends with a backslash")
	case c == 'A':
		t.write(`\A`, position)
		return nil
	case c == 'Z':
		t.write(`\z`, position)
		return nil
	case c == 'b' || c == 'B':
		return fmt.Errorf(`has \%c: Go's regexp knows the edges of words of ASCII alone`, c)
	case class(c) != "":
		return t.consume("[" + class(c) + "]")
	case '1' <= c && c <= '9':
		octal := t.at+1 < len(t.in) && isOctal(c) && isOctal(t.in[t.at]) && isOctal(t.in[t.at+1])
		if !octal {
			return fmt.Errorf(`refers back to a group (\%c), which Go's regexp can't do`, c)
		}
	}
	code, err := t.character(c)
	if err != nil {
		return err
	}
	return t.consume(literal(code))
}

// character reads an escape of one character, in a set or outside.
func (t *translator) character(c rune) (rune, error) {
	bad := fmt.Errorf(`has \%c, which is no escape of Python's`, c)
	if at := strings.IndexRune("afnrtv", c); at >= 0 {
		return rune("\a\f\n\r\t\v"[at]), nil
	}
	if at := strings.IndexRune("xuU", c); at >= 0 {
		return t.number([]int{2, 4, 8}[at], 16, bad)
	}
	switch {
	case isOctal(c):
		t.at--
		n := 0
		for n < 3 && t.at+n < len(t.in) && isOctal(t.in[t.at+n]) {
			n++
		}
		return t.number(n, 8, bad)
	case c == 'N':
		return 0, errors.New(`has \N, which is not read here: write the character itself`)
	case c < unicode.MaxASCII && (unicode.IsLetter(c) || unicode.IsDigit(c)):
		return 0, bad
	}
	return c, nil
}

// number reads digits of a character's number.
func (t *translator) number(digits, base int, bad error) (rune, error) {
	if t.at+digits > len(t.in) {
		return 0, bad
	}
	n, err := strconv.ParseUint(string(t.in[t.at:t.at+digits]), base, 32)
	t.at += digits
	if err != nil || n > unicode.MaxRune || base == 8 && n > 0o377 {
		return 0, bad
	}
	return rune(n), nil
}

func isOctal(c rune) bool { return '0' <= c && c <= '7' }
