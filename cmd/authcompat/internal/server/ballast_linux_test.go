package server

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"testing"
)

// ballastVariable is set in the process that TestBallastIsNotResident starts.
const ballastVariable = "AUTHCOMPAT_TEST_BALLAST"

// TestBallastIsNotResident takes a ballast where memory has been used and given up before, as a start
// leaves it. The runtime clears what was used, and whatever it clears is resident. It does so once in
// a process, as a server does: other tests, and a ballast given up before, may have used any amount of memory.
func TestBallastIsNotResident(t *testing.T) {
	if os.Getenv(ballastVariable) == "" {
		for range 3 {
			cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$", "-test.count=1")
			cmd.Env = append(os.Environ(), ballastVariable+"=1")
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%v\n%s", err, out)
			}
		}
		return
	}
	const most = ballastSize / 2
	used := make([][]byte, 24)
	for i := range used {
		used[i] = make([]byte, 96<<10)
		for k := 0; k < len(used[i]); k += 4096 {
			used[i][k] = 1
		}
	}
	used = nil
	runtime.GC()
	before := resident(t)
	held := ballast()
	after := resident(t)
	if after-before > most {
		t.Errorf("%d bytes of memory for a ballast of %d, want at most %d", after-before, ballastSize, most)
	}
	runtime.KeepAlive(held)
}

// resident returns the bytes of memory that the test has.
func resident(t *testing.T) int {
	t.Helper()
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		t.Fatal(err)
	}
	var size, pages int
	if _, err := fmt.Sscan(string(text), &size, &pages); err != nil {
		t.Fatal(err)
	}
	return pages * os.Getpagesize()
}
