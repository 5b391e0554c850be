package postgrestest

import (
	"testing"
	"time"
)

// eventuallyTime is how long a server, or a store on it, may take to come back.
const eventuallyTime = 20 * time.Second

// Eventually waits until do succeeds, such as a call of a store whose server was stopped,
// and ends the test with its last error if that takes longer than 20 seconds.
func Eventually(tb testing.TB, do func() error) {
	tb.Helper()
	for began := time.Now(); ; time.Sleep(time.Millisecond) {
		err := do()
		if err == nil {
			return
		}
		if time.Since(began) > eventuallyTime {
			tb.Fatal(err)
		}
	}
}
