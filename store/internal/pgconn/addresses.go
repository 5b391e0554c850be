package pgconn

// What the statements for the addresses that users verify need on PostgreSQL (package addresses).
const (
	// AfterAll keeps a number from being read in the order of its index.
	AfterAll = " + 0"
	// LockAddress is held until the transaction ends. All schemas of a database share it, which does no harm.
	LockAddress = `SELECT pg_advisory_xact_lock(hashtextextended('authcompat verified address ' || ?::text, 0))`
)
