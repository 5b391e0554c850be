package callers

import (
	"context"
	"fmt"
	"hash/maphash"
	"log/slog"
	"math/rand/v2"
	"net/netip"
	"strings"
	"sync"
	"time"
	"unique"

	"github.com/authcompat/authcompat/core/clients"
)

// flushInterval is how often counts are written: what a server that is killed loses.
const flushInterval = time.Minute

// perSubject is how many callers of a day may be one user, or, without a user, one client: whoever
// makes up User-Agents takes no more of the room.
const perSubject = 1000

// batchSize is how many callers are written in one step, while which others that write wait.
const batchSize = 500

// Request is a request that was answered.
type Request struct {
	Profile, Endpoint string
	User              string       // as in [Caller]
	Client            netip.Prefix // [clients.Client.Subscriber]
	Agent             string       // as the client sent it
	Refused           bool
	At                time.Time
}

// Secrets tells what a request has in it that must not be kept. It is asked seldom.
type Secrets interface{ Secrets() []string }

// key is what is counted apart.
type key struct {
	day                            Day
	profile, endpoint, user, agent string
	client                         netip.Prefix
	other                          bool
}

// shards is how many parts of the callers have a lock of their own.
const shards = 64

// shard is a hash table whose entries are linked. Every token check looks one up among thousands, which no processor has
// in its cache: a map takes several times as many reads of memory to get to an entry.
type shard struct {
	mu    sync.Mutex
	heads []*entry // as many as a power of two
	known int      // entries
}

// leastHeads is how many heads a shard has at first.
const leastHeads = 8

// entry is a caller with its calls. What each request reads and writes comes first, to be close together.
type entry struct {
	next *entry // with the same head
	hash uint64 // of the key
	tally
	key
	caller  Caller
	program unique.Handle[string] // of key.agent, which is in memory once for all callers
}

// tally is what is counted of a caller.
type tally struct {
	requests, refused int64
	first, last       int64 // nanoseconds since 1970
}

// Counter counts requests. Its methods are safe for concurrent use.
type Counter struct {
	store Store
	now   func() time.Time
	log   *slog.Logger
	seed  maphash.Seed
	parts [shards]shard
	wake  chan struct{}

	// mu protects what says for whom there is room. It is locked before those of parts.
	mu       sync.Mutex
	day      Day // of the last caller that was new
	room     Room
	subjects map[string]int // callers by user or client

	flushing sync.Mutex // of what follows
	pending  []batch
}

// batch are calls that are written in one step, once.
type batch struct {
	id    string
	calls []Calls
}

// New makes a counter on a store. now is the clock; nil: time.Now.
func New(store Store, now func() time.Time, log *slog.Logger) *Counter {
	if now == nil {
		now = time.Now
	}
	c := &Counter{store: store, now: now, log: log, seed: maphash.MakeSeed(), wake: make(chan struct{}, 1), day: DayOf(now()), subjects: make(map[string]int)}
	for i := range c.parts {
		c.parts[i].heads = make([]*entry, leastHeads)
	}
	return c
}

// Count counts a request. secrets is asked where the caller is a new one.
func (c *Counter) Count(r Request, secrets Secrets) {
	k := key{
		day: DayOf(r.At), profile: r.Profile, endpoint: r.Endpoint, user: r.User,
		agent: r.Agent[:min(len(r.Agent), maxAgent)], client: r.Client,
	}
	if !c.add(&k, &r) {
		c.admit(k, &r, secrets)
	}
}

// hash returns a hash of what differs between most keys.
func (c *Counter) hash(k *key) uint64 {
	const odd = 0x9e3779b97f4a7c15 // so that it matters which text is which
	address := k.client.Addr().As16()
	return (maphash.String(c.seed, k.user)*odd+maphash.String(c.seed, k.agent))*odd + maphash.Bytes(c.seed, address[:])
}

// part returns the part that has the keys with a hash.
func (c *Counter) part(hash uint64) *shard { return &c.parts[hash%shards] }

// head returns where the entries with a hash begin.
func (p *shard) head(hash uint64) **entry { return &p.heads[hash/shards&uint64(len(p.heads)-1)] }

// find returns the entry of a key with this hash; nil: there is none.
func (p *shard) find(hash uint64, k *key) *entry {
	for e := *p.head(hash); e != nil; e = e.next {
		if e.hash == hash && e.key == *k {
			return e
		}
	}
	return nil
}

// put adds an entry that is not there yet.
func (p *shard) put(e *entry) {
	if p.known == len(p.heads) {
		old := p.heads
		p.heads, p.known = make([]*entry, 2*len(old)), 0
		for _, e := range old {
			for next := e; next != nil; {
				e, next = next, next.next
				p.put(e)
			}
		}
	}
	head := p.head(e.hash)
	e.next, *head = *head, e
	p.known++
}

// add counts a request of a caller that is known, and reports whether it is.
func (c *Counter) add(k *key, r *Request) bool {
	hash := c.hash(k)
	p := c.part(hash)
	p.mu.Lock()
	e := p.find(hash, k)
	if e != nil {
		e.add(r)
	}
	p.mu.Unlock()
	return e != nil
}

