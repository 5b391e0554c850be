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
// is a row with shown.
type executing struct {
	pqConn
	statements []string
	shown      string
}

func (e *executing) QueryContext(_ context.Context, query string, _ []driver.NamedValue) (driver.Rows, error) {
	e.statements = append(e.statements, query)
	return &oneRow{value: e.shown}, nil
}

// oneRow is the result of a query.
type oneRow struct {
	value string
	read  bool
}

func (*oneRow) Columns() []string { return []string{"synchronous_commit"} }
func (*oneRow) Close() error      { return nil }

func (r *oneRow) Next(into []driver.Value) error {
	if r.read {
		return io.EOF
	}
	into[0], r.read = r.value, true
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
		c.shown, c.statements = setting, nil
		if _, err := s.BeginTx(DeadlineOnly(time.Now().Add(time.Second)), driver.TxOptions{}); err != nil {
			t.Fatal(err)
		}
		if got := strings.Contains(strings.Join(c.statements, ";"), "SET LOCAL synchronous_commit = on"); got != (setting == "off") {
			t.Errorf("with %s: %q", setting, c.statements)
		}
	}
}
