// Package pinned reads single rows of a database by one statement, which is prepared once on each of a few connections
// that do nothing else. It calls the driver without database/sql, whose pool, locks and conversions take a quarter of the
// time of a look-up of microseconds.
package pinned

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/authcompat/authcompat/store/internal/driverrow"
)

// ErrBusy is the error of a row that is to be read in another way: all connections are in use, or the statement is
// closed, or no connection could be opened a moment ago.
var ErrBusy = errors.New("no connection is free")

// reopenAfter is how long no connection is opened after one could not be.
const reopenAfter = time.Second

// Statement is a query of at most one row, with its connections. It is safe for concurrent use.
type Statement struct {
	driver     driver.Driver
	dsn, query string
	check      func() error

	mu     sync.Mutex
	idle   []*conn
	room   int // connections that may yet be opened
	refuse time.Time
	closed bool
}

// conn is a connection with the prepared statement.
type conn struct {
	driver.Conn
	statement driver.Stmt
	query     driver.StmtQueryContext
	row       driverrow.Row
}

// New returns a statement. It opens a connection when it needs one, at most so many, each between two calls of check, which
// fails if the database is no longer the one that the caller has open. The query is not interrupted: the DSN says how long
// it waits for locks.
func New(d driver.Driver, dsn, query string, most int, check func() error) *Statement {
	return &Statement{driver: d, dsn: dsn, query: query, room: most, check: check}
}

// Row reads a row and hands it to take, which must not keep it. It reports whether there is one. It does not wait: without
// a connection, the error is ErrBusy. After another error, also of take, the connection is closed.
func (s *Statement) Row(arguments []driver.NamedValue, take func(*driverrow.Row) error) (found bool, err error) {
	c, err := s.acquire()
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, s.release(c, err == nil)) }()
	rows, err := c.query.QueryContext(context.Background(), arguments)
	if err != nil {
		return false, fmt.Errorf("query: %w", err)
	}
	return c.row.Read(rows, take)
}

// Close closes the connections that are idle, and the others once they are.
func (s *Statement) Close() (err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	for _, c := range s.idle {
		err = errors.Join(err, c.close())
	}
	s.idle = nil
	return err
}

func (s *Statement) acquire() (*conn, error) {
	s.mu.Lock()
	if n := len(s.idle); n > 0 { // the one used last has the most in its cache
		c := s.idle[n-1]
		s.idle = s.idle[:n-1]
		s.mu.Unlock()
		return c, nil
	}
	if s.closed || s.room == 0 || !s.refuse.IsZero() && time.Since(s.refuse) < reopenAfter {
		s.mu.Unlock()
		return nil, ErrBusy
	}
	s.room--
	s.mu.Unlock()
	c, err := s.open()
	if err != nil {
		s.mu.Lock()
		s.room++
		s.refuse = time.Now()
		s.mu.Unlock()
	}
	return c, err
}

// release gives a connection back, or closes one that is not whole.
func (s *Statement) release(c *conn, whole bool) error {
	s.mu.Lock()
	if whole && !s.closed {
		s.idle = append(s.idle, c)
		s.mu.Unlock()
		return nil
	}
	s.room++
	s.mu.Unlock()
	return c.close()
}

func (s *Statement) open() (_ *conn, err error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	opened, err := s.driver.Open(s.dsn)
	if err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	c := &conn{Conn: opened}
	defer func() {
		if err != nil {
			err = errors.Join(err, c.close())
		}
	}()
	if c.statement, err = opened.Prepare(s.query); err != nil { // which reads the schema
		return nil, fmt.Errorf("prepare: %w", err)
	}
	query, ok := c.statement.(driver.StmtQueryContext)
	if !ok {
		return nil, errors.New("the driver has no queries with values of their own types")
	}
	c.query = query
	return c, s.check()
}

func (c *conn) close() (err error) {
	if c.statement != nil {
		err = c.statement.Close()
	}
	return errors.Join(err, c.Conn.Close())
}
