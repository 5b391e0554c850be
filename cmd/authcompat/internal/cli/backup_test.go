package cli

import (
	"context"
	"path/filepath"
	"strings"
	"testing"

	"github.com/authcompat/authcompat/store"
)

// interrupter is a standard output whose first line interrupts the command.
type interrupter func()

func (interrupt interrupter) Write(p []byte) (int, error) {
	interrupt()
	return len(p), nil
}

// TestRestoredThenInterrupted interrupts a restore that has restored, while it looks at the
// keys: an error of an interruption would say that the database is what it was.
func TestRestoredThenInterrupted(t *testing.T) {
	dsn, file := "sqlite:"+filepath.Join(t.TempDir(), "a.db"), filepath.Join(t.TempDir(), "b.db")
	s, err := store.Open(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"backup", file}, {"restore", file}} {
		ctx, cancel := context.WithCancel(t.Context())
		var said strings.Builder
		root := newRoot(Streams{Out: interrupter(cancel), Err: &said})
		root.SetArgs(append(args, "--store", dsn))
		if err := root.ExecuteContext(ctx); err != nil || said.Len() > 0 || ctx.Err() == nil {
			t.Errorf("%v: %v, %s", args, err, said.String())
		}
	}
}
