package core

import (
	"cmp"
	"container/list"
	"context"
	"runtime"
	"sync"
	"time"

	"github.com/authcompat/authcompat/core/password"
)

// HashPool is a Hasher that bounds how many passwords are hashed at a time, so that a
// flood of logins leaves the other processors to everything else. Callers that were
// admitted wait in a queue, first come first served; once the queue is full, others
// are refused at once with KindOverloaded. A caller whose context ends leaves it.
//
// A hash counts for as many places as it computes with threads, at most all of
// them, and for the memory that it needs.
type HashPool struct {
	passwords *DjangoHasher
	options   HashPoolOptions

	mu       sync.Mutex
	admitted int
	held     int64 // bytes of passwords that the admitted hold
	threads  int   // in use
	memory   int64 // bytes in use
	waiting  list.List
	mean     time.Duration
	typical  map[password.Cost]time.Duration
	sleeping int
	counts   HashPoolCounts
}

// HashPoolOptions are the bounds of a HashPool; a zero field takes its default.
type HashPoolOptions struct {
	// Threads is how many threads hash at a time: one processor less than there
	// are, at least one.
	Threads int
	// Memory is how many bytes all hashes at a time may need: 512 MiB, which is
	// what one may need at most (password.MaxMemory).
	Memory int64
	// Queue is how many are admitted at most beside those who hash: 32 for each
	// thread.
	Queue int
	// QueuedMemory is how many bytes of passwords are admitted at most: 16 MiB.
	QueuedMemory int64
	// Waited, if set, is told how long each one that was admitted has waited. It
	// must be quick.
	Waited func(time.Duration)
}

// HashPoolCounts says what a HashPool is doing and has done.
type HashPoolCounts struct {
	Running  int    // hashes being computed
	Waiting  int    // for their turn
	Done     uint64 // hashes computed
	Refused  uint64 // not admitted
	Departed uint64 // left the queue because their context ended
}

// The defaults of HashPoolOptions.
const (
	queuePerThread = 32
	queuedMemory   = 16 << 20
)

// maxSleeping is how many callers Wait holds at a time.
const maxSleeping = 1024

// NewHashPool puts a bound on passwords.
func NewHashPool(passwords *DjangoHasher, o HashPoolOptions) *HashPool {
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
	return &HashPool{passwords: passwords, options: o, typical: make(map[password.Cost]time.Duration)}
}

// Acquire implements Hasher.
func (l *HashPool) Acquire(plain string) (leave func(), err error) {
	size := int64(len(plain))
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.admitted >= l.options.Queue+l.options.Threads || l.admitted > 0 && l.held+size > l.options.QueuedMemory {
		l.counts.Refused++
		return nil, l.overloaded()
	}
	l.admitted++
	l.held += size
	var left sync.Once
	return func() {
		left.Do(func() {
			l.mu.Lock()
			defer l.mu.Unlock()
			l.admitted--
			l.held -= size
		})
	}, nil
}

// Hash implements Hasher.
func (l *HashPool) Hash(ctx context.Context, plain string) (encoded string, err error) {
	refusal := l.run(ctx, l.passwords.hasher.Cost(), func() { encoded, err = l.passwords.Hash(ctx, plain) })
	return encoded, cmp.Or(refusal, err)
}

// Unusable implements Hasher. It costs nothing.
func (l *HashPool) Unusable() (string, error) { return l.passwords.Unusable() }

// Check implements Hasher.
func (l *HashPool) Check(ctx context.Context, username, encoded, plain string) (ok, rehash bool, err error) {
	refusal := l.run(ctx, l.passwords.cost(username, encoded), func() {
		ok, rehash, err = l.passwords.Check(ctx, username, encoded, plain)
	})
	return ok, rehash, cmp.Or(refusal, err)
}

// HashDummy implements Hasher.
func (l *HashPool) HashDummy(ctx context.Context, username, plain string) error {
	return l.run(ctx, l.passwords.cost(username, ""), func() { _ = l.passwords.HashDummy(ctx, username, plain) })
}

