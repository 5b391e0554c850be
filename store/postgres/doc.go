// Package postgres keeps users and tokens in PostgreSQL, for any number of
// authcompat nodes, or in a distributed engine that speaks its protocol.
//
// # What is promised, and why it holds
//
// A step that returned nil is committed on the primary, and on its synchronous
// standbys where the operator has some. Every look-up asks the primary and
// nothing read is kept, so a step is seen by each call that begins after it, at
// any node: a token whose logout one node acknowledged is refused by all. A
// connection to a server that is not a writable primary is not used at all.
//
// Each step is one transaction. It locks the rows it decides by, so that it is
// right under READ COMMITTED, and is done again from its beginning where the
// server reports a conflict (40001, 40P01), so that it is right under
// SERIALIZABLE.
//
// # Doubt
//
// When the connection is lost while a transaction commits, nobody has said
// whether it did. The step is then done again, and looks for what its first
// attempt would have left: the token by its digest, the user by the row that was
// to be written. A commit that is found may be one that a crashed primary has
// and its standby has not; the transaction that looks therefore locks a row of
// its own (the table fence), which makes its own commit wait until everything
// before it is replicated. If the look can't be had in time, the answer is
// [core.ErrUnavailable].
//
// # Time
//
// No call waits for the database longer than the DSN's wait (2 s; work on many
// rows, which no client asks for, a minute): every statement has a deadline on
// the socket, so that a server which says nothing at all is noticed too.
// Statements are not cancelled when a request's context ends: a cancelled COMMIT
// would be acknowledged before it is replicated. The context is looked at between
// statements, and while a connection is waited for.
//
// A commit that takes longer, because a synchronous standby is away, is given up
// by its caller and keeps its connection until the server answers. At most half
// of the connections are used for writing, so that checks of tokens go on
// meanwhile.
//
// A connection that fails takes all that were opened before it out of use: a
// server that went away took them all.
package postgres
