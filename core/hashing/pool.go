package hashing

import (
	"cmp"
	"container/list"
	"context"
	"runtime"
	"sync"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/internal/recent"
	"github.com/authcompat/authcompat/core/password"
)

// Pool is a [core.Hasher] that limits how many passwords are hashed at a time, so that
// a flood of logins leaves processors for everything else. Callers wait in a queue, in
// which the networks of clients take turns. When it is full, further callers fail at once
// with core.KindOverloaded; but one whose network holds less of the queue than another
// takes the place of the last one waiting there, who fails instead. A caller whose context
// ends leaves the queue.
//
// A hash takes as many of the pool's threads as it computes with (at most all of them)
// and the memory that it needs.
type Pool struct {
	hasher  *DjangoHasher
	options PoolOptions

	mu       sync.Mutex
	admitted int
	held     int64 // bytes of passwords that the admitted hold
	threads  int   // in use
	memory   int64 // bytes in use
	waiting  fairQueue
	mean     time.Duration                       // moving average of all hashes
	recent   map[password.Cost]*recent.Durations // of hashes, with the time in the queue
	any      recent.Durations                    // of any cost
	sleeping int                                 // callers in SimulateLatency
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
	// QueuedMemory is how many bytes of passwords callers may hold together. Default:
	// 16 MiB.
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
	return &Pool{hasher: hasher, options: o, recent: make(map[password.Cost]*recent.Durations), waiting: newFairQueue()}
}

// Acquire implements Hasher.
func (p *Pool) Acquire(ctx context.Context, plain string) (admitted context.Context, release func(), err error) {
	name := core.ClientOf(ctx).Network() // which may take a while
	a := &admission{size: int64(len(plain))}
	p.mu.Lock()
	defer p.mu.Unlock()
	a.network = p.waiting.network(name)
	if !p.makeRoom(a) {
		p.waiting.forget(a.network)
		p.counts.Rejected++
		return ctx, nil, p.overloaded()
	}
	p.count(a, 1)
	return context.WithValue(ctx, admissionKey{}, a), func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.dismiss(a)
	}, nil
}

// admission is a caller that was admitted.
type admission struct {
	network *network
	size    int64 // of the password in bytes
	over    bool
}

// admissionKey is the key of an admission in contexts.
type admissionKey struct{}

// count adds an admission to the numbers, or takes it away.
func (p *Pool) count(a *admission, sign int) {
	p.admitted += sign
	p.held += int64(sign) * a.size
	a.network.admitted += sign
	a.network.held += int64(sign) * a.size
}

// dismiss ends an admission, unless it is over.
func (p *Pool) dismiss(a *admission) {
	if !a.over {
		a.over = true
		p.count(a, -1)
		p.waiting.forget(a.network)
	}
}

// makeRoom makes callers of the network that holds most leave, if that is more than the
// network of a would hold, and reports whether there is room for a.
func (p *Pool) makeRoom(a *admission) bool {
	callers := p.admitted + 1 - p.options.Queue - p.options.Threads
	var size int64
	if p.admitted > 0 {
		size = p.held + a.size - p.options.QueuedMemory
	}
	if callers <= 0 && size <= 0 {
		return true
	}
	measure := func(n *network) int64 { return n.held }
	own := a.size
	if callers > 0 {
		measure, own = func(n *network) int64 { return int64(n.admitted) }, 1
	}
	victims := p.waiting.evictable(measure(a.network)+own, measure, callers, size)
	for _, t := range victims {
		p.waiting.remove(t)
		p.dismiss(t.admission)
		p.counts.Rejected++
		t.evicted = true
		close(t.ready)
	}
	if len(victims) > 0 {
		p.startNext() // one that did not fit may be gone
		return true
	}
	return size <= 0 && p.withinShare(a.network)
}

