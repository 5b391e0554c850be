package pgconn

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

	"github.com/authcompat/authcompat/store/internal/pgframes"
	"github.com/lib/pq"
)

// stagger is how long to wait for a host before trying the next one too: a host that is
// down does not answer at all.
const stagger = 150 * time.Millisecond

// connector opens connections to the writable primary among several hosts. It is a
// driver.Connector.
type connector struct {
	hosts   []pq.Config   // one host each
	shuffle bool          // load_balance_hosts=random
	limit   time.Duration // of one attempt to connect
	epoch   *connEpoch
	lookups map[string]lookup // by text
	history history
	// last is the index of the host that was the primary when last seen.
	last atomic.Int32
	// asked is one more than the epoch in which all hosts were asked last.
	asked atomic.Int64
}

func newConnector(s Settings, lookups map[string]lookup) *connector {
	c := &connector{
		hosts: s.each(), shuffle: s.pq.LoadBalanceHosts == pq.LoadBalanceHostsRandom,
		limit: s.wait, epoch: newConnEpoch(), lookups: lookups,
	}
	if t := s.pq.ConnectTimeout; t > 0 && t < c.limit {
		c.limit = t
	}
	return c
}

// Driver implements driver.Connector.
func (c *connector) Driver() driver.Driver { return pq.Driver{} }

// Connect implements driver.Connector. It tries the hosts one after the other, moving
// on to the next one as soon as one fails or is slow, and uses the first that succeeds. The
// first connection of all, and the first since a server was lost, goes on to ask the other hosts, and waits
// for those that are slow no longer: of two that take writes, one has been replaced by the other.
func (c *connector) Connect(ctx context.Context) (driver.Conn, error) {
	deadline := time.Now().Add(c.limit)
	if d, ok := ctx.Deadline(); ok && d.Before(deadline) {
		deadline = d
	}
	ctx, cancel := context.WithDeadline(ctx, deadline)
	defer cancel()

	order, epoch := c.order(), c.epoch.current.Load()
	all := len(order) > 1 && !c.shuffle && c.asked.Load() <= epoch
	results := make(chan attempt, len(order))
	next := time.NewTimer(0)
	defer next.Stop()
	var (
		failures []string
		best     attempt
		patience <-chan time.Time // until best is used whatever the others are
	)
	for begun, answered := 0, 0; ; {
		if best.session != nil && (!all || answered == len(order)) {
			return c.use(best, epoch, results, begun-answered), nil
		}
		select {
		case <-next.C:
			if begun < len(order) {
				host := order[begun]
				go func() { results <- c.try(ctx, host, deadline) }()
				begun++
				next.Reset(stagger)
				if best.session != nil {
					next.Reset(0)
				}
			}
		case <-patience:
			return c.use(best, epoch, results, begun-answered), nil
		case r := <-results:
			answered++
			switch {
			case r.err != nil:
				failures = append(failures, c.failure(r))
				if len(failures) == len(order) {
					return nil, &connectError{text: strings.Join(failures, "; ")}
				}
				next.Reset(0)
			case best.session == nil:
				best, patience = r, time.After(stagger)
				next.Reset(0)
			default:
				best = later(best, r, order)
			}
		}
	}
}

// later returns the attempt whose server has replaced the other's, or, if neither has, the one that is first in the
// order, and closes the other connection.
func later(a, b attempt, order []int) attempt {
	one, other := a.session.server, b.session.server
	replaced := one.system == other.system && one.timeline != other.timeline
	if replaced && one.timeline < other.timeline || !replaced && slices.Index(order, b.host) < slices.Index(order, a.host) {
		a, b = b, a
	}
	go func() { _ = b.session.Close() }() // it was never used
	return a
}

// use returns the connection that was chosen, and closes those of so many attempts that are still under way. If its
// server replaces the one that was used before, no older connection is used any more: that server may
// still answer.
func (c *connector) use(chosen attempt, epoch int64, results <-chan attempt, underWay int) *session {
	s := chosen.session
	if c.history.use(s.server) {
		c.epoch.invalidate(c.epoch.current.Load())
		s.opened = c.epoch.current.Load()
	}
	c.epoch.reach(s)
	c.last.Store(int32(chosen.host))
	c.asked.Store(epoch + 1)
	go closeOthers(results, underWay)
	return s
}

// attempt is the result of connecting to one host.
type attempt struct {
	host    int
	session *session
	err     error
}

// failure describes a failed attempt on one line.
func (c *connector) failure(r attempt) string {
	text := strings.ReplaceAll(r.err.Error(), "\n", " ")
	if len(c.hosts) == 1 {
		return text
	}
	return fmt.Sprintf("%s:%d: %s", c.hosts[r.host].Host, c.hosts[r.host].Port, text)
}

// order returns the indices of the hosts in the order to try them: the last primary
// first, or at random where connections are to be spread over several.
func (c *connector) order() []int {
	order := make([]int, len(c.hosts))
	for i := range order {
		order[i] = i
	}
	if c.shuffle {
		rand.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
		return order
	}
	last := int(c.last.Load())
	at := slices.Index(order, last)
	return slices.Insert(slices.Delete(order, at, at+1), 0, last)
}

// try connects to one host. lib/pq panics at malformed messages.
func (c *connector) try(ctx context.Context, host int, deadline time.Time) (result attempt) {
	defer func() {
		if recover() != nil {
			result = attempt{host: host, err: pgframes.ErrMalformed}
		}
	}()
	config := c.hosts[host].Clone()
	config.ConnectTimeout = time.Until(deadline)
	if config.ConnectTimeout <= 0 {
		return attempt{host: host, err: context.DeadlineExceeded}
	}
	opened := c.epoch.current.Load()
	d := &dialer{deadline: deadline}
	k, err := pq.NewConnectorConfig(config)
	if err != nil {
		return attempt{host: host, err: err}
	}
	k.Dialer(d)
	conn, err := k.Connect(ctx)
	if err != nil {
		return attempt{host: host, err: err}
	}
	raw, ok := conn.(pqConn)
	if !ok {
		return attempt{host: host, err: errors.Join(errors.New("lib/pq has changed"), conn.Close())}
	}
	s := &session{
		pqConn: &guarded{pqConn: raw}, socket: d.socket, epoch: c.epoch, opened: opened,
		lookups: c.lookups, prepared: make(map[string]bool),
		statements: make(map[string]driver.Stmt),
	}
	if s.server, err = readServer(raw); err == nil {
		err = c.history.check(s.server)
	}
	if err != nil {
		return attempt{host: host, err: errors.Join(err, conn.Close())}
	}
	pq.SetNoticeHandler(conn, s.notice)
	return attempt{host: host, session: s}
}

// closeOthers closes connections that were opened after another one was chosen.
func closeOthers(results <-chan attempt, count int) {
	for range count {
		if r := <-results; r.err == nil {
			_ = r.session.Close() // it was never used
		}
	}
}

// connectError is the error for failing to connect to any host.
type connectError struct{ text string }

func (e *connectError) Error() string { return "connect: " + e.text }
