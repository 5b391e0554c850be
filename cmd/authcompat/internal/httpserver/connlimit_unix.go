//go:build unix

package httpserver

import "syscall"

// connectionsAllowed is how many connections a listener may hold at a time. It leaves
// open files for the store.
func connectionsAllowed() int {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil || limit.Cur > 2*maxConnections {
		return maxConnections
	}
	return max(otherFiles, min(maxConnections, int(limit.Cur)-otherFiles))
}
