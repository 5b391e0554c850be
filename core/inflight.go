package core

import (
	"context"
	"maps"
	"slices"
	"sync"
)

// inflight are the logins of this process that have been counted against their limits, or
// are being counted, and whose outcome is not known yet. Right logins are refunded, so that
// a limit exhausted by logins in flight may have capacity again in a moment.
type inflight struct {
	mu    sync.Mutex
	byKey map[string]*inflightKey
}

// inflightKey are the logins in flight of one key.
type inflightKey struct {
	logins   int                    // that have been counted
	counting map[*counting]struct{} // whether they are is not known yet
	watching int                    // those that may wait for others
	ended    chan struct{}          // closed when a counted one ends
}

// counting is a login that is being counted. The store may have done so already, and refuse
// another one because of it, before that is known here.
type counting struct {
	keys    []LimitKey
	ended   []<-chan struct{} // of the keys: closed when a counted one of them ends
	settled chan struct{}     // closed when it is known
	counted bool              // what is known then
}

// begin adds a login that is about to be counted. The caller passes it to settle, and then
// to leave.
func (u *inflight) begin(keys []LimitKey) *counting {
	u.mu.Lock()
	defer u.mu.Unlock()
	c := &counting{keys: keys, settled: make(chan struct{})}
	for _, k := range keys {
		same := u.byKey[string(k.Key)]
		if same == nil {
			if u.byKey == nil {
				u.byKey = make(map[string]*inflightKey)
			}
			same = &inflightKey{counting: make(map[*counting]struct{}), ended: make(chan struct{})}
			u.byKey[string(k.Key)] = same
		}
		same.counting[c] = struct{}{}
		same.watching++
		c.ended = append(c.ended, same.ended)
	}
	return c
}

// settle says whether a login has been counted. If it has, the caller passes its keys to end.
func (u *inflight) settle(c *counting, counted bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	c.counted = counted
	close(c.settled)
	for _, k := range c.keys {
		same := u.byKey[string(k.Key)]
		delete(same.counting, c)
		if counted {
			same.logins++
		}
	}
}

// leave says that a login asks no more whether there are others.
func (u *inflight) leave(c *counting) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, k := range c.keys {
		u.byKey[string(k.Key)].watching--
		u.forget(k)
	}
}

// end removes a counted login whose outcome has been counted.
func (u *inflight) end(keys []LimitKey) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, k := range keys {
		same := u.byKey[string(k.Key)]
		close(same.ended)
		same.ended = make(chan struct{})
		same.logins--
		u.forget(k)
	}
}

// forget removes a key that has no logins.
func (u *inflight) forget(k LimitKey) {
	if same := u.byKey[string(k.Key)]; same.logins == 0 && same.watching == 0 {
		delete(u.byKey, string(k.Key))
	}
}

// others tells whether a key of a login has, or had since it began, others that were
// counted. It waits until those are settled that are being counted now, and no longer:
// there may be no end of later ones.
func (u *inflight) others(ctx context.Context, c *counting, key int) (bool, error) {
	u.mu.Lock()
	same := u.byKey[string(c.keys[key].Key)]
	counted, pending := same.logins > 0, slices.Collect(maps.Keys(same.counting))
	u.mu.Unlock()
	for _, other := range pending {
		if counted {
			break
		}
		select {
		case <-other.settled:
			counted = other.counted
		case <-ctx.Done():
			return false, ctx.Err()
		}
	}
	select {
	case <-c.ended[key]:
		counted = true
	default:
	}
	return counted, nil
}
