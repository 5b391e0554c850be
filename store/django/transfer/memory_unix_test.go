//go:build unix

package transfer_test

import (
	"os"
	"runtime"
	"syscall"
)

// peakMemory returns the most memory that a process had at a time, in bytes.
func peakMemory(ended *os.ProcessState) int64 {
	most := int64(ended.SysUsage().(*syscall.Rusage).Maxrss)
	if runtime.GOOS == "darwin" || runtime.GOOS == "ios" { // which counts bytes, all others KiB
		return most
	}
	return most << 10
}
