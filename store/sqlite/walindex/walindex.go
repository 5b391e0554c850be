// Package walindex reads the header of a SQLite database's WAL-index, which tells a
// process, without asking SQLite, whether anything was written to the database.
//
// In WAL mode, SQLite keeps an index of the write-ahead log in a file PATH-shm, which
// every process that has the database open maps into its memory. It begins with a
// header that describes the current state of the database (WAL-mode File Format,
// https://sqlite.org/walformat.html, section 2.1). Readers take their snapshot from
// this header alone, and keep or drop their page cache by comparing it with the one
// they saw before (sqlite/src/wal.c, walIndexTryHdr). So two equal headers mean the
// same snapshot, and a cache of what was read under one header is valid for as long as
// the header stays the same.
//
// A commit changes the header before it returns, in whichever process it runs: the
// header counts commits and has the checksum of the last frame. It is kept twice. A
// process that dies while it writes the header leaves two different copies, which
// [Index.Read] reports as no header at all until SQLite has recovered the log.
//
// Reading the header costs a few nanoseconds and no system call, where the cheapest
// query costs microseconds. Nothing is ever written to the file.
package walindex

import "encoding/binary"

// headerWords is the size of one copy of the header in 32-bit words: 48 bytes.
const headerWords = 12

// changeWord is the word that counts commits.
const changeWord = 2

// initWord is the word with the byte isInit, which is 0 before the header has been
// written.
const initWord = 3

// framesWord is the word with the number of frames, and checksumWord the first of the two with the
// checksum of the last one.
const (
	framesWord   = 4
	checksumWord = 6
)

// saltWord is the first of the two words with the salt of the write-ahead log, which is
// drawn anew when the log begins anew. Both are 0 if the log had no header when the index
// was last rebuilt from it (sqlite/src/wal.c, walIndexRecover).
const saltWord = 8

// Header is a copy of the WAL-index header. Equal headers mean the same snapshot of the
// database, except for those without a salt, which [Index.Read] does not report: after each
// recovery of an empty log they are all the same, whatever was copied from the log into the
// database before.
type Header [headerWords]uint32

// LastFrame returns the number of the last frame of the log that belongs to a commit, 0 if there is
// none, the size of its page in bytes, and its checksum.
func (h Header) LastFrame() (number uint32, page int, checksum [2]uint32) {
	const largest, isLargestPages = 65536, 1
	page = int(uint16(h[initWord] >> 16))
	if binary.NativeEndian.Uint16([]byte{1, 0}) != 1 {
		page = int(uint16(h[initWord]))
	}
	if page == isLargestPages {
		page = largest
	}
	return h[framesWord], page, [2]uint32(h[checksumWord : checksumWord+2])
}

// Follows reports whether one commit, and no other, lies between the header before and this one.
func (h Header) Follows(before Header) bool { return h[changeWord] == before[changeWord]+1 }