// add adds a request. Each token check does this: it copies nothing.
func (t *tally) add(r *Request) {
	at := r.At.UnixNano()
	if t.requests == 0 || at < t.first {
		t.first = at
	}
	if t.requests == 0 || at > t.last {
		t.last = at
	}
	t.requests++
	if r.Refused {
		t.refused++
	}
}

// calls returns what was counted.
func (e *entry) calls() Calls {
	return Calls{Caller: e.caller, Day: e.day, Requests: e.requests, Refused: e.refused, First: time.Unix(0, e.first), Last: time.Unix(0, e.last)}
}

// admit counts a request of a caller that is new: by itself if there is room.
func (c *Counter) admit(k key, r *Request, secrets Secrets) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.day != k.day {
		c.day = k.day
		c.flushSoon() // those of the day before make room
	}
	caller := Caller{Profile: k.profile, Endpoint: k.endpoint, User: k.user, Client: clients.Client{Address: k.client.Addr()}.Network()}
	if !c.take(caller) {
		caller = caller.AsOther()
		k = key{day: k.day, profile: k.profile, endpoint: k.endpoint, other: true}
	}
	hash := c.hash(&k)
	p := c.part(hash)
	p.mu.Lock()
	defer p.mu.Unlock()
	e := p.find(hash, &k) // by now
	if e == nil {
		if !caller.Other {
			caller.Agent = strings.Clone(cleanAgent(r.Agent, secrets.Secrets()))
		}
		// What a client sent is part of a larger text, which would be kept.
		agent := unique.Make(k.agent)
		k.user, k.agent = strings.Clone(k.user), agent.Value()
		caller.User = k.user
		e = &entry{key: k, hash: hash, caller: caller, program: agent}
		p.put(e)
	} else if !caller.Other {
		c.release(caller)
	}
	e.add(r)
}

// subject is whose room a caller takes.
func subject(caller Caller) string {
	if caller.User != "" {
		return "u" + caller.User
	}
	return "c" + caller.Client
}

// take takes the room for a caller, if there is any.
func (c *Counter) take(caller Caller) bool {
	if !caller.Other {
		if c.subjects[subject(caller)] >= perSubject || !c.room.Take(caller) {
			return false
		}
		c.subjects[subject(caller)]++
	}
	return true
}

// release gives back the room for a caller.
func (c *Counter) release(caller Caller) {
	c.subjects[subject(caller)]--
	c.room.Kept--
	if caller.User == "" {
		c.room.Anonymous--
	}
}

func (c *Counter) flushSoon() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// Run writes what was counted each minute, until ctx ends. Flush writes the rest.
func (c *Counter) Run(ctx context.Context) {
	ticker := time.NewTicker(flushInterval)
	defer ticker.Stop()
	failing := false
	for {
		select {
		case <-ticker.C:
		case <-c.wake:
		case <-ctx.Done():
			return
		}
		err := c.Flush(ctx)
		if err != nil && ctx.Err() == nil && !failing {
			c.log.Warn("the counts of callers could not be written: they are kept, and tried again each minute", "error", err)
		}
		if err == nil && failing {
			c.log.Info("the counts of callers are written again")
		}
		failing = err != nil
	}
}

// Flush writes what was counted. If it fails, nothing is lost, and the next call goes on. Errors are
// those of [Store].
func (c *Counter) Flush(ctx context.Context) error {
	c.flushing.Lock()
	defer c.flushing.Unlock()
	if err := c.write(ctx); err != nil {
		return err
	}
	c.pending = c.collect()
	return c.write(ctx)
}

// write writes the batches that are pending.
func (c *Counter) write(ctx context.Context) error {
	for len(c.pending) > 0 {
		if err := c.store.AddCalls(ctx, c.pending[0].id, c.pending[0].calls); err != nil {
			return err
		}
		c.pending = c.pending[1:]
	}
	return nil
}

// Unwritten returns how many requests Flush has yet to write.
func (c *Counter) Unwritten() (requests int64) {
	c.flushing.Lock()
	defer c.flushing.Unlock()
	for _, b := range c.pending {
		for _, calls := range b.calls {
			requests += calls.Requests
		}
	}
	for i := range c.parts {
		p := &c.parts[i]
		p.mu.Lock()
		for _, e := range p.heads {
			for ; e != nil; e = e.next {
				requests += e.requests
			}
		}
		p.mu.Unlock()
	}
	return requests
}

// collect returns what was counted since it was called last. The callers of today stay known, so
// that new ones don't take their room.
func (c *Counter) collect() (batches []batch) {
	c.mu.Lock()
	defer c.mu.Unlock()
	today := DayOf(c.now())
	c.room, c.subjects = Room{}, make(map[string]int)
	var all []Calls
	for i := range c.parts {
		p := &c.parts[i]
		p.mu.Lock()
		old := p.heads
		p.heads, p.known = make([]*entry, leastHeads), 0
		for _, e := range old {
			for next := e; next != nil; {
				e, next = next, next.next
				if e.requests > 0 {
					all = append(all, e.calls())
					e.tally = tally{}
				}
				if e.day == today {
					p.put(e)
					c.take(e.caller)
				}
			}
		}
		p.mu.Unlock()
	}
	for len(all) > 0 {
		n := min(batchSize, len(all))
		batches = append(batches, batch{fmt.Sprintf("%016x", rand.Uint64()), all[:n:n]})
		all = all[n:]
	}
	return batches
}
