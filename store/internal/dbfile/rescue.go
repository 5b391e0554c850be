package dbfile

import (
	"context"
	"database/sql"
	"errors"
	"sync"
	"time"
)

// rescueWait limits how long writing the log into the database may take, and rescueRetry is
// how often that is tried while others use it.
const (
	rescueWait  = 10 * time.Second
	rescueRetry = time.Millisecond
)

// Rescue writes the log of a database into the file that was opened, once others can't find
// the two together any more: what was acknowledged is in the log. The zero value has nothing
// to write.
type Rescue struct {
	once    sync.Once
	writing sync.WaitGroup
}

// Start begins, once, if that is what an error of [Files.Check] calls for. If another file is
// in the database's place, or none, the log is emptied too: SQLite would replay it into
// whatever file has the name next. The caller has found that nobody has written to the log since
// the files were last those that it opened: what others have written belongs to other files.
// conn was opened with them, and can write; isLocked reports whether an error is that of a lock, and
// own whether the log is still one that calls for it.
func (r *Rescue) Start(cause error, conn *sql.Conn, isLocked func(error) bool, own func() bool) {
	mode := "FULL"
	switch {
	case errors.Is(cause, ErrReplaced):
		mode = "TRUNCATE"
	case !errors.Is(cause, ErrLogReplaced):
		return
	}
	r.once.Do(func() { r.writing.Go(func() { checkpoint(conn, mode, isLocked, own) }) })
}

// Wait waits until the log is written, or can't be.
func (r *Rescue) Wait() { r.writing.Wait() }

// checkpoint writes the log into the database. The index is that of all processes, whose
// locks it takes.
func checkpoint(conn *sql.Conn, mode string, isLocked func(error) bool, own func() bool) {
	ctx, cancel := context.WithTimeout(context.Background(), rescueWait)
	defer cancel()
	for ctx.Err() == nil && own() {
		var busy, log, done int
		err := conn.QueryRowContext(ctx, `PRAGMA wal_checkpoint(`+mode+`)`).Scan(&busy, &log, &done)
		if err == nil && busy == 0 || err != nil && !isLocked(err) {
			return // there is nobody to tell of an error: the store is of no use anyway
		}
		time.Sleep(rescueRetry)
	}
}
