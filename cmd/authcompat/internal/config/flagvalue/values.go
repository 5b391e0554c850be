// Package flagvalue has the kinds of values that settings have: durations, rates, words and
// addresses.
package flagvalue

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/profiles/yamlfile"
)

// StandardInput is the name of a file that stands for what comes there.
const StandardInput = "-"

// Duration is a flag's value in days or in Go's units, such as 90d, 12h or 1h30m, of at
// most 36500d.
type Duration time.Duration

var _ pflag.Value = (*Duration)(nil)

// Set implements pflag.Value.
func (p *Duration) Set(text string) error {
	d, err := ParseDuration(text)
	if err != nil {
		return err
	}
	*p = Duration(d)
	return nil
}

// String implements pflag.Value.
func (p *Duration) String() string {
	d := time.Duration(*p)
	if d%Day == 0 {
		return fmt.Sprintf("%dd", d/Day)
	}
	text := d.String()
	if d%time.Minute == 0 {
		text = strings.TrimSuffix(text, "0s")
	}
	if d%time.Hour == 0 {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

// Type implements pflag.Value.
func (p *Duration) Type() string { return "duration" }

// Day is a day of 24 hours.
const Day = 24 * time.Hour

const maxDuration = 36500 * Day

// ParseDuration reads what a [Duration] is set to.
func ParseDuration(text string) (time.Duration, error) {
	d, err := time.ParseDuration(text)
	if days, ok := strings.CutSuffix(text, "d"); ok {
		var n int
		n, err = strconv.Atoi(days)
		if n = min(n, int(maxDuration/Day)+1); err == nil {
			d = time.Duration(n) * Day
		}
	}
	if err != nil || d < 0 || d > maxDuration {
		return 0, fmt.Errorf("%q is no duration: want for instance 90d, 12h or 15m, at most 36500d", text)
	}
	return d, nil
}

// ParseTime reads a time as of RFC 3339, or a date, which begins at midnight UTC. The time is in UTC.
func ParseTime(text string) (time.Time, error) {
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if t, err := time.Parse(layout, text); err == nil {
			return t.UTC(), nil
		}
	}
	return time.Time{}, fmt.Errorf("%q: want a time such as 2026-11-22T06:00:00Z, or a date such as 2026-11-22 (UTC)", text)
}

// RateLimit is a flag's rate limit, such as 10/15m.
type RateLimit core.Limit

var _ pflag.Value = (*RateLimit)(nil)

// Set implements pflag.Value.
func (r *RateLimit) Set(text string) error {
	count, window, ok := strings.Cut(text, "/")
	n, err := strconv.Atoi(count)
	if !ok || err != nil || n < 1 || n > 1_000_000 {
		return fmt.Errorf("%q is no limit: want for instance 10/15m, ten in a quarter of an hour", text)
	}
	d, err := ParseDuration(window)
	if err != nil {
		return err
	}
	if d < time.Second || d > 365*Day {
		return errors.New("a limit's period is 1s to 365d")
	}
	*r = RateLimit{Burst: n, Window: d}
	return nil
}

// String implements pflag.Value.
func (r *RateLimit) String() string {
	window := Duration(r.Window)
	return fmt.Sprintf("%d/%s", r.Burst, window.String())
}

// Type implements pflag.Value.
func (r *RateLimit) Type() string { return "rate" }

// Enum is a flag with a fixed set of values.
type Enum struct {
	Value    string
	Values   []string // that it may have
	optional bool     // or be empty
}

var _ pflag.Value = (*Enum)(nil)

// NewEnum returns a flag that has the first value unless it is set.
func NewEnum[W ~string](first W, others ...W) Enum {
	w := NewOptionalEnum(append([]W{first}, others...))
	w.Value, w.optional = string(first), false
	return w
}

// NewOptionalEnum returns a flag that is empty unless it is set to one of the values.
func NewOptionalEnum[W ~string](values []W) Enum {
	w := Enum{optional: true}
	for _, value := range values {
		w.Values = append(w.Values, string(value))
	}
	return w
}

// Set implements pflag.Value.
func (w *Enum) Set(text string) error {
	if slices.Contains(w.Values, text) || text == "" && w.optional {
		w.Value = text
		return nil
	}
	return fmt.Errorf("%q: want %s%s", text, w.wanted(), yamlfile.DidYouMean(text, w.Values))
}

// wanted lists the values: a sentence of three, a list of more.
func (w *Enum) wanted() string {
	if len(w.Values) > 3 {
		return "one of " + w.List()
	}
	return strings.Join(w.Values, " or ")
}

// List returns the values with commas between them, for the usage of the flag.
func (w *Enum) List() string { return strings.Join(w.Values, ", ") }

// String implements pflag.Value.
func (w *Enum) String() string { return w.Value }

// Type implements pflag.Value.
func (w *Enum) Type() string { return "string" }

// Toggle is a flag that is on or off. It takes true and false too, which people write in
// YAML.
type Toggle bool

var _ pflag.Value = (*Toggle)(nil)

// Set implements pflag.Value.
func (t *Toggle) Set(text string) error {
	switch text {
	case "on", "true":
		*t = true
	case "off", "false":
		*t = false
	default:
		return fmt.Errorf("%q: want on or off", text)
	}
	return nil
}

// String implements pflag.Value.
func (t *Toggle) String() string {
	if *t {
		return "on"
	}
	return "off"
}

// Type implements pflag.Value.
func (t *Toggle) Type() string { return "on|off" }

// Friendly returns errors of strconv and time in plain words, and others as they are.
func Friendly(err error) error {
	var number *strconv.NumError
	switch {
	case errors.As(err, &number) && number.Func == "ParseBool":
		return errors.New("want true or false") // not shown: --password-stdin=PASSWORD is an easy mistake
	case errors.As(err, &number) && errors.Is(err, strconv.ErrRange):
		return fmt.Errorf("%q is too large", number.Num)
	case errors.As(err, &number):
		return fmt.Errorf("%q: want a whole number", number.Num)
	}
	if text, ok := strings.CutPrefix(err.Error(), "time: "); ok {
		return fmt.Errorf("%s: want for instance 90s or 15m", text)
	}
	return err
}
