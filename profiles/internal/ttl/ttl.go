// Package ttl reads and writes how long tokens live.
package ttl

import (
	"strconv"
	"strings"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/authcompat/authcompat/profiles/internal/yamlvalue"
)

// Never is the ttl of tokens that have none.
const Never = "never"

const day = 24 * time.Hour

// maxTTL keeps expiries well within the range of databases and clients.
const maxTTL = 36_500 * day

// unit is a unit of durations.
type unit struct {
	letter string
	length time.Duration
}

func units() []unit {
	return []unit{{"d", day}, {"h", time.Hour}, {"m", time.Minute}, {"s", time.Second}}
}

// Read reads a duration, 0 for Never.
func Read(v yamlvalue.Value) (time.Duration, bool) {
	v.Shape().Text(`^(never|([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?)$`)
	if v.Node.Kind != yaml.ScalarNode || v.IsNull() {
		v.Want("never, or a duration such as 15d, 24h or 1h30m")
		return 0, false
	}
	if v.Node.Value == Never {
		return 0, true
	}
	d, ok := duration(v.Node.Value)
	if !ok {
		v.Want("never, or a duration such as 15d, 24h or 1h30m")
		return 0, false
	}
	if d <= 0 || d > maxTTL {
		v.Refuse("want never, or a duration from 1s to 36500d, not %s", v.Kind())
		return 0, false
	}
	return d, true
}

// duration reads whole numbers of days, hours, minutes and seconds, in that order. For
// a duration over maxTTL it gives any other over maxTTL.
func duration(s string) (time.Duration, bool) {
	if s == "" {
		return 0, false
	}
	var sum time.Duration
	for _, u := range units() {
		number, rest, ok := strings.Cut(s, u.letter)
		if !ok {
			continue
		}
		n, err := strconv.ParseUint(number, 10, 32)
		if err != nil {
			return 0, false
		}
		sum += min(time.Duration(n), maxTTL/u.length+1) * u.length
		s = rest
	}
	return sum, s == ""
}

// Text is the inverse of Read. A single day is written 24h, as people call it.
func Text(d time.Duration) string {
	if d == 0 {
		return Never
	}
	var out strings.Builder
	for _, u := range units() {
		if u.length == day && (d == day || d%day != 0) {
			continue
		}
		if n := d / u.length; n > 0 {
			out.WriteString(strconv.FormatInt(int64(n), 10) + u.letter)
			d -= n * u.length
		}
	}
	return out.String()
}
