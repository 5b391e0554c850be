package httpserver

import (
	"testing"

	"golang.org/x/sys/unix"
)

// TestHungUp checks that a signal during poll ends no connection: the runtime sends some to
// its own threads.
func TestHungUp(t *testing.T) {
	for name, test := range map[string]struct {
		answers []error
		revents int16
		want    bool
	}{
		"open":                   {[]error{nil}, 0, false},
		"reset":                  {[]error{nil}, unix.POLLHUP, true},
		"interrupted":            {[]error{unix.EINTR, unix.EINTR, nil}, 0, false},
		"interrupted, and reset": {[]error{unix.EINTR, nil}, unix.POLLHUP | unix.POLLERR, true},
		"no memory":              {[]error{unix.ENOMEM}, unix.POLLHUP, false},
	} {
		calls := 0
		got := hungUp(3, func(state []unix.PollFd, _ int) (int, error) {
			err := test.answers[calls]
			calls++
			state[0].Revents = test.revents
			return 1, err
		})
		if got != test.want || calls != len(test.answers) {
			t.Errorf("%s: %v after %d calls", name, got, calls)
		}
	}
}
