package server

import "io/fs"

// ownerOf knows no owner: Windows has access control lists instead.
func ownerOf(fs.FileInfo) (uid int, known bool) { return 0, false }
