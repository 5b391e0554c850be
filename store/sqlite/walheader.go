package sqlite

// headerWords is the size of one copy of the WAL-index header in 32-bit words
// (https://sqlite.org/walformat.html, section 2.1: 48 bytes, twice).
const headerWords = 12

// initializedWord is the word of the header with the byte that says it is
// meaningful.
const initializedWord = 3

// walHeader is one state of the database: SQLite's readers take their snapshot
// from it alone, and keep or drop their page cache by comparing it
// (sqlite/src/wal.c, walIndexTryHdr), so two equal headers are one snapshot.
type walHeader [headerWords]uint32
