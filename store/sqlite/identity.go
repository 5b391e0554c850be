package sqlite

import (
	"context"
	"errors"
	"time"

	"github.com/authcompat/authcompat/store/internal/dbfile"
)

// errIndexDamaged is the error of a store whose WAL-index was truncated or removed by
// somebody else. SQLite would read beyond its end, or use one that other processes do not
// share.
var errIndexDamaged = errors.New("the WAL-index (the database's file -shm) was truncated or removed while it was open: restart the servers that use it")

// checkFiles fails, from then on for good, once the files at the store's path are not those
// that were opened, or the WAL-index is damaged. It comes before each use of SQLite, which
// would mix the files, and after each commit, so that nothing is acknowledged that went into
// another file. It costs four system calls. A WAL-index that is truncated between the check
// and the use still ends the process, as it does for every program that uses SQLite.
func (s *Store) checkFiles() error {
	if err := s.files.Broken(); err != nil {
		return err
	}
	if index := s.cache.index.Load(); index != nil && !index.Intact() {
		return s.files.Break(errIndexDamaged)
	}
	err := s.files.Check()
	if errors.Is(err, dbfile.ErrLogReplaced) {
		s.rescueOnce.Do(func() { s.rescue.Go(s.checkpoint) })
	}
	return err
}

// checkInterval is how often the files are checked while all look-ups are answered from the
// cache, without SQLite.
const checkInterval = 100 * time.Millisecond

// usable reports whether the cache may be used: the files are those that were opened, as of
// the last check.
func (s *Store) usable() bool {
	if s.files.Broken() != nil {
		return false
	}
	now := int64(time.Since(s.opened))
	if last := s.checked.Load(); now-last > int64(checkInterval) && s.checked.CompareAndSwap(last, now) {
		return s.checkFiles() == nil
	}
	return true
}

// rescueWait limits how long writing the log into the database may take.
const rescueWait = 10 * time.Second

// checkpoint writes the log, which nobody else can find any more, into the database: what
// was acknowledged is in it. The index is that of all processes, whose locks it takes.
func (s *Store) checkpoint() {
	ctx, cancel := context.WithTimeout(context.Background(), rescueWait)
	defer cancel()
	for ctx.Err() == nil {
		var busy, log, done int
		err := s.writer.QueryRowxContext(ctx, `PRAGMA wal_checkpoint(FULL)`).Scan(&busy, &log, &done)
		if err == nil && busy == 0 || err != nil && !locked(err) {
			return // there is nobody to tell of an error: the store is of no use anyway
		}
		time.Sleep(retryEvery)
	}
}
