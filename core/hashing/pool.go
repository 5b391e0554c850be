package hashing

import (
	"cmp"
	"container/list"
	"context"
	"net/netip"
	"runtime"
	"sync"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/clients"
	"github.com/authcompat/authcompat/core/internal/recent"
	"github.com/authcompat/authcompat/core/password"
)

// Pool is a [core.Hasher] that limits how many passwords are hashed at a time, so that
// a flood of logins leaves processors for everything else. Callers wait in a queue, in
// which the networks of clients take turns (package fairshare). When it is full, further
// callers fail at once with core.KindOverloaded; but one whose network holds less than
// another beside it takes the place of the newest caller there, who fails instead. A
// caller whose context ends leaves the queue.
//
// A hash takes as many of the pool's threads as it computes with (at most all of them)
// and the memory that it needs.
type Pool struct {
	hasher  *DjangoHasher
	options PoolOptions

	mu       sync.Mutex
	threads  int   // in use
	memory   int64 // bytes in use
	queue    fairQueue
	mean     time.Duration                       // moving average of all hashes
	recent   map[password.Cost]*recent.Durations // of hashes, without the time in the queue
	any      recent.Durations                    // of any cost
	sleeping int                                 // callers in SimulateLatency
	spare    bool                                // CheckIdle computes
	counts   PoolCounts
}

// PoolOptions are the bounds of a Pool; a zero field takes its default.
type PoolOptions struct {
	// Threads is how many threads compute hashes. Default: one less than the number
	// of processors, at least one.
	Threads int
	// Memory is how many bytes the hashes being computed may need together. Default:
	// 512 MiB, the most that one hash may need (password.MaxMemory).
	Memory int64
	// Queue is the length of the queue. Default: 32 for each thread.
	Queue int
	// QueuedMemory is how many bytes of names and passwords callers may hold together, aside from
	// those who had to make way and have not noticed yet. Default: 16 MiB.
	QueuedMemory int64
	// Waited, if set, is called with the time that a hash has waited in the queue. It
	// must return quickly.
	Waited func(time.Duration)
}

// PoolCounts are the numbers of a Pool, for metrics.
type PoolCounts struct {
	Running  int    // hashes being computed
	Waiting  int    // hashes in the queue
	Done     uint64 // hashes computed
	Rejected uint64 // callers that found the queue full
	Canceled uint64 // callers that left the queue because their context ended
}

// The defaults of PoolOptions.
const (
	queuePerThread = 32
	queuedMemory   = 16 << 20
)

// maxSleeping is how many callers may be in SimulateLatency at a time.
const maxSleeping = 1024

// NewPool makes a pool that computes with hasher.
func NewPool(hasher *DjangoHasher, o PoolOptions) *Pool {
	if o.Threads == 0 {
		o.Threads = max(1, runtime.GOMAXPROCS(0)-1)
	}
	if o.Memory == 0 {
		o.Memory = password.MaxMemory
	}
	if o.Queue == 0 {
		o.Queue = queuePerThread * o.Threads
	}
	if o.QueuedMemory == 0 {
		o.QueuedMemory = queuedMemory
	}
	return &Pool{hasher: hasher, options: o, recent: make(map[password.Cost]*recent.Durations)}
}

// Acquire implements Hasher.
func (p *Pool) Acquire(ctx context.Context, bytes int) (admitted context.Context, release func(), err error) {
	a := &admission{networks: clients.Of(ctx).Networks(), size: int64(bytes)} // which may take a while
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.makeRoom(a) {
		p.counts.Rejected++
		return ctx, nil, p.overloaded()
	}
	p.queue.admit(a)
	return context.WithValue(ctx, admissionKey{}, a), func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.queue.dismiss(a)
	}, nil
}

// admissionKey is the key of an admission in contexts.
type admissionKey struct{}

