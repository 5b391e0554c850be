package flagvalue

import (
	"fmt"
	"time"

	"github.com/spf13/pflag"
)

// Since is a flag's time from which on something counts: an age as [ParseDuration] reads it, such as 7d, or a time or a date
// as [ParseTime] does. The zero Since, which 0 and an empty value are, is all the time.
type Since struct {
	age Duration // 0: at says it
	at  time.Time
}

var _ pflag.Value = (*Since)(nil)

// SinceAge returns the Since of an age.
func SinceAge(age time.Duration) Since { return Since{age: Duration(age)} }

// Set implements pflag.Value.
func (s *Since) Set(text string) error {
	if age, err := ParseDuration(text); err == nil || text == "" {
		*s = SinceAge(age)
		return nil
	}
	at, err := ParseTime(text)
	if err != nil {
		return fmt.Errorf("%q: want an age such as 7d, 12h or 15m, at most 36500d, or a time such as 2026-11-22T06:00:00Z or 2026-11-22 (UTC)", text)
	}
	*s = Since{at: at}
	return nil
}

// String implements pflag.Value.
func (s *Since) String() string {
	switch {
	case s.age > 0:
		return s.age.String()
	case s.at.IsZero():
		return "0"
	}
	return s.at.Format(time.RFC3339)
}

// Type implements pflag.Value.
func (s *Since) Type() string { return "age|time" }

// Time returns the time at now; the zero time: all counts.
func (s *Since) Time(now time.Time) time.Time {
	if s.age > 0 {
		return now.Add(-time.Duration(s.age))
	}
	return s.at
}
