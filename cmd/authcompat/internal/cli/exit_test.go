package cli

import (
	"context"
	"fmt"
	"strings"
	"testing"
)

// TestComplain: that a file was not checked to the end does not mean that it is damaged.
func TestComplain(t *testing.T) {
	for want, err := range map[string]error{
		"authcompat: interrupted\n":                                        context.Canceled,
		"authcompat: the copy of \"a.db\": check integrity: interrupted\n": fmt.Errorf("the copy of %q: check integrity: %w", "a.db", context.Canceled),
		"authcompat: user \"context canceled\" exists\n":                   fmt.Errorf("user %q exists", "context canceled"),
		"authcompat: a\\x1b\nb\n":                                          fmt.Errorf("a\x1b\nb"),
	} {
		var said strings.Builder
		if complain(&said, err); said.String() != want {
			t.Errorf("%q, want %q", said.String(), want)
		}
	}
}
