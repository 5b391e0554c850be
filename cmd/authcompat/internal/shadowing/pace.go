package shadowing

import (
	"sync"
	"time"
)

// defaultHashTime is how long an old server takes at least, in the mean, that hashes passwords as Django
// does today. A faster one may have written before we have read: then the client waits for us.
const defaultHashTime = 50 * time.Millisecond

// paces are how long the old server takes to answer, by endpoint.
type paces struct {
	hashTime time.Duration
	mu       sync.Mutex
	all      map[string]*pace
}

// pace is that of an endpoint.
type pace struct {
	password bool // the request has one
	mean     time.Duration
}

func newPaces(hashTime time.Duration) *paces {
	if hashTime == 0 {
		hashTime = defaultHashTime
	}
	return &paces{hashTime: hashTime, all: make(map[string]*pace)}
}

// add adds an endpoint, which takes a password or does not.
func (p *paces) add(endpoint string, password bool) { p.all[endpoint] = &pace{password: password} }

// observe is told how long the old server took.
func (p *paces) observe(endpoint string, took time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if e := p.all[endpoint]; e != nil {
		if e.mean == 0 {
			e.mean = took
		}
		e.mean += (took - e.mean) / 8
	}
}

// hashes reports whether the old server hashes a password, as a rule, for longer than we read.
func (p *paces) hashes(endpoint string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	e := p.all[endpoint]
	return e != nil && e.password && e.mean >= p.hashTime
}
