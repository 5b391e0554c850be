// Package cutover decides which side of a move answers a request: the old server, or the new
// one. A [State] has a [Rule] for each endpoint that is being moved; all nodes on a database
// share it, and a later state with larger shares only adds people to the new side.
package cutover
