package server

import "time"

// maxDrift is how far a clock may move between two readings beside the time that passes:
// it is being slewed, or the readings took a while.
const maxDrift = time.Minute

// clockWatch finds out whether a clock has been set forward while the server runs: rows
// that only then seem old must not be deleted.
type clockWatch struct {
	reading, at time.Time // the last reading, and this process's time then
	ahead       time.Duration
}

// observe takes a reading of the clock. It returns how far it is ahead of where it would
// be if nobody had set it forward since the first reading. One that is set back to before
// that was wrong at first.
func (w *clockWatch) observe(reading time.Time) time.Duration {
	now := time.Now()
	if !w.at.IsZero() {
		// reading has no monotonic part, the process's time has: what passed is not what
		// the clock says.
		leap := reading.Round(0).Sub(w.reading) - now.Sub(w.at)
		if leap.Abs() > maxDrift {
			w.ahead = max(0, w.ahead+leap)
		}
	}
	w.reading, w.at = reading.Round(0), now
	return w.ahead
}
