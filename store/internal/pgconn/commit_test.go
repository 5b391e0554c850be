package pgconn

import (
	"database/sql/driver"
	"errors"
	"io"
	"testing"

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
