// Package callers is about who calls which API: [Caller], and the [Store] that keeps how often, by
// day. A [Counter] counts in memory, without anything that would slow a token check down, and
// writes each minute.
package callers
