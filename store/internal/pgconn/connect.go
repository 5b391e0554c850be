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
	// last is the index of the host that was the primary when last seen.
	last atomic.Int32
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
// on to the next one as soon as one fails or is slow, and uses the first that succeeds.
func (c *connector) Connect(ctx context.Context) (driver.Conn, error) {
	deadline := time.Now().Add(c.limit)
	if d, ok := ctx.Deadline(); ok && d.Before(deadline) {
		deadline = d
	}
	ctx, cancel := context.WithDeadline(ctx, deadline)
	defer cancel()

	order := c.order()
	results := make(chan attempt, len(order))
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
		pqConn: raw, socket: d.socket, epoch: c.epoch, opened: opened,
		lookups: c.lookups, prepared: make(map[string]bool),
		statements: make(map[string]driver.Stmt),
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
