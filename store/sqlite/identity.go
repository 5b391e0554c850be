package sqlite

import (
	"context"
	"errors"
	"time"

	"github.com/authcompat/authcompat/store/internal/dbfile"
	"modernc.org/sqlite"
)

// errIndexDamaged is the error of a store whose WAL-index was truncated or removed by
// somebody else. SQLite would read beyond its end, or use one that other processes do not
// share.
var errIndexDamaged = errors.New("the WAL-index (the database's file -shm) was truncated or removed while it was open: restart the servers that use it")

// checkBeforeOpen refuses a database to which what is written would be lost, or in which
// something else would be found than was written: one with several names, or with the log of
// another file, or that servers use with other files, for longer than it waits.
func checkBeforeOpen(file string, wait time.Duration) error {
	if err := dbfile.CheckNames(file); err != nil {
		return err
	}
	return dbfile.TakeLog(file, wait)
}

// checkFiles fails, from then on for good, once the files at the store's path are not those
// that were opened, or the WAL-index is damaged. It comes before each use of SQLite, which
// would mix the files, but for tokens that are read directly (readToken), and after each commit, so
// that nothing is acknowledged that went into another file. It costs four system calls. A WAL-index that is truncated between the check
// and the use still ends the process, as it does for every program that uses SQLite.
func (s *Store) checkFiles() error {
	if err := s.files.Broken(); err != nil {
		return err
	}
	if index := s.cache.Index(); index != nil && !index.Intact() {
		return s.files.Break(errIndexDamaged)
	}
	err := s.files.Check()
	if err == nil {
		s.see()
	} else {
		s.leave(err)
	}
	return err
}

// leave saves what is in the log, where it can be found no more by a cause, and then lets go of
// the files, so that they, or what is in their place, can be opened: as long as anybody has the
// WAL-index open, it is not made anew, and speaks of the file that was there. It does nothing, and
// reports so, while the log may yet follow the database to another file system.
func (s *Store) leave(cause error) bool {
	if s.keepAlive == nil {
		return true
	}
	if s.files.IsBeingMoved() {
		return false
	}
	s.leaving.Do(func() {
		own := s.isOwnLog(cause)
		if own {
			s.rescue.Start(cause, s.keepAlive.Conn, locked, func() bool { return !s.files.IsBeingMoved() && s.isOwnLog(cause) })
		}
		// SQLite, when it closes a database, copies the log into it if nobody else uses it, unless it
		// is not at its path. With another log or another index, that would be the wrong content.
		if errors.Is(cause, dbfile.ErrReplaced) || own && errors.Is(cause, dbfile.ErrLogReplaced) {
			s.left.Go(s.letGo)
		}
	})
	return true
}

// letGo closes the connections, after the rescue, and removes nothing that others may have put in
// the place of the files.
func (s *Store) letGo() {
	s.rescue.Wait()
	if index := s.cache.Index(); index == nil || !index.Intact() {
		return // SQLite would read beyond its end
	}
	err := s.keepAlive.Raw(func(driver any) error {
		_, err := driver.(sqlite.FileControl).FileControlPersistWAL("main", 1)
		return err
	})
	if err != nil {
		return
	}
	_, _, _, _ = s.direct.Close(), s.reader.Close(), s.bulk.close(true), s.writer.Close() // there is nobody to tell
	_, _ = s.keepAlive.Close(), s.keeper.Close()
}

// look checks the files until the context ends, so that a store which nobody uses gives its log
// up before others open what was put in its file's place.
func (s *Store) look(ctx context.Context) {
	every := time.NewTicker(dbfile.LookInterval)
	defer every.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-every.C:
			if err := s.checkFiles(); err == nil {
				s.files.ClaimLog()
			} else if s.leave(err) {
				return
			}
		}
	}
}

// see notes the state of the log.
func (s *Store) see() {
	index := s.cache.Index()
	if index == nil {
		return
	}
	now, ok := index.Read()
	if last := s.seen.Load(); ok && (last == nil || *last != now) {
		kept := now // only what is kept is allocated
		s.seen.Store(&kept)
	}
}

// noteCommit notes the state of the log before a commit, which the caller is about to make with
// the write lock held and the files as they were opened.
func (s *Store) noteCommit() {
	if index := s.cache.Index(); index != nil {
		if now, ok := index.Read(); ok {
			s.before.Store(&now)
		}
	}
}

// isOwnLog reports whether all that is in the log belongs to the file that was opened, once the
// files are others by a cause. Where the log does not say, it does if nobody else has written:
// that may have been for the file that was put in its place, since a server that was started again
// shares the index with those that were not.
func (s *Store) isOwnLog(cause error) bool {
	if errors.Is(cause, dbfile.ErrReplaced) {
		if own, known := s.files.OwnsLog(); known {
			return own
		}
	}
	index, last, before := s.cache.Index(), s.seen.Load(), s.before.Load()
	if index == nil || last == nil {
		return false
	}
	now, ok := index.Read()
	if errors.Is(cause, dbfile.ErrLogReplaced) { // others that have it open may have written to it since
		return ok && s.files.LogHas(now.LastFrame())
	}
	return ok && (now == *last || before != nil && now.Follows(*before))
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
