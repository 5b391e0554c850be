package tables

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// instant parses a date and time as the databases and dumpdata write it:
//
//	2026-11-22 03:00:41.577000        SQLite, MySQL (UTC if USE_TZ, else local)
//	2026-11-22 03:00:41.577+00        PostgreSQL
//	2026-11-22T03:00:41.577Z          dumpdata
//
// A time without a zone is taken to be in local. Microseconds are kept.
func instant(text string, local *time.Location) (time.Time, error) {
	// psycopg2 reads PostgreSQL's infinite dates as datetime.max and datetime.min.
	switch text {
	case "infinity":
		return time.Date(9999, 12, 31, 23, 59, 59, 999999000, time.UTC), nil
	case "-infinity":
		return beginning, nil
	}
	if t, ok := plainInstant(text, local); ok {
		return t, nil
	}
	text = strings.Replace(text, "T", " ", 1)
	layouts := []string{"2006-01-02 15:04:05.999999999", "2006-01-02 15:04", "2006-01-02"}
	if len(text) > len(dateOnly) && strings.ContainsAny(text[len(dateOnly):], "+-Z") {
		layouts = []string{"2006-01-02 15:04:05.999999999Z07:00", "2006-01-02 15:04:05.999999999Z07", "2006-01-02 15:04:05.999999999Z07:00:00"}
	}
	for _, layout := range layouts {
		if t, err := time.ParseInLocation(layout, text, local); err == nil {
			t = t.UTC().Truncate(time.Microsecond)
			if t.IsZero() {
				t = beginning
			}
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("%.40q is no date and time", text)
}

// plainInstant parses the form that Django writes to SQLite and MySQL, as [time.ParseInLocation] does, which takes
// four times as long; an import parses three times for each user. ok is false for any other form.
func plainInstant(text string, local *time.Location) (t time.Time, ok bool) {
	const form, micros = "0000-00-00 00:00:00", ".000000"
	if len(text) != len(form) && len(text) != len(form+micros) {
		return t, false
	}
	for i := range len(text) {
		if want := (form + micros)[i]; want != '0' && text[i] != want || want == '0' && (text[i] < '0' || text[i] > '9') {
			return t, false
		}
	}
	number := func(from, to int) (n int) {
		for _, digit := range []byte(text[from:to]) {
			n = 10*n + int(digit-'0')
		}
		return n
	}
	year, month, day, hour, minute, second := number(0, 4), number(5, 7), number(8, 10), number(11, 13), number(14, 16), number(17, 19)
	if month < 1 || month > 12 || day < 1 || day > 28 || hour > 23 || minute > 59 || second > 59 || year < 2 {
		return t, false // an error, or a day that some months don't have
	}
	nanos := 0
	if len(text) > len(form) {
		nanos = 1000 * number(len(form)+1, len(text))
	}
	return time.Date(year, time.Month(month), day, hour, minute, second, nanos, local).UTC(), true
}

// beginning stands for the earliest time (datetime.min). It is not the zero time, which
// stands for no time.
var beginning = time.Time{}.Add(time.Microsecond)

const dateOnly = "2006-01-02"

// boolean parses a truth value in the forms of all databases and of JSON.
func boolean(text string) (bool, error) {
	switch strings.ToLower(text) {
	case "1", "t", "true":
		return true, nil
	case "0", "f", "false":
		return false, nil
	}
	return false, fmt.Errorf("%.20q is neither true nor false", text)
}

// integer parses an ID.
func integer(text string) (int64, error) {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("%.40q is no whole number", text)
	}
	return n, nil
}
