package server

import "os"

// ballastSize is how much the garbage collector believes to be in use beside
// what is: it lets so much garbage gather before it runs.
const ballastSize = 16 << 20

// ballast is memory that nobody touches, so that it costs none: what a server
// has in use is a few megabytes, and the collector, which runs whenever as much
// has been added, would run fifty times a second under load (a fifth of all
// processor time). It is nil where the operator has set the collector.
//
// A fixed amount instead of a higher GOGC, because a server that remembers many
// tokens would otherwise need a multiple of the memory that they take.
func ballast() []byte {
	for _, variable := range []string{"GOGC", "GOMEMLIMIT"} {
		if _, set := os.LookupEnv(variable); set {
			return nil
		}
	}
	return make([]byte, ballastSize)
}
