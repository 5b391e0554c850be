package operate

import "time"

// Sample takes a sample of the metrics, as if it were that time.
func (v *View) Sample(now time.Time) { v.samples.take(now) }
