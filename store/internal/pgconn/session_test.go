package pgconn

import (
	"context"
	"database/sql/driver"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

// deadlined is a socket that records its deadline.
type deadlined struct {
	net.Conn
	deadline time.Time
	set      int
}

func (d *deadlined) SetDeadline(t time.Time) error {
	d.deadline, d.set = t, d.set+1
	return nil
}

// TestSetDeadline checks that no statement is interrupted early, nor much too late.
func TestSetDeadline(t *testing.T) {
	socket := &deadlined{}
	s := &session{socket: socket}
	began := time.Now()
	const statements = 1000
	for i := range statements {
		wanted := began.Add(time.Duration(i) * time.Millisecond)
		s.setDeadline(DeadlineOnly(wanted))
		if over := socket.deadline.Sub(wanted); over < 0 || over > timerSlack {
			t.Fatalf("the deadline is %v after its time", over)
		}
	}
	if socket.set > statements/10 {
		t.Errorf("set %d times for %d statements", socket.set, statements)
	}
	s.setDeadline(DeadlineOnly(began)) // an earlier one
	if over := socket.deadline.Sub(began); over > timerSlack {
		t.Errorf("the deadline is %v after its time", over)
	}
	s.setDeadline(t.Context()) // none
	if !socket.deadline.IsZero() {
		t.Error("a deadline that nobody wants")
	}
}

// executing is a connection that notes the statements it executes. Its answer to each query
// is a row with each text of shown.
type executing struct {
	pqConn
	statements []string
	shown      []string
}

func (e *executing) QueryContext(_ context.Context, query string, _ []driver.NamedValue) (driver.Rows, error) {
	e.statements = append(e.statements, query)
	return &oneRows{values: e.shown}, nil
}

// oneRows are results of one row each.
type oneRows struct {
	values []string
	read   bool
}

func (*oneRows) Columns() []string { return []string{"setting"} }
func (*oneRows) Close() error      { return nil }

func (r *oneRows) Next(into []driver.Value) error {
	if r.read {
		return io.EOF
	}
	into[0], r.read = r.values[0], true
	return nil
}

func (r *oneRows) HasNextResultSet() bool { return len(r.values) > 1 }

func (r *oneRows) NextResultSet() error {
	r.values, r.read = r.values[1:], false
	return nil
}

func (e *executing) ExecContext(_ context.Context, statement string, _ []driver.NamedValue) (driver.Result, error) {
	e.statements = append(e.statements, statement)
	return nil, nil
}

func (e *executing) IsValid() bool { return true }

// TestInvalidatedConnectionsAreNotUsed has one connection report that the server is gone:
// none that was opened before is used again.
func TestInvalidatedConnectionsAreNotUsed(t *testing.T) {
	epoch := newConnEpoch()
	open := func() *session {
		return &session{socket: &deadlined{}, epoch: epoch, opened: epoch.current.Load(), pqConn: &executing{}}
	}
	one, other := open(), open()
	for _, s := range []*session{one, other} {
		if err := s.ResetSession(t.Context()); err != nil || !s.IsValid() {
			t.Errorf("before: %v", err)
		}
	}
	one.report(io.EOF)
	for _, s := range []*session{one, other} {
		if err := s.ResetSession(t.Context()); !errors.Is(err, driver.ErrBadConn) || s.IsValid() {
			t.Errorf("afterwards: %v", err)
		}
	}
	if s := open(); !s.IsValid() {
		t.Error("a new connection is not used")
	}
	other.report(io.EOF) // of the same loss
	if s := open(); s.opened != 1 {
		t.Errorf("%d losses were counted of one", s.opened)
	}
}

// TestBeginWaitsForTheDisk checks that transactions are durable where the server's setting
// is another at that time, and leave the setting alone where it is not.
func TestBeginWaitsForTheDisk(t *testing.T) {
	c := &executing{}
	s := &session{socket: &deadlined{}, epoch: newConnEpoch(), pqConn: c}
	for _, setting := range []string{"on", "off", "remote_apply", "off", "local"} {
		c.shown, c.statements = []string{setting, "off"}, nil
		if _, err := s.BeginTx(DeadlineOnly(time.Now().Add(time.Second)), driver.TxOptions{}); err != nil {
			t.Fatal(err)
		}
		if got := strings.Contains(strings.Join(c.statements, ";"), "SET LOCAL synchronous_commit = on"); got != (setting == "off") {
			t.Errorf("with %s: %q", setting, c.statements)
		}
	}
}

// TestBeginOnStandby checks that a transaction that can't write is none, whatever it would do first.
func TestBeginOnStandby(t *testing.T) {
	c := &executing{shown: []string{"on", "on"}}
	s := &session{socket: &deadlined{}, epoch: newConnEpoch(), pqConn: c}
	if _, err := s.BeginTx(DeadlineOnly(time.Now().Add(time.Second)), driver.TxOptions{}); !errors.Is(err, errReadOnly) || s.IsValid() {
		t.Errorf("error %v, and the connection stays: %t", err, s.IsValid())
	}
}
