package operate

import "time"

// Sample takes a sample of the metrics, as if it were that time.
func (v *View) Sample(now time.Time) { v.samples.take(now) }

// ReadTime reads a time of the form of the audit record.
func ReadTime(text string, now time.Time) (time.Time, error) { return readTime(text, now) }
