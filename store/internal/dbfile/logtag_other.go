//go:build !linux

package dbfile

import "os"

// tagLog does nothing: on this system, nothing says whose a log is.
func tagLog(string, object) {}

// readTag finds no tag.
func readTag(string) (database, log object, ok bool) { return object{}, object{}, false }

// objectAt finds nothing.
func objectAt(string) (object, bool) { return object{}, false }

// objectOf finds nothing.
func objectOf(*os.File) (object, bool) { return object{}, false }

// isLayered returns false.
func isLayered(string) bool { return false }

// hold returns nil.
func hold(string) *os.File { return nil }
