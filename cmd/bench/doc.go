//go:build linux

// Command bench measures what authcompat costs, end to end over loopback
// sockets, always beside something to compare it with in the same run:
//
//	check       a token check on SQLite beside a net/http handler that writes the
//	            same bytes, and nginx; and on PostgreSQL beside a handler that does
//	            the one prepared look-up as well
//	login       logins beside the bare password hash on as many threads
//	size        a token check with more and more tokens in the database
//	resources   start-up, memory, size of the binary
//	allocs      allocations of a check (BenchmarkCheck of cmd/authcompat/internal/server)
//	genuine     a token check beside Django, Django REST framework and gunicorn
//	revocation  logouts through a second server process while the load runs
//	moving      an import from Django, and the same again, beside a plain copy of
//	            the same rows; on SQLite and on PostgreSQL
//	exchanges   what an exchange of conformance run costs; with -beside, beside another authcompat
//
// Machines are noisy. The sides of a comparison therefore take turns several
// times a second within each round, so that what else the machine does falls on
// both; a ratio is that of one round, and the median of the rounds is what
// counts. Beside the throughput, which includes what the client costs, stands
// the processor time that the server itself took for a request; the bound of a
// check is on that.
//
// Each round is printed as a line in the format of Go's benchmarks, for
// benchstat; a table comes at the end. The exit code is 1 if a request failed or
// a bound of the table does not hold.
//
//	go run ./cmd/bench                          everything, about a quarter of an hour
//	go run ./cmd/bench -quick                   the same, smaller: for a first look
//	go run ./cmd/bench -scenario check,login
//
// It runs on Linux: the processes are observed through /proc.
package main
