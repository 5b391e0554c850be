package pgconn

import (
	"database/sql/driver"
	"errors"
	"io"
	"testing"
	"time"

	"github.com/lib/pq"
	"github.com/lib/pq/pqerror"
)

// committing is a connection that answers a COMMIT in a certain way.
type committing struct {
	pqConn
	answer func() error
}

func (c *committing) Commit() error { return c.answer() }

// TestCommitAnswers checks what each answer to a COMMIT means: only one without an error
// and without a warning says that the transaction is committed for good.
func TestCommitAnswers(t *testing.T) {
	var s *session
	notice := func(severity string, err error) func() error {
		return func() error {
			s.notice(&pq.Error{Severity: severity})
			return err
		}
	}
	coded := func(code pqerror.Code) func() error { return func() error { return &pq.Error{Code: code} } }
	for name, test := range map[string]struct {
		answer               func() error
		committed, ambiguous bool
		lost                 bool // the connections are not used any more
	}{
		"COMMIT":                              {answer: func() error { return nil }, committed: true},
		"COMMIT and a notice":                 {answer: notice(pqerror.SeverityNotice, nil), committed: true},
		"COMMIT and a warning":                {answer: notice(pqerror.SeverityWarning, nil), ambiguous: true},
		"ROLLBACK, of a failed transaction":   {answer: func() error { return pq.ErrInFailedTransaction }},
		"a violated constraint":               {answer: coded(pqerror.UniqueViolation)},
		"a conflict of transactions":          {answer: coded(pqerror.TRSerializationFailure)},
		"another tag":                         {answer: func() error { return errors.New("unexpected command tag ROLLBACK") }, ambiguous: true},
		"the server shuts down":               {answer: coded(pqerror.AdminShutdown), ambiguous: true, lost: true},
		"the end of the connection":           {answer: func() error { return io.EOF }, ambiguous: true, lost: true},
		"a broken connection":                 {answer: func() error { return driver.ErrBadConn }, ambiguous: true, lost: true},
		"a violated constraint and a warning": {answer: notice(pqerror.SeverityWarning, &pq.Error{Code: pqerror.UniqueViolation})},
	} {
		s = &session{socket: &deadlined{}, epoch: newConnEpoch(), pqConn: &committing{answer: test.answer}}
		s.warned = true // by a notice from before
		err := transaction{s}.Commit()
		if (err == nil) != test.committed || errors.Is(err, ErrAmbiguousCommit) != test.ambiguous {
			t.Errorf("%s: error %v", name, err)
		}
		if lost := s.epoch.current.Load() != s.opened; lost != test.lost {
			t.Errorf("%s: connections given up: %t, want %t", name, lost, test.lost)
		}
		if len(s.epoch.committing) != 0 {
			t.Errorf("%s: it counts as committing", name)
		}
	}
}

// TestCommitHasTime checks that no time of ours ends a COMMIT: the server would go on with it, and keep the connection.
func TestCommitHasTime(t *testing.T) {
	socket := &deadlined{}
	s := &session{socket: socket, epoch: newConnEpoch()}
	s.setDeadline(DeadlineOnly(time.Now()))
	s.pqConn = &committing{answer: func() error {
		if !socket.deadline.IsZero() {
			t.Errorf("it has until %v", socket.deadline)
		}
		return nil
	}}
	if err := (transaction{s}).Commit(); err != nil {
		t.Error(err)
	}
}

// TestCutCommits checks which commits are given up when connections are lost: those whose server was not reached since.
func TestCutCommits(t *testing.T) {
	here, there := server{1, 1, 1}, server{1, 2, 2}
	for name, test := range map[string]struct {
		at, reached server
		before, cut bool
	}{
		"nothing is reached":                   {at: here, cut: true},
		"the server is reached":                {at: here, reached: here},
		"it was reached before":                {at: here, reached: here, before: true, cut: true},
		"its successor is reached":             {at: here, reached: there, cut: true},
		"another one, of an unknown kind":      {at: here, reached: server{}, cut: true},
		"one of an unknown kind is reached":    {reached: server{}, cut: true},
		"the server was started again, though": {at: here, reached: server{1, 1, 9}, cut: true},
	} {
		e := newConnEpoch()
		socket := &deadlined{}
		s := &session{socket: socket, epoch: e, server: test.at}
		e.beginCommit(s)
		again := &session{server: test.reached}
		if test.before {
			e.reach(again)
		}
		e.invalidate(0)
		if !test.before && name != "nothing is reached" {
			again.opened = 1
			e.reach(again)
		}
		e.cutCommits(0)
		if cut := socket.set > 0; cut != test.cut {
			t.Errorf("%s: given up: %t", name, cut)
		}
	}
}
