package password

import (
	"strings"
	"testing"
)

// brokenRow is a row whose hash panics.
type brokenRow struct{ pbkdf2Row }

func (brokenRow) matches(string) bool { panic("s3cret") }

// TestPanic checks that a panic in a hash reaches the caller, with its original stack
// and with a text that does not contain the value.
func TestPanic(t *testing.T) {
	defer func() {
		p, ok := recover().(*Panic)
		if !ok || p.Value != "s3cret" || !strings.Contains(string(p.Stack), "brokenRow.matches") {
			t.Errorf("panic: %+v", p)
		} else if strings.Contains(p.Error(), "s3cret") || !strings.Contains(p.Error(), "a hash panicked with a string") {
			t.Errorf("text: %s", p.Error())
		}
	}()
	compute(brokenRow{}, "x")
}
