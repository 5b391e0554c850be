// Package postgres keeps users and tokens in PostgreSQL, or in a distributed engine
// that speaks its protocol, for any number of authcompat nodes.
//
// # Guarantees
//
// A change whose call returned nil is committed on the primary, and on its synchronous
// standbys if there are any. Every look-up queries the primary and nothing is cached,
// so every later call sees the change, on any node: a token whose logout one node
// acknowledged is refused by all. Connections to servers other than a writable primary
// are not used at all.
//
// Each change is one transaction. It locks the rows it depends on, so that it is
// correct under READ COMMITTED, and is retried from its beginning if the server
// reports a conflict (40001, 40P01), so that it is correct under SERIALIZABLE.
//
// # Ambiguous commits
//
// If the connection is lost during a commit, it is unknown whether the transaction was
// committed. It is then retried, and the retry looks for what the first attempt would
// have written: the token by its digest, the user by the row that was to be written. A
// crashed primary may have a commit that its standby lacks; therefore the retry locks a
// row of its own (the table fence), which makes its own commit wait until everything
// before it is replicated. If that takes too long, the call fails with
// [core.ErrUnavailable].
//
// # Timeouts
//
// No call waits for the database longer than the DSN's wait (2 s; a minute for work on
// many rows, which no client's request causes). Every statement has a deadline on the
// socket, so that a server that does not answer at all is noticed too. Statements are
// not canceled when a request's context ends: a canceled COMMIT would be acknowledged
// before it is replicated. The context is checked between statements, and while a call
// waits for a connection.
//
// If a commit takes longer, because a synchronous standby is down, its caller gives up
// and the commit keeps its connection until the server answers. At most half of the
// connections are used for writing, so that token checks continue meanwhile.
//
// A connection that fails invalidates all that were opened before it, because they were
// lost with the same server.
package postgres
