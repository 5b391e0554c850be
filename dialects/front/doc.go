// Package front puts an API before the application that had it: whatever the API's own
// endpoints don't answer goes on to the application, as the client sent it, and its answer
// comes back as it sent that. Rules say which paths need a token of the API.
//
//	rules      the first whose path fits decides; a target that servers could read in two
//	           ways fits none, and gets the strictest ([Rules])
//	forward    net/http/httputil.ReverseProxy, over connections of ours that keep what
//	           net/http would change: the target, the spelling of names, lengths of 0
//	switch     each endpoint goes to the old side or to the new one, by the state of a
//	           cutover; a body that names a user is read, and handed on as it came ([Switch])
//	bodies     streamed both ways, with a deadline for silence and none for the whole
//	tunnels    WebSockets, until either side ends them, their token does, or the process
//	failures   in the API's own shape: 503 (unreachable), 502 (no answer that can be
//	           understood), 504 (none in time). None of them lets a request through
//
// What changes on the way, and nothing else: hop-by-hop headers (RFC 9110, 7.6.1), those
// that say where a request came from, the order of headers, the case of names in requests and of
// those that frame an answer, and white space around values. The reason phrase of an answer
// stays where the ResponseWriter has a method SetReason(string).
package front
