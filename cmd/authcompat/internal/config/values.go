package config

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/authcompat/authcompat/core"
)

// Duration is a flag's value in days or in Go's units, such as 90d, 12h or 1h30m, of at
// most 36500d.
type Duration time.Duration

var _ pflag.Value = (*Duration)(nil)

// Set implements pflag.Value.
func (p *Duration) Set(text string) error {
	d, err := parseDuration(text)
	if err != nil {
		return err
	}
	*p = Duration(d)
	return nil
}

// String implements pflag.Value.
func (p *Duration) String() string {
	d := time.Duration(*p)
	if d%day == 0 {
		return fmt.Sprintf("%dd", d/day)
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

const (
	day         = 24 * time.Hour
	maxDuration = 36500 * day
)

func parseDuration(text string) (time.Duration, error) {
	d, err := time.ParseDuration(text)
	if days, ok := strings.CutSuffix(text, "d"); ok {
		var n int
		n, err = strconv.Atoi(days)
		if n = min(n, int(maxDuration/day)+1); err == nil {
			d = time.Duration(n) * day
		}
	}
	if err != nil || d < 0 || d > maxDuration {
		return 0, fmt.Errorf("%q is no duration: want for instance 90d, 12h or 15m, at most 36500d", text)
	}
	return d, nil
}

// rateLimit is a flag's rate limit, such as 10/15m.
type rateLimit core.Limit

var _ pflag.Value = (*rateLimit)(nil)

// Set implements pflag.Value.
func (r *rateLimit) Set(text string) error {
	count, window, ok := strings.Cut(text, "/")
	n, err := strconv.Atoi(count)
	if !ok || err != nil || n < 1 || n > 1_000_000 {
		return fmt.Errorf("%q is no limit: want for instance 10/15m, ten in a quarter of an hour", text)
	}
	d, err := parseDuration(window)
	if err != nil {
		return err
	}
	if d < time.Second || d > 365*day {
		return errors.New("a limit's period is 1s to 365d")
	}
	*r = rateLimit{Burst: n, Window: d}
	return nil
}

// String implements pflag.Value.
func (r *rateLimit) String() string {
	window := Duration(r.Window)
	return fmt.Sprintf("%d/%s", r.Burst, window.String())
}

// Type implements pflag.Value.
func (r *rateLimit) Type() string { return "rate" }

// enum is a flag with a fixed set of values.
type enum struct {
	value  string
	values []string
}

var _ pflag.Value = (*enum)(nil)

func newEnum(first string, others ...string) enum {
	return enum{value: first, values: append([]string{first}, others...)}
}

// Set implements pflag.Value.
func (w *enum) Set(text string) error {
	for _, known := range w.values {
		if text == known {
			w.value = text
			return nil
		}
	}
	return fmt.Errorf("%q: want %s", text, strings.Join(w.values, " or "))
}

// String implements pflag.Value.
func (w *enum) String() string { return w.value }

// Type implements pflag.Value.
func (w *enum) Type() string { return "string" }

// toggle is a flag that is on or off. It takes true and false too, which people write in
// YAML.
type toggle bool

var _ pflag.Value = (*toggle)(nil)

// Set implements pflag.Value.
func (t *toggle) Set(text string) error {
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
func (t *toggle) String() string {
	if *t {
		return "on"
	}
	return "off"
}

// Type implements pflag.Value.
func (t *toggle) Type() string { return "on|off" }

// friendly returns errors of strconv and time in plain words, and others as they are.
func friendly(err error) error {
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

// FriendlyFlagError returns the error of an invalid value on the command line in plain
// words, with the name of its flag. For the former name of a flag it gives the new one. It
// returns other errors as they are.
func FriendlyFlagError(flags *pflag.FlagSet, err error) error {
	var invalid *pflag.InvalidValueError
	if !errors.As(err, &invalid) {
		return explainFormerFlag(flags, err)
	}
	return fmt.Errorf("--%s: %w", invalid.GetFlag().Name, friendly(invalid.Unwrap()))
}
