// Package strftime writes times as Python's datetime.strftime does in the C locale, with the
// directives of Python's documentation ("strftime() and strptime() Format Codes", 3.11) and
// five of the C library's that are in common use.
package strftime

import (
	"fmt"
	"strings"
	"time"
)

// A Layout is a format that was parsed. It does not change, so that goroutines can share it.
type Layout struct{ parts []part }

// part is a directive, or a text where that is 0.
type part struct {
	text      string
	directive byte
}

// Directives are the letters that may stand behind a percent sign, and that sign.
const Directives = "aAwdbBmyYHIpMSfzZjUWcxXGuVeFTDR%"

// Parse reads a format. It fails for a directive that is not one of Directives, and for a
// percent sign at the end.
func Parse(format string) (Layout, error) {
	var l Layout
	for format != "" {
		text, rest, found := strings.Cut(format, "%")
		if text != "" {
			l.parts = append(l.parts, part{text: text})
		}
		if !found {
			break
		}
		if rest == "" {
			return Layout{}, fmt.Errorf("a percent sign is written %%%%")
		}
		if strings.IndexByte(Directives, rest[0]) < 0 {
			return Layout{}, fmt.Errorf("%%%.1s is none of %%%s", rest, strings.Join(strings.Split(Directives, ""), ", %"))
		}
		l.parts = append(l.parts, part{directive: rest[0]})
		format = rest[1:]
	}
	return l, nil
}

// Append appends a time, in its own location, from the year 1000 on.
func (l Layout) Append(dst []byte, t time.Time) []byte {
	for _, p := range l.parts {
		if p.directive == 0 {
			dst = append(dst, p.text...)
			continue
		}
		dst = appendDirective(dst, p.directive, t)
	}
	return dst
}

// layouts are the directives that package time can write.
var layouts = map[byte]string{
	'a': "Mon", 'A': "Monday", 'd': "02", 'b': "Jan", 'B': "January", 'm': "01", 'y': "06", 'Y': "2006",
	'H': "15", 'I': "03", 'p': "PM", 'M': "04", 'S': "05", 'z': "-0700", 'Z': "MST", 'j': "002", 'e': "_2",
	'c': "Mon Jan _2 15:04:05 2006", 'x': "01/02/06", 'X': "15:04:05", 'F': "2006-01-02", 'T': "15:04:05", 'D': "01/02/06", 'R': "15:04",
}

func appendDirective(dst []byte, directive byte, t time.Time) []byte {
	if layout, ok := layouts[directive]; ok {
		return t.AppendFormat(dst, layout)
	}
	weekday, yearday := int(t.Weekday()), t.YearDay()-1
	switch directive {
	case 'w':
		return fmt.Appendf(dst, "%d", weekday)
	case 'u':
		return fmt.Appendf(dst, "%d", (weekday+6)%7+1)
	case 'f':
		return fmt.Appendf(dst, "%06d", t.Nanosecond()/1000)
	case 'U': // weeks from the first Sunday on
		return fmt.Appendf(dst, "%02d", (yearday+7-weekday)/7)
	case 'W': // weeks from the first Monday on
		return fmt.Appendf(dst, "%02d", (yearday+7-(weekday+6)%7)/7)
	case 'G':
		year, _ := t.ISOWeek()
		return fmt.Appendf(dst, "%d", year)
	case 'V':
		_, week := t.ISOWeek()
		return fmt.Appendf(dst, "%02d", week)
	}
	return append(dst, directive) // a percent sign
}

// AppendISO appends a time as Django REST framework's DateTimeField does by default: Python's
// isoformat, without a fraction that is zero, and with Z for an offset of zero
// (rest_framework/fields.py, DateTimeField.to_representation).
func AppendISO(dst []byte, t time.Time) []byte {
	layout := "2006-01-02T15:04:05.000000Z07:00"
	if t.Nanosecond()/1000 == 0 {
		layout = "2006-01-02T15:04:05Z07:00"
	}
	return t.AppendFormat(dst, layout)
}