// Wait implements Hasher: it waits as long as hashes of that cost lately took,
// without computing anything. So many wait at most; then it refuses.
func (l *HashPool) SimulateLatency(ctx context.Context, username, encoded string) error {
	l.mu.Lock()
	if l.sleeping >= maxSleeping {
		defer l.mu.Unlock()
		l.counts.Refused++
		return l.overloaded()
	}
	l.sleeping++
	took, known := l.typical[l.passwords.cost(username, encoded)]
	if !known {
		took = l.mean
	}
	l.mu.Unlock()
	defer func() {
		l.mu.Lock()
		l.sleeping--
		l.mu.Unlock()
	}()
	timer := time.NewTimer(took)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Counts says what the pool is doing now.
func (l *HashPool) Counts() HashPoolCounts {
	l.mu.Lock()
	defer l.mu.Unlock()
	c := l.counts
	c.Waiting = l.waiting.Len()
	return c
}

// ticket is one hash that runs or waits to.
type ticket struct {
	threads  int
	memory   int64
	ready    chan struct{} // closed when it may run
	admitted bool
}

// run does work that has a cost when its turn comes.
func (l *HashPool) run(ctx context.Context, cost password.Cost, work func()) error {
	t := &ticket{threads: min(cost.Threads(), l.options.Threads), memory: min(cost.Memory(), l.options.Memory)}
	began := time.Now()
	if err := l.enter(ctx, t); err != nil {
		return err
	}
	admitted := time.Now()
	if l.options.Waited != nil {
		l.options.Waited(admitted.Sub(began))
	}
	defer func() { l.leave(t, cost, time.Since(admitted)) }()
	work()
	return nil
}

// enter waits for the ticket's turn.
func (l *HashPool) enter(ctx context.Context, t *ticket) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	l.mu.Lock()
	if l.waiting.Len() == 0 && l.fits(t) {
		l.take(t)
		l.mu.Unlock()
		return nil
	}
	t.ready = make(chan struct{})
	place := l.waiting.PushBack(t)
	l.mu.Unlock()

	select {
	case <-t.ready:
		return nil
	case <-ctx.Done():
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.counts.Departed++
	if t.admitted {
		l.release(t)
	} else {
		l.waiting.Remove(place)
	}
	l.admit()
	return ctx.Err()
}

// leave gives the ticket's places back and remembers what its cost took.
func (l *HashPool) leave(t *ticket, cost password.Cost, took time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.counts.Done++
	l.mean = average(l.mean, took)
	if _, known := l.typical[cost]; known || len(l.typical) < maxTypical {
		l.typical[cost] = average(l.typical[cost], took)
	}
	l.release(t)
	l.admit()
}

// maxTypical bounds how many costs are remembered: a store has a few.
const maxTypical = 256

// average moves a mean an eighth towards a new value.
func average(mean, value time.Duration) time.Duration {
	if mean == 0 {
		return value
	}
	return mean + (value-mean)/8
}

// admit lets those at the head of the queue run who fit. One who does not fit
// holds up those behind, so that it is not passed over for ever.
func (l *HashPool) admit() {
	for first := l.waiting.Front(); first != nil; first = l.waiting.Front() {
		t := first.Value.(*ticket)
		if !l.fits(t) {
			return
		}
		l.waiting.Remove(first)
		l.take(t)
		close(t.ready)
	}
}

func (l *HashPool) fits(t *ticket) bool {
	return l.threads+t.threads <= l.options.Threads && l.memory+t.memory <= l.options.Memory
}

func (l *HashPool) take(t *ticket) {
	t.admitted = true
	l.threads += t.threads
	l.memory += t.memory
	l.counts.Running++
}

func (l *HashPool) release(t *ticket) {
	l.threads -= t.threads
	l.memory -= t.memory
	l.counts.Running--
}

// overloaded is the refusal of one who finds the queue full: it will be empty
// after as long as those in it take.
func (l *HashPool) overloaded() *Error {
	drain := l.mean * time.Duration(l.admitted) / time.Duration(l.options.Threads)
	return &Error{Kind: KindOverloaded, RetryAfter: max(time.Second, drain)}
}
