package core

import "sync"

// underway is the logins of this process that are counted as guesses and not yet
// known to be none. While there are some, a full limit may have room again in a
// moment: many right logins at one name, as of a service with many workers, are
// no guesses.
type inflight struct {
	mu    sync.Mutex
	byKey map[string]*inflightKey
}

// inflightKey is the logins that are counted for one key.
type inflightKey struct {
	logins int
	ended  chan struct{} // closed when one of them ends
}

// begin notes a login that is counted.
func (u *inflight) begin(guesses []LimitKey) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, g := range guesses {
		same := u.byKey[string(g.Key)]
		if same == nil {
			if u.byKey == nil {
				u.byKey = make(map[string]*inflightKey)
			}
			same = &inflightKey{ended: make(chan struct{})}
			u.byKey[string(g.Key)] = same
		}
		same.logins++
	}
}

// end notes that what came of a login is counted.
func (u *inflight) end(guesses []LimitKey) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, g := range guesses {
		same := u.byKey[string(g.Key)]
		close(same.ended)
		same.ended = make(chan struct{})
		if same.logins--; same.logins == 0 {
			delete(u.byKey, string(g.Key))
		}
	}
}

// next gives what is closed when the next login ends that is counted for one of
// the keys, the first that has one; nil where none has.
func (u *inflight) next(guesses []LimitKey) <-chan struct{} {
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, g := range guesses {
		if same := u.byKey[string(g.Key)]; same != nil {
			return same.ended
		}
	}
	return nil
}
