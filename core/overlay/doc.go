// Package overlay lets an engine answer a request without doing what it asks for: it reads the
// store, and what it would write stays in the memory of that one request.
//
// [Backend] wraps a store for a [core.Service] of its own, which has no limits, no queue of
// expiries and nobody who is told of events. A [Request] in the context of each call remembers
// what was read, so that the request can be answered again, later, from the state that there was
// the first time: what another server on the same tables has written meanwhile is not seen.
//
// Passwords are the one thing that takes time. [Hasher] takes each for the right one at first,
// which costs nothing and reads all there is to read, and remembers which it was asked about;
// [Request.CheckPasswords] checks those, when there is time, and the next answer goes by that.
package overlay
