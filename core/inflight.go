package core

import "sync"

// inflight are the logins of this process that have been counted against their limits and
// whose outcome is not known yet. Right logins are refunded, so that a limit exhausted by
// logins in flight may have capacity again in a moment.
type inflight struct {
	mu    sync.Mutex
	byKey map[string]*inflightKey
}

// inflightKey are the logins in flight of one key.
type inflightKey struct {
	logins int
	ended  chan struct{} // closed when one of them ends
}

// begin adds a login that has been counted.
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

// end removes a login whose outcome has been counted.
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

// ends returns for each of the keys a channel that is closed when the next login ends that
// is in flight for it; nil if none is.
func (u *inflight) ends(guesses []LimitKey) []<-chan struct{} {
	u.mu.Lock()
	defer u.mu.Unlock()
	all := make([]<-chan struct{}, len(guesses))
	for i, g := range guesses {
		if same := u.byKey[string(g.Key)]; same != nil {
			all[i] = same.ended
		}
	}
	return all
}
