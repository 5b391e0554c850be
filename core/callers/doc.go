// Package callers counts who calls which API: in memory, without anything that would slow a token
// check down, and from there, each minute, in a [core.CallerStore].
package callers
