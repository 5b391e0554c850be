// Package storetest is the suite that every [core.Store] passes: each sentence
// of the interface's contract, also under concurrency and across processes.
//
// Every case has two handles on one database, as two processes would. What one
// does is checked through the other, so that nothing passes because a handle
// remembers its own writes.
//
// A subject has a file: users, passwords, tokens, reuse, expiry, deletion,
// contexts, and races for what happens at once. An interface that is added
// beside core.Store gets a Run function and files of its own here.
package storetest
