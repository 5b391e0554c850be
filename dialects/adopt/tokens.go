package adopt

import (
	"container/list"
	"crypto/sha256"
	"sync"
	"time"
)

// The bounds of what is remembered of tokens.
const (
	// rememberFor is how long what the old server said of a token holds.
	rememberFor = time.Minute
	// invalidFor is how long an answer is remembered that says nothing of a token.
	invalidFor = time.Second
	maxGood    = 1 << 16 // tokens; each takes some 300 bytes
	maxBad     = 1 << 13
	maxOwned   = 1 << 16
)

// digest is SHA-256 of a token: no text of one is kept.
type digest [sha256.Size]byte

// verdict is what the old server says of a token.
type verdict struct {
	good     bool
	username string // whose it is, as the old server shows it; empty: it doesn't
	err      error  // the answer said nothing
	until    time.Time
}

// tokens remembers what the old server said, and whose the tokens are that it issued. Bad tokens are kept
// apart, so that whoever invents some drives no good one out.
type tokens struct {
	now func() time.Time

	mu        sync.Mutex
	good, bad bounded[verdict]
	owners    bounded[string]
	calls     map[digest]*call
}

// call is a question about a token, which all wait for who need to know.
type call struct {
	done  chan struct{}
	stale bool // the token was ended meanwhile
	v     verdict
	err   error
}

func newTokens(now func() time.Time) *tokens {
	return &tokens{now: now, good: newBounded[verdict](maxGood), bad: newBounded[verdict](maxBad), owners: newBounded[string](maxOwned), calls: make(map[digest]*call)}
}

// learn notes a token that the old server has just issued to a user.
func (t *tokens) learn(d digest, username string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.owners.put(d, username)
	t.bad.remove(d)
}

// owner returns whom the old server issued a token to; empty: it is not known.
func (t *tokens) owner(d digest) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.owners.get(d)
}

// forget forgets what was said of a token, and of others of its owner if all of them end.
func (t *tokens) forget(d digest, all bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	owner := t.owners.get(d)
	if owner == "" {
		owner = t.good.get(d).username
	}
	t.drop(d)
	t.owners.remove(d)
	if !all || owner == "" {
		return
	}
	for other := range t.owners.values {
		if t.owners.get(other) == owner {
			t.drop(other)
		}
	}
	for other := range t.good.values {
		if t.good.get(other).username == owner {
			t.drop(other)
		}
	}
}

func (t *tokens) drop(d digest) {
	t.good.remove(d)
	if c := t.calls[d]; c != nil {
		c.stale = true
		delete(t.calls, d) // whoever comes now asks anew
	}
}

// recall returns what is remembered of a token. If nothing is, it returns the question that
// is being asked, and whether it is the caller's to ask: then the caller passes the answer to settle.
func (t *tokens) recall(d digest) (v verdict, asking *call, mine bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.now()
	for _, known := range []*bounded[verdict]{&t.good, &t.bad} {
		if v := known.get(d); now.Before(v.until) {
			return v, nil, false
		}
	}
	if c := t.calls[d]; c != nil {
		return verdict{}, c, false
	}
	c := &call{done: make(chan struct{})}
	t.calls[d] = c
	return verdict{}, c, true
}

// settle tells all who wait what the old server said of a token, which was asked at some
// time, and remembers it unless there was no answer.
func (t *tokens) settle(d digest, c *call, asked time.Time, v verdict, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	v.until = asked.Add(rememberFor)
	c.v, c.err = v, err
	close(c.done)
	if c.stale {
		return
	}
	delete(t.calls, d)
	switch {
	case resultOf(err) == ResultInvalid:
		t.bad.put(d, verdict{err: err, until: asked.Add(invalidFor)})
		t.good.remove(d)
	case err != nil:
	case v.good:
		t.good.put(d, v)
		t.bad.remove(d)
	default:
		t.bad.put(d, v)
		t.good.remove(d)
	}
}

// bounded maps digests to values, and drops the oldest when it is full.
type bounded[V any] struct {
	most   int
	values map[digest]*list.Element
	order  *list.List // of entry[V], the oldest first
}

type entry[V any] struct {
	digest digest
	value  V
}

func newBounded[V any](most int) bounded[V] {
	return bounded[V]{most, make(map[digest]*list.Element), list.New()}
}

func (b *bounded[V]) get(d digest) (value V) {
	if e := b.values[d]; e != nil {
		value = e.Value.(entry[V]).value
	}
	return value
}

func (b *bounded[V]) put(d digest, value V) {
	b.remove(d)
	b.values[d] = b.order.PushBack(entry[V]{d, value})
	if len(b.values) > b.most {
		b.remove(b.order.Front().Value.(entry[V]).digest)
	}
}

func (b *bounded[V]) remove(d digest) {
	if e := b.values[d]; e != nil {
		b.order.Remove(e)
		delete(b.values, d)
	}
}