// makeRoom makes callers leave, of the network that holds most bytes, if these are short, and
// of the one that holds most places, if those are, where that is more than the network of a would
// hold. It reports whether there is room for a; if there can't be, nobody leaves.
func (p *Pool) makeRoom(a *admission) bool {
	admitted := p.queue.all().admitted
	places := admitted.number + 1 - int64(p.options.Queue+p.options.Threads)
	var bytes int64
	if admitted.number > 0 {
		bytes = admitted.bytes + a.size - p.options.QueuedMemory
	}
	large, many := p.queue.evictable(a, bytes, false), p.queue.evictable(a, places, true)
	if bytes > 0 && large == nil || places > 0 && many == nil {
		return false
	}
	if places <= 0 && bytes <= 0 {
		return true
	}
	for bytes > 0 {
		victim := p.queue.newest(large, false)
		places, bytes = places-1, bytes-victim.size
		p.evict(victim)
	}
	for places > 0 {
		p.evict(p.queue.newest(many, true))
		places--
	}
	p.startNext() // one that did not fit may be gone
	return true
}

// evict makes a caller leave. It fails at once if it waits, else when it would wait: it
// may be reading the store, or waiting for other logins.
func (p *Pool) evict(a *admission) {
	p.queue.dismiss(a)
	a.evicted = true
	p.counts.Rejected++
	if t := a.ticket; t != nil {
		p.queue.remove(t)
		close(t.ready)
	}
}

// Hash implements Hasher.
func (p *Pool) Hash(ctx context.Context, plain string) (encoded string, err error) {
	refusal := p.run(ctx, p.hasher.hasher.Cost(), func() { encoded, err = p.hasher.Hash(ctx, plain) })
	return encoded, cmp.Or(refusal, err)
}

// Unusable implements Hasher. It costs nothing.
func (p *Pool) Unusable() (string, error) { return p.hasher.Unusable() }

// Check implements Hasher.
func (p *Pool) Check(ctx context.Context, username, encoded, plain string) (ok, rehash bool, err error) {
	refusal := p.run(ctx, p.hasher.cost(username, encoded), func() {
		ok, rehash, err = p.hasher.Check(ctx, username, encoded, plain)
	})
	return ok, rehash, cmp.Or(refusal, err)
}

// HashDummy implements Hasher.
func (p *Pool) HashDummy(ctx context.Context, username, plain string) error {
	return p.run(ctx, p.hasher.cost(username, ""), func() { _ = p.hasher.HashDummy(ctx, username, plain) })
}

// SimulateLatency implements Hasher: it waits for its turn in the queue, then takes as long
// as one of the last hashes of that cost, and more. At most maxSleeping callers do so at a
// time; others fail as in Acquire.
func (p *Pool) SimulateLatency(ctx context.Context, username, encoded string, more time.Duration) error {
	p.mu.Lock()
	if p.sleeping >= maxSleeping {
		defer p.mu.Unlock()
		p.counts.Rejected++
		return p.overloaded()
	}
	p.sleeping++
	p.mu.Unlock()
	defer func() {
		p.mu.Lock()
		p.sleeping--
		p.mu.Unlock()
	}()
	cost := p.hasher.cost(username, encoded)
	t := p.newTicket(ctx, cost)
	t.simulated = true
	if err := p.enter(ctx, t); err != nil {
		return err
	}
	timer := time.NewTimer(p.sample(cost) + more)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// sample returns how long one of the last hashes of a cost took or, if there is none, of
// any.
func (p *Pool) sample(cost password.Cost) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	if same := p.recent[cost]; same != nil {
		return same.Sample()
	}
	return p.any.Sample()
}

// Counts returns the current numbers.
func (p *Pool) Counts() PoolCounts {
	p.mu.Lock()
	defer p.mu.Unlock()
	c := p.counts
	c.Waiting = p.queue.all().waiting
	return c
}

// ticket is a hash that is running or in the queue.
type ticket struct {
	threads   int
	memory    int64
	simulated bool          // nothing is hashed: it takes neither
	ready     chan struct{} // closed when it may run, or is evicted
	started   bool
	admission *admission // of the caller; nil: there is none
	networks  []netip.Prefix
	place     *list.Element // in the queue
}

