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
