package pgconn

import (
	"net"
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
