package pyjson

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// number reads the longest number that starts here (Modules/_json.c,
// _match_number_unicode). A fraction or an exponent without digits does not belong
// to it.
func (s *scanner) number() (any, error) {
	start, i := s.pos, s.pos
	if s.at('-') {
		i++
	}
	digits := skipDigits(s.text, i)
	switch {
	case digits == i:
		return nil, s.failValue(start)
	case s.text[i] == '0':
		digits = i + 1
	}
	end := digits
	if end < len(s.text) && s.text[end] == '.' {
		if n := skipDigits(s.text, end+1); n > end+1 {
			end = n
		}
	}
	end = skipExponent(s.text, end)
	s.pos = end
	if end > digits {
		return parseFloat(s.text[start:end]), nil
	}
	return s.integer(s.text[start:end], digits-i)
}

// integer is int(text) with CPython's limit on the number of digits.
func (s *scanner) integer(text string, digits int) (any, error) {
	if format := s.options.Python.intLimitFormat(); format != "" && digits > maxIntDigits {
		return nil, &ValueError{fmt.Sprintf(format, maxIntDigits, digits)}
	}
	if text == "-0" {
		text = "0"
	}
	return Int(text), nil
}

func skipDigits(text string, i int) int {
	for i < len(text) && '0' <= text[i] && text[i] <= '9' {
		i++
	}
	return i
}

func skipExponent(text string, i int) int {
	if i == len(text) || text[i]|0x20 != 'e' {
		return i
	}
	digits := i + 1
	if digits < len(text) && (text[digits] == '+' || text[digits] == '-') {
		digits++
	}
	if end := skipDigits(text, digits); end > digits {
		return end
	}
	return i
}

// longNumber is the length from which a number can have so many zeros that strconv,
// which reads at most five digits of an exponent, misjudges its size.
const longNumber = 9000

// parseFloat is float(text): correctly rounded, ±Inf and ±0 beyond the range.
func parseFloat(text string) float64 {
	if len(text) >= longNumber {
		text = shortenExponent(text)
	}
	f, _ := strconv.ParseFloat(text, 64) // the only possible error is the range
	return f
}

// shortenExponent rewrites a number as digits without leading zeros and an exponent
// that alone says how large it is.
func shortenExponent(text string) string {
	sign := ""
	if text[0] == '-' {
		sign, text = "-", text[1:]
	}
	exponent := 0
	if i := strings.IndexAny(text, "eE"); i >= 0 {
		exponent, _ = strconv.Atoi(text[i+1:]) // out of range: the nearest int
		exponent = max(-math.MaxInt32, min(exponent, math.MaxInt32))
		text = text[:i]
	}
	whole, fraction, _ := strings.Cut(text, ".")
	digits := strings.TrimLeft(whole+fraction, "0")
	// The value is 0.digits times ten to this power.
	power := exponent + len(digits) - len(fraction)
	return sign + "0." + digits + "0e" + strconv.Itoa(power)
}
