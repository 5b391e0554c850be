package server

import "os"

// ballastSize is how much memory the garbage collector counts as in use beside what is:
// it lets that much garbage gather before it runs.
const ballastSize = 32 << 20

// ballastBlock divides ballastSize.
const ballastBlock = 1 << 20

// ballast returns memory that is never touched, so that the system never has to provide
// it. A server has only a few megabytes in use, and the collector, which runs whenever as
// much has been added, would run fifty times a second under load and take a fifth of all
// processor time. It is nil if the operator has configured the collector.
//
// It is a fixed amount instead of a higher GOGC because a server that caches many tokens
// would then need a multiple of the memory that they take.
//
// It is in blocks, because what is cleared is touched, and the runtime clears the whole of a
// block if any of it was used before: in one piece, all of it was resident after most starts.
func ballast() [][]byte {
	for _, variable := range []string{"GOGC", "GOMEMLIMIT"} {
		if _, set := os.LookupEnv(variable); set {
			return nil
		}
	}
	blocks := make([][]byte, ballastSize/ballastBlock)
	for i := range blocks {
		blocks[i] = make([]byte, ballastBlock)
	}
	return blocks
}
