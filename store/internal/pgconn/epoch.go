package pgconn

import (
	"sync"
	"sync/atomic"
	"time"
)

// connEpoch tells the usable connections of a store from those that were invalidated:
// only connections opened in the current epoch are used. It also knows which
// connections are committing.
type connEpoch struct {
	current    atomic.Int64
	mu         sync.Mutex
	committing map[*session]struct{}
	reached    server // by the last connection that was opened
	reachedIn  int64  // the epoch of that connection
}

func newConnEpoch() *connEpoch { return &connEpoch{committing: make(map[*session]struct{})} }

// commitGrace is how long commits in progress may still take when their connections are
// invalidated.
const commitGrace = time.Second

// invalidate invalidates the connections of an epoch and of those before it.
func (e *connEpoch) invalidate(epoch int64) {
	if e.current.CompareAndSwap(epoch, epoch+1) { // else another connection has reported it already
		time.AfterFunc(commitGrace, func() { e.cutCommits(epoch) })
	}
}

// reach notes the server of a connection that was opened.
func (e *connEpoch) reach(s *session) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.reached, e.reachedIn = s.server, s.opened
}

// cutCommits ends the wait for commits on connections of an epoch that is over, and of those before it. Those whose
// server has been reached again since are not lost: it may be waiting for a standby.
func (e *connEpoch) cutCommits(epoch int64) {
	e.mu.Lock()
	defer e.mu.Unlock()
	alive := e.reached != (server{}) && e.reachedIn > epoch
	for s := range e.committing {
		if s.opened <= epoch && (!alive || s.server != e.reached) {
			_ = s.socket.SetDeadline(time.Now()) // fails only if the commit does
		}
	}
}

// beginCommit records that the session is committing.
func (e *connEpoch) beginCommit(s *session) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.committing[s] = struct{}{}
	if last := e.current.Load() - 1; s.opened <= last {
		time.AfterFunc(commitGrace, func() { e.cutCommits(last) })
	}
}

// endCommit notes that the session's commit is over.
func (e *connEpoch) endCommit(s *session) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.committing, s)
}
