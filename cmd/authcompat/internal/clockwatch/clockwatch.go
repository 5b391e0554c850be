// Package clockwatch finds out whether a clock has been set forward while the process runs: what
// only then seems old must not be deleted.
package clockwatch

import "time"

// MaxDrift is how far a clock may move between two readings beside the time that passes:
// it is being slewed, or the readings took a while.
const MaxDrift = time.Minute

// Watch compares the readings of a clock. The zero value has none yet. It is not safe for
// concurrent use.
type Watch struct {
	reading, at time.Time // the last reading, and this process's time then
	ahead       time.Duration
}

// Observe takes a reading of the clock, made at a time of this process, which has a monotonic part.
// It returns how far the clock is ahead of where it would be if nobody had set it forward since the
// first reading. One that is set back to before that was wrong at first.
func (w *Watch) Observe(reading, now time.Time) time.Duration {
	if !w.at.IsZero() {
		// reading has no monotonic part, the process's time has: what passed is not what
		// the clock says.
		leap := reading.Round(0).Sub(w.reading) - now.Sub(w.at)
		if leap.Abs() > MaxDrift {
			w.ahead = max(0, w.ahead+leap)
		}
	}
	w.reading, w.at = reading.Round(0), now
	return w.ahead
}
