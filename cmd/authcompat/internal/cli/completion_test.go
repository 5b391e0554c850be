package cli

import (
	"runtime"
	"testing"
)

// TestCommandsAreCheap holds the command tree to a megabyte: every start makes it, and what completes values is
// several times that.
func TestCommandsAreCheap(t *testing.T) {
	const most = 1 << 20
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	tree := Commands()
	runtime.ReadMemStats(&after)
	if took := after.TotalAlloc - before.TotalAlloc; took > most {
		t.Errorf("the command tree takes %d bytes, want at most %d", took, most)
	}
	runtime.KeepAlive(tree)
}
