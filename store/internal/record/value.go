package record

import (
	"database/sql"
	"time"
)

// Time returns the time, in UTC, of a column that counts microseconds since 1970.
func Time(micros int64) time.Time { return time.UnixMicro(micros).UTC() }

// Longest returns the longest of the times; 0 if there are none.
func Longest(waits []time.Duration) (longest time.Duration) {
	for _, wait := range waits {
		longest = max(longest, wait)
	}
	return longest
}

// Affected returns the number of rows that a statement changed, or its error.
func Affected(result sql.Result, err error) (int64, error) {
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}
