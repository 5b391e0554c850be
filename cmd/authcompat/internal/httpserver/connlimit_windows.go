package httpserver

// connectionsAllowed is how many connections a listener holds at a time. Windows has no
// limit on open files that would lower it.
func connectionsAllowed() int { return maxConnections }
