// Package inflight knows the logins whose outcome is not known yet.
package inflight

import (
	"context"
	"maps"
	"slices"
	"sync"
)

// Logins are those of this process that have been counted against their limits, or
// are being counted, and whose outcome is not known yet. Right logins are refunded, so that
// a limit exhausted by logins in flight may have capacity again in a moment. The zero value has
// none.
type Logins struct {
	mu    sync.Mutex
	byKey map[string]*loginsOfKey
}

// loginsOfKey are the logins in flight of one key.
type loginsOfKey struct {
	logins   int                    // that have been counted
	counting map[*Counting]struct{} // whether they are is not known yet
	watching int                    // those that may wait for others
	ended    chan struct{}          // closed when a counted one ends
}

// A Counting is a login that is being counted. The store may have done so already, and refuse
// another one because of it, before that is known here.
type Counting struct {
	keys    []string
	ended   []<-chan struct{} // of the keys: closed when a counted one of them ends
	settled chan struct{}     // closed when it is known
	counted bool              // what is known then
}

// Begin adds a login that is about to be counted. The caller passes it to Settle, and then
// to Leave. keys are those of its limits.
func (u *Logins) Begin(keys []string) *Counting {
	u.mu.Lock()
	defer u.mu.Unlock()
	c := &Counting{keys: keys, settled: make(chan struct{})}
	for _, k := range keys {
		same := u.byKey[k]
		if same == nil {
			if u.byKey == nil {
				u.byKey = make(map[string]*loginsOfKey)
			}
			same = &loginsOfKey{counting: make(map[*Counting]struct{}), ended: make(chan struct{})}
			u.byKey[k] = same
		}
		same.counting[c] = struct{}{}
		same.watching++
		c.ended = append(c.ended, same.ended)
	}
	return c
}

// Settle says whether a login has been counted. If it has, the caller passes its keys to End.
func (u *Logins) Settle(c *Counting, counted bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	c.counted = counted
	close(c.settled)
	for _, k := range c.keys {
		same := u.byKey[k]
		delete(same.counting, c)
		if counted {
			same.logins++
		}
	}
}

// Leave says that a login asks no more whether there are others.
func (u *Logins) Leave(c *Counting) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, k := range c.keys {
		u.byKey[k].watching--
		u.forget(k)
	}
}

// End removes a counted login whose outcome has been counted.
func (u *Logins) End(keys []string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, k := range keys {
		same := u.byKey[k]
		close(same.ended)
		same.ended = make(chan struct{})
		same.logins--
		u.forget(k)
	}
}

// forget removes a key that has no logins.
func (u *Logins) forget(k string) {
	if same := u.byKey[k]; same.logins == 0 && same.watching == 0 {
		delete(u.byKey, k)
	}
}

// Others tells whether a key of a login has, or had since it began, others that were
// counted. It waits until those are settled that are being counted now, and no longer:
// there may be no end of later ones.
func (u *Logins) Others(ctx context.Context, c *Counting, key int) (bool, error) {
	u.mu.Lock()
	same := u.byKey[c.keys[key]]
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

// Ended returns what is closed when a counted login of a key ends that was in flight when this
// one began.
func (c *Counting) Ended(key int) <-chan struct{} { return c.ended[key] }
