//go:build unix

package httpserver

import (
	"math"
	"syscall"
)

// openFiles is how many files the process may have open. The runtime has raised the limit
// as far as it may.
func openFiles() int {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil || limit.Cur > math.MaxInt32 {
		return math.MaxInt32
	}
	return int(limit.Cur)
}
