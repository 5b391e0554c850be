// Package storetest is the suite that every [core.Store] passes: it covers each
// sentence of the interface's contract, also under concurrency and across processes.
//
// Every case has two handles on one database, like two processes. What one does is
// checked through the other, so that no case passes because a handle remembers its own
// writes.
//
// Each subject has a file: users with their passwords, tokens with their deletion, reuse
// with its races, expiry alone and in batches, contexts, failures, and races for other
// concurrent calls. The packages operationtest and transfertest are the suites of the interfaces
// beside core.Store.
package storetest