// withinShare reports whether a network has less than its share of a full pool: the
// others may hold more without being in the queue, where they could be made to leave.
func (p *Pool) withinShare(n *network) bool {
	capacity := p.options.Queue + p.options.Threads
	return n.admitted < max(1, capacity/len(p.waiting.networks)) && p.admitted < 2*capacity
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

// SimulateLatency implements Hasher: it takes as long as one of the last hashes of that cost,
// and more. At most maxSleeping callers do so at a time; others fail as in Acquire.
func (p *Pool) SimulateLatency(ctx context.Context, username, encoded string, more time.Duration) error {
	p.mu.Lock()
	if p.sleeping >= maxSleeping {
		defer p.mu.Unlock()
		p.counts.Rejected++
		return p.overloaded()
	}
	p.sleeping++
	same := p.recent[p.hasher.cost(username, encoded)]
	if same == nil {
		same = &p.any
	}
	took := same.Sample()
	p.mu.Unlock()
	defer func() {
		p.mu.Lock()
		p.sleeping--
		p.mu.Unlock()
	}()
	timer := time.NewTimer(took + more)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Counts returns the current numbers.
func (p *Pool) Counts() PoolCounts {
	p.mu.Lock()
	defer p.mu.Unlock()
	c := p.counts
	c.Waiting = p.waiting.length
	return c
}

// ticket is a hash that is running or in the queue.
type ticket struct {
	threads int
	memory  int64
	ready   chan struct{} // closed when it may run, or is evicted
	started bool
	evicted bool
	// admission is that of the caller; nil: there is none, and it can't be evicted.
	admission *admission
	network   *network // of the queue, as place
	place     *list.Element
}

// run waits for the turn of work, which has a cost, and does it.
func (p *Pool) run(ctx context.Context, cost password.Cost, work func()) error {
	t := &ticket{threads: min(cost.Threads(), p.options.Threads), memory: min(cost.Memory(), p.options.Memory)}
	began := time.Now()
	if err := p.enter(ctx, t); err != nil {
		return err
	}
	started := time.Now()
	if p.options.Waited != nil {
		p.options.Waited(started.Sub(began))
	}
	defer func() { p.leave(t, cost, time.Since(started), time.Since(began)) }()
	work()
	return nil
}

// enter waits for the turn of a ticket.
func (p *Pool) enter(ctx context.Context, t *ticket) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	var name string
	if t.admission, _ = ctx.Value(admissionKey{}).(*admission); t.admission != nil {
		name = t.admission.network.name
	}
	p.mu.Lock()
	if p.waiting.length == 0 && p.fits(t) {
		p.start(t)
		p.mu.Unlock()
		return nil
	}
	t.ready = make(chan struct{})
	p.waiting.push(p.waiting.network(name), t)
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
	case t.evicted:
		return p.overloaded()
	case left == nil:
		return nil
	case t.started:
		p.stop(t)
	default:
		p.waiting.remove(t)
	}
	p.counts.Canceled++
	p.startNext()
	return left
}

// leave ends a hash and records how long it took, and how long with the time in the queue.
func (p *Pool) leave(t *ticket, cost password.Cost, took, overall time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.counts.Done++
	p.mean = average(p.mean, took)
	p.any.Add(overall)
	same := p.recent[cost]
	if same == nil && len(p.recent) < maxRecent {
		same = &recent.Durations{}
		p.recent[cost] = same
	}
	if same != nil {
		same.Add(overall)
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
	for t := p.waiting.front(); t != nil; t = p.waiting.front() {
		if !p.fits(t) {
			return
		}
		p.waiting.pop(t)
		p.start(t)
		close(t.ready)
	}
}

func (p *Pool) fits(t *ticket) bool {
	return p.threads+t.threads <= p.options.Threads && p.memory+t.memory <= p.options.Memory
}

func (p *Pool) start(t *ticket) {
	t.started = true
	p.threads += t.threads
	p.memory += t.memory
	p.counts.Running++
}

func (p *Pool) stop(t *ticket) {
	p.threads -= t.threads
	p.memory -= t.memory
	p.counts.Running--
}

// overloaded is the error for a full queue. It suggests a retry once those in the queue
// are done.
func (p *Pool) overloaded() *core.Error {
	drain := p.mean * time.Duration(p.admitted) / time.Duration(p.options.Threads)
	return &core.Error{Kind: core.KindOverloaded, RetryAfter: max(time.Second, drain)}
}
