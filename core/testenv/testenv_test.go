package testenv

import (
	"fmt"
	"testing"
)

// ending keeps how a test was ended.
type ending struct {
	testing.TB
	how string
}

func (e *ending) Helper() {}
func (e *ending) Fatalf(format string, arguments ...any) {
	e.end("failed: ", format, arguments...)
}
func (e *ending) Skipf(format string, arguments ...any) {
	e.end("skipped: ", format, arguments...)
}

// end keeps the first way: a test goes no further.
func (e *ending) end(how, format string, arguments ...any) {
	if e.how == "" {
		e.how = how + fmt.Sprintf(format, arguments...)
	}
}

func TestMissing(t *testing.T) {
	for ci, want := range map[string]string{"": "skipped: no bash 5", "true": "failed: no bash 5"} {
		t.Setenv("CI", ci)
		var e ending
		if Missing(&e, "no %s %d", "bash", 5); e.how != want {
			t.Errorf("CI=%q: %s", ci, e.how)
		}
	}
}
