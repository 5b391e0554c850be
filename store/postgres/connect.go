package postgres

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/lib/pq"
)

// stagger is how long a host may take to answer before the next one is asked
// too: a host that is gone for good says nothing.
const stagger = 150 * time.Millisecond

// connector opens connections to the one of several hosts that is the writable
// primary. It is a driver.Connector.
type connector struct {
	hosts   []pq.Config   // one host each
	shuffle bool          // load_balance_hosts=random
	limit   time.Duration // of one attempt to connect
	link    *link
	lookups map[string]lookup // by text
	// last is the index of the host that was the primary when last seen.
	last atomic.Int32
}

func newConnector(s settings, lookups map[string]lookup) *connector {
	c := &connector{
		hosts: s.each(), shuffle: s.pq.LoadBalanceHosts == pq.LoadBalanceHostsRandom,
		limit: s.wait, link: newLink(), lookups: lookups,
	}
	if t := s.pq.ConnectTimeout; t > 0 && t < c.limit {
		c.limit = t
	}
	return c
}

// Driver implements driver.Connector.
func (c *connector) Driver() driver.Driver { return pq.Driver{} }

// Connect implements driver.Connector. The hosts are asked one after the other,
// the next as soon as one fails or takes long; the first good one is used.
func (c *connector) Connect(ctx context.Context) (driver.Conn, error) {
	deadline := time.Now().Add(c.limit)
	if d, ok := ctx.Deadline(); ok && d.Before(deadline) {
		deadline = d
	}
	ctx, cancel := context.WithDeadline(ctx, deadline)
	defer cancel()

	order := c.order()
	results := make(chan outcome, len(order))
	next := time.NewTimer(0)
	defer next.Stop()
	var failures []string
	for begun := 0; ; {
		select {
		case <-next.C:
			if begun < len(order) {
				host := order[begun]
				go func() { results <- c.try(ctx, host, deadline) }()
				begun++
				next.Reset(stagger)
			}
		case r := <-results:
			if r.err == nil {
				c.last.Store(int32(r.host))
				go closeOthers(results, begun-len(failures)-1)
				return r.session, nil
			}
			failures = append(failures, c.failure(r))
			if len(failures) == len(order) {
				return nil, &connectError{text: strings.Join(failures, "; ")}
			}
			next.Reset(0)
		}
	}
}

// outcome is what came of asking a host.
type outcome struct {
	host    int
	session *session
	err     error
}

// failure tells what came of a host, on one line.
func (c *connector) failure(r outcome) string {
	text := strings.ReplaceAll(r.err.Error(), "\n", " ")
	if len(c.hosts) == 1 {
		return text
	}
	return fmt.Sprintf("%s:%d: %s", c.hosts[r.host].Host, c.hosts[r.host].Port, text)
}

// order gives the indices of the hosts as they are to be asked: the last primary
// first.
func (c *connector) order() []int {
	order := make([]int, len(c.hosts))
	for i := range order {
		order[i] = i
	}
	if c.shuffle {
		rand.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
	}
	last := int(c.last.Load())
	at := slices.Index(order, last)
	return slices.Insert(slices.Delete(order, at, at+1), 0, last)
}

// try connects to one host.
func (c *connector) try(ctx context.Context, host int, deadline time.Time) outcome {
	config := c.hosts[host].Clone()
	config.ConnectTimeout = time.Until(deadline)
	if config.ConnectTimeout <= 0 {
		return outcome{host: host, err: context.DeadlineExceeded}
	}
	generation := c.link.generation.Load()
	d := &dialer{deadline: deadline}
	k, err := pq.NewConnectorConfig(config)
	if err != nil {
		return outcome{host: host, err: err}
	}
	k.Dialer(d)
	conn, err := k.Connect(ctx)
	if err != nil {
		return outcome{host: host, err: err}
	}
	raw, ok := conn.(pqConn)
	if !ok {
		return outcome{host: host, err: errors.Join(errors.New("lib/pq has changed"), conn.Close())}
	}
	s := &session{
		pqConn: raw, socket: d.socket, link: c.link, generation: generation,
		lookups: c.lookups, prepared: make(map[string]bool),
		statements: make(map[string]driver.Stmt),
	}
	pq.SetNoticeHandler(conn, s.notice)
	return outcome{host: host, session: s}
}

// closeOthers closes connections that came too late.
func closeOthers(results <-chan outcome, count int) {
	for range count {
		if r := <-results; r.err == nil {
			_ = r.session.Close() // it was never used
		}
	}
}

// connectError says that no connection could be had.
type connectError struct{ text string }

func (e *connectError) Error() string { return "connect: " + e.text }
