package password

import (
	"strings"
	"testing"
)

// brokenRow is a row whose hash has a defect.
type brokenRow struct{ pbkdf2Row }

func (brokenRow) matches(string) bool { panic("s3cret") }

// TestPanic checks that a defect of a hash comes to whoever asked for it, with its
// own stack and without what it was about.
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
