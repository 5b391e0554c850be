// Package shadowing runs the engine's answer beside that of an old server, compares the two, and
// writes what came of it into a journal.
//
// A request goes through these steps. Nobody waits for any but the first, and that for 25 ms at
// most:
//
//	before    the request is answered from the state before it: what is read is remembered,
//	          and passwords are taken for right
//	pass      the old server answers, and the client gets its answer as it comes
//	hash      its passwords are checked, one at a time and a tenth of the time, if no others are
//	          being hashed, and the request is answered again, by that, from what was read before
//	compare   by status, headers and body
//	learn     where they differ, and only if that is turned on, the old server is asked the same
//	          again, if that is a GET or HEAD: what differs from time to time is noise
//	again     where they differ, the request is answered from the state that there is now: if
//	          that is the old server's answer, another request came between
package shadowing
