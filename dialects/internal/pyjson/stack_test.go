package pyjson

import (
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"testing"
)

// TestDeepValuesLeaveNoStack reads and writes deep values in many goroutines that live on, as
// those of connections do: their stacks stay small. A collection halves a stack that is
// mostly unused, and no more.
func TestDeepValuesLeaveNoStack(t *testing.T) {
	const goroutines, most = 200, 16 << 10
	defer debug.SetGCPercent(debug.SetGCPercent(-1)) // no collection but those below
	for name, text := range map[string]string{
		"arrays":        strings.Repeat("[", DefaultMaxDepth) + strings.Repeat("]", DefaultMaxDepth),
		"objects":       strings.Repeat(`{"":`, DefaultMaxDepth) + "1" + strings.Repeat("}", DefaultMaxDepth),
		"too deep":      strings.Repeat("[", DefaultMaxDepth+1),
		"without ends":  strings.Repeat(`[{"":`, DefaultMaxDepth/2),
		"not one value": strings.Repeat(`{"":[`, DefaultMaxDepth/2) + strings.Repeat("]}", DefaultMaxDepth/2) + "x",
	} {
		t.Run(name, func(t *testing.T) {
			stacks := func() int64 {
				var m runtime.MemStats
				runtime.GC()
				runtime.ReadMemStats(&m)
				return int64(m.StackInuse)
			}
			before := stacks()
			var read, idle sync.WaitGroup
			end := make(chan struct{})
			for range goroutines {
				read.Add(1)
				idle.Go(func() {
					if value, err := Decode(text, Options{}); err == nil {
						Str(value)
					}
					read.Done()
					<-end
				})
			}
			read.Wait()
			if took := (stacks() - before) / goroutines; took > most {
				t.Errorf("each keeps a stack of %d KiB", took>>10)
			}
			close(end)
			idle.Wait()
		})
	}
}