// newTicket makes the ticket of a hash of a cost.
func (p *Pool) newTicket(ctx context.Context, cost password.Cost) *ticket {
	t := &ticket{threads: min(cost.Threads(), p.options.Threads), memory: min(cost.Memory(), p.options.Memory)}
	if t.admission, _ = ctx.Value(admissionKey{}).(*admission); t.admission != nil {
		t.networks = t.admission.networks
	} else {
		t.networks = clients.Of(ctx).Networks()
	}
	return t
}

// run waits for the turn of work, which has a cost, and does it.
func (p *Pool) run(ctx context.Context, cost password.Cost, work func()) error {
	t := p.newTicket(ctx, cost)
	began := time.Now()
	if err := p.enter(ctx, t); err != nil {
		return err
	}
	started := time.Now()
	if p.options.Waited != nil {
		p.options.Waited(started.Sub(began))
	}
	defer func() { p.leave(t, cost, time.Since(started)) }()
	work()
	return nil
}

// enter waits for the turn of a ticket.
func (p *Pool) enter(ctx context.Context, t *ticket) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	p.mu.Lock()
	switch {
	case t.evicted():
		defer p.mu.Unlock()
		return p.overloaded()
	case p.queue.all().waiting == 0 && p.fits(t):
		p.start(t)
		p.mu.Unlock()
		return nil
	}
	t.ready = make(chan struct{})
	p.queue.push(t)
	p.mu.Unlock()

	var left error
	select {
	case <-t.ready:
	case <-ctx.Done():
		left = ctx.Err()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case t.evicted():
		return p.overloaded()
	case left == nil:
		return nil
	case t.started:
		p.stop(t)
	default:
		p.queue.remove(t)
	}
	p.counts.Canceled++
	p.startNext()
	return left
}

// evicted reports whether the caller had to make way before the ticket was started.
func (t *ticket) evicted() bool { return t.admission != nil && t.admission.evicted && !t.started }

// leave ends a hash and records how long it took.
func (p *Pool) leave(t *ticket, cost password.Cost, took time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.counts.Done++
	p.mean = average(p.mean, took)
	p.any.Add(took)
	same := p.recent[cost]
	if same == nil && len(p.recent) < maxRecent {
		same = &recent.Durations{}
		p.recent[cost] = same
	}
	if same != nil {
		same.Add(took)
	}
	p.stop(t)
	p.startNext()
}

// maxRecent limits of how many costs durations are kept. A store has a few.
const maxRecent = 256

// average moves a mean an eighth towards a new value.
func average(mean, value time.Duration) time.Duration {
	if mean == 0 {
		return value
	}
	return mean + (value-mean)/8
}

// startNext starts hashes from the head of the queue for as long as they fit. One that
// does not fit holds up those behind it, so that it is not overtaken for ever.
func (p *Pool) startNext() {
	for t := p.queue.front(); t != nil; t = p.queue.front() {
		if !p.fits(t) {
			return
		}
		p.queue.pop(t)
		p.start(t)
		close(t.ready)
	}
}

func (p *Pool) fits(t *ticket) bool {
	return p.threads+t.threads <= p.options.Threads && p.memory+t.memory <= p.options.Memory
}

func (p *Pool) start(t *ticket) {
	t.started = true
	p.take(t, 1)
}

func (p *Pool) stop(t *ticket) { p.take(t, -1) }

// take counts what a ticket takes, or gives it back.
func (p *Pool) take(t *ticket, sign int) {
	if t.simulated {
		return
	}
	p.threads += sign * t.threads
	p.memory += int64(sign) * t.memory
	p.counts.Running += sign
	if t.admission != nil {
		p.queue.setHashing(t.admission, sign > 0)
	}
}

// overloaded is the error for a full queue. It suggests a retry once those in the queue
// are done.
func (p *Pool) overloaded() *core.Error {
	drain := p.mean * time.Duration(p.queue.all().admitted.number) / time.Duration(p.options.Threads)
	return &core.Error{Kind: core.KindOverloaded, RetryAfter: max(time.Second, drain)}
}
