package tables

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"time"

	"github.com/authcompat/authcompat/store/internal/pgframes"
	"github.com/lib/pq"
)

const (
	// connectTimeout is how long a server may take to let a connection in, where the DSN
	// does not say (connect_timeout).
	connectTimeout = 10 * time.Second
	// cancelGrace is how long a statement may still take once its context has ended: the
	// server is asked to cancel it.
	cancelGrace = time.Second
	// endTimeout is how long the end of a transaction may take, whatever its context.
	endTimeout = 30 * time.Second
)

// pgConnector opens connections that obey contexts: lib/pq ignores them during the
// handshake, and waits for an answer to a statement that was canceled.
type pgConnector struct{ config pq.Config }

func newPGConnector(dsn string) (*pgConnector, error) {
	config, err := pq.NewConfig(dsn)
	if err != nil {
		return nil, err
	}
	if config.ConnectTimeout <= 0 {
		config.ConnectTimeout = connectTimeout
	}
	return &pgConnector{config}, nil
}

// Driver implements driver.Connector.
func (c *pgConnector) Driver() driver.Driver { return pq.Driver{} }

// Connect implements driver.Connector.
func (c *pgConnector) Connect(ctx context.Context) (driver.Conn, error) {
	d := &pgDialer{}
	k, err := pgframes.NewConnector(c.config.Clone(), d)
	if err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, d.hangUp)
	defer stop()
	opened, err := k.Connect(ctx)
	switch {
	case ctx.Err() != nil:
		if err == nil {
			_ = opened.Close() // it was never used
		}
		return nil, ctx.Err()
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, context.DeadlineExceeded):
		return nil, fmt.Errorf("the server has not answered within %v: is it one of PostgreSQL? (connect_timeout in the DSN sets another time, in seconds): %w", c.config.ConnectTimeout, err)
	case err != nil:
		return nil, err
	}
	all, ok := opened.(pqConn)
	if !ok {
		return nil, errors.Join(errors.New("lib/pq has changed"), opened.Close())
	}
	return &pgSession{pqConn: all, socket: d.established()}, nil
}

// pgDialer is a pq.DialerContext that can end the connection that is being opened.
type pgDialer struct {
	pgframes.Dialer

	mu     sync.Mutex
	socket net.Conn // the last that was opened, until one is established
	hungUp bool
	over   bool // the connection is established; later ones only cancel its statements
}

// DialContext implements pq.DialerContext.
func (d *pgDialer) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	c, err := d.Dialer.DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.hungUp {
		return nil, errors.Join(context.Canceled, c.Close())
	}
	if !d.over {
		d.socket = c
	}
	return c, nil
}

// hangUp ends what is being opened.
func (d *pgDialer) hangUp() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.over {
		return
	}
	d.hungUp = true
	if d.socket != nil {
		_ = d.socket.Close() // nothing was asked yet
	}
}

// established returns the socket of the connection.
func (d *pgDialer) established() net.Conn {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.over = true
	return d.socket
}

// pqConn has the interfaces that lib/pq's connections implement.
type pqConn interface {
	driver.Conn
	driver.ConnBeginTx
	driver.ConnPrepareContext
	driver.ExecerContext
	driver.NamedValueChecker
	driver.QueryerContext
	driver.Validator
}

// pgSession is a connection whose transactions end with their context, even if the server
// has fallen silent.
type pgSession struct {
	pqConn
	socket net.Conn

	mu        sync.Mutex
	abandoned bool
}

// BeginTx implements driver.ConnBeginTx. All statements are run in transactions.
func (s *pgSession) BeginTx(ctx context.Context, options driver.TxOptions) (driver.Tx, error) {
	stop := context.AfterFunc(ctx, s.abandon)
	tx, err := s.pqConn.BeginTx(ctx, options)
	if err != nil {
		stop()
		return nil, err
	}
	return &pgTransaction{tx, s, stop}, nil
}

// abandon limits what a statement may still take. The connection is not used again.
func (s *pgSession) abandon() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.abandoned = true
	_ = s.socket.SetDeadline(time.Now().Add(cancelGrace)) // fails only if it is closed already
}

// setDeadline sets the deadline of a session that is not abandoned.
func (s *pgSession) setDeadline(t time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.abandoned {
		_ = s.socket.SetDeadline(t) // fails only if it is closed already
	}
}

// ResetSession implements driver.SessionResetter.
func (s *pgSession) ResetSession(context.Context) error {
	if !s.IsValid() {
		return driver.ErrBadConn
	}
	return nil
}

// IsValid implements driver.Validator.
func (s *pgSession) IsValid() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.abandoned && s.pqConn.IsValid()
}

// Close implements driver.Conn.
func (s *pgSession) Close() error {
	s.setDeadline(time.Now().Add(cancelGrace)) // lib/pq sends Terminate first
	return s.pqConn.Close()
}

// pgTransaction is a driver.Tx.
type pgTransaction struct {
	driver.Tx
	session *pgSession
	stop    func() bool // the watch of its context
}

// Commit implements driver.Tx.
func (t *pgTransaction) Commit() error {
	t.stop()
	return t.end(t.Tx.Commit)
}

// Rollback implements driver.Tx.
func (t *pgTransaction) Rollback() error {
	defer t.stop()
	return t.end(t.Tx.Rollback)
}

func (t *pgTransaction) end(do func() error) error {
	t.session.setDeadline(time.Now().Add(endTimeout))
	defer t.session.setDeadline(time.Time{})
	return do()
}
