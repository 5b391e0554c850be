// Package recent remembers how long things took, for callers that have to take as long
// without doing them.
package recent

import (
	"math/rand/v2"
	"time"
)

// size is how many durations are remembered.
const size = 64

// Durations are the last ones that something took. The zero value has none. They are not
// safe for concurrent use.
type Durations struct {
	last  [size]time.Duration
	added int
}

// Add records a duration.
func (d *Durations) Add(took time.Duration) {
	d.last[d.added%size] = took
	d.added++
}

// Sample returns one of the durations at random, not their mean: what always takes the
// mean stands out from what varies around it. It returns 0 if there are none yet.
func (d *Durations) Sample() time.Duration {
	if d.added == 0 {
		return 0
	}
	return d.last[rand.IntN(min(d.added, size))]
}
