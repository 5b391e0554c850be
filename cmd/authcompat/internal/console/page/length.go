package page

import (
	"strconv"
	"strings"
	"time"
)

// Length writes a length of time in words, to its largest units, of which there are at most most: 15 days, 1 hour 30 minutes.
func Length(d time.Duration, most int) string {
	var words []string
	for _, unit := range []struct {
		length time.Duration
		name   string
	}{{24 * time.Hour, "day"}, {time.Hour, "hour"}, {time.Minute, "minute"}, {time.Second, "second"}} {
		n := int(d / unit.length)
		d %= unit.length
		if n == 0 || len(words) == most {
			continue
		}
		word := strconv.Itoa(n) + " " + unit.name
		if n > 1 {
			word += "s"
		}
		words = append(words, word)
	}
	if len(words) == 0 {
		return "less than a second"
	}
	return strings.Join(words, " ")
}
