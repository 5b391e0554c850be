package pgconn

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"testing"
	"time"

	"github.com/lib/pq"
)

// garbling is a connection whose server says something else than the protocol.
type garbling struct {
	pqConn
	fail func() error // of each call
}

func (g *garbling) IsValid() bool { return true }
func (g *garbling) Close() error  { return nil }
func (g *garbling) Commit() error { return g.fail() }
func (g *garbling) Rollback() error {
	return errors.New("a connection that is over was asked")
}

func (g *garbling) ExecContext(context.Context, string, []driver.NamedValue) (driver.Result, error) {
	return driver.ResultNoRows, g.fail()
}

func (g *garbling) QueryContext(_ context.Context, query string, _ []driver.NamedValue) (driver.Rows, error) {
	if query == "rows" {
		return failingRows{fail: g.fail}, nil
	}
	return nil, g.fail()
}

func (g *garbling) Prepare(query string) (driver.Stmt, error) {
	if query == "query" {
		return failingStatement{g}, nil
	}
	return nil, g.fail()
}

type failingRows struct {
	driver.Rows
	fail func() error
}

func (r failingRows) Columns() []string         { return nil }
func (r failingRows) Next([]driver.Value) error { return r.fail() }
func (r failingRows) NextResultSet() error      { return r.fail() }
func (r failingRows) HasNextResultSet() bool    { return true }
func (r failingRows) Close() error              { return nil }

type failingStatement struct{ g *garbling }

func (s failingStatement) Close() error                               { return s.g.fail() }
func (s failingStatement) NumInput() int                              { return -1 }
func (s failingStatement) Exec([]driver.Value) (driver.Result, error) { return nil, s.g.fail() }
func (s failingStatement) Query([]driver.Value) (driver.Rows, error)  { return nil, s.g.fail() }
func (s failingStatement) QueryContext(context.Context, []driver.NamedValue) (driver.Rows, error) {
	return nil, s.g.fail()
}
func (s failingStatement) ExecContext(context.Context, []driver.NamedValue) (driver.Result, error) {
	return nil, s.g.fail()
}

// TestGarbledConnection has lib/pq fail and panic at messages that it can't read: the connection is not used again, the call may be
// tried again on another one, and the others stay. Errors of the server's own end no connection.
func TestGarbledConnection(t *testing.T) {
	ctx := DeadlineOnly(time.Now().Add(time.Minute))
	calls := map[string]func(s *session) error{
		"exec":  func(s *session) error { _, err := s.ExecContext(ctx, "exec", nil); return err },
		"query": func(s *session) error { _, err := s.QueryContext(ctx, "query", nil); return err },
		"rows": func(s *session) error {
			rows, err := s.QueryContext(ctx, "rows", nil)
			if err != nil {
				return err
			}
			return rows.Next(nil)
		},
		"more rows": func(s *session) error {
			rows, err := s.QueryContext(ctx, "rows", nil)
			if err != nil {
				return err
			}
			return rows.(driver.RowsNextResultSet).NextResultSet()
		},
		"begin":  func(s *session) error { _, err := s.BeginTx(ctx, driver.TxOptions{}); return err },
		"commit": func(s *session) error { return transaction{s}.Commit() },
		"prepare": func(s *session) error {
			_, err := s.Prepare("prepare")
			return err
		},
		"statement": func(s *session) error {
			statement, err := s.Prepare("query")
			if err != nil {
				return err
			}
			_, err = statement.(driver.StmtQueryContext).QueryContext(ctx, nil)
			return err
		},
		"statement exec": func(s *session) error {
			statement, err := s.Prepare("query")
			if err != nil {
				return err
			}
			_, err = statement.(driver.StmtExecContext).ExecContext(ctx, nil)
			return err
		},
		"statement close": func(s *session) error {
			statement, err := s.Prepare("query")
			if err != nil {
				return err
			}
			return statement.Close()
		},
	}
	for failure, test := range map[string]struct {
		fail func() error
		over bool
	}{
		"unreadable":   {func() error { return errors.New("pq: unexpected Parse response") }, true},
		"panic":        {func() error { panic("slice bounds out of range") }, true},
		"server error": {func() error { return &pq.Error{Code: "42P01"} }, false},
	} {
		for name, call := range calls {
			s := &session{socket: &deadlined{}, epoch: newConnEpoch(), poolerChecked: true, direct: true, pqConn: &guarded{pqConn: &garbling{fail: test.fail}}}
			err := call(s)
			if err == nil || (classify(err) == lost) != test.over {
				t.Errorf("%s at %s: error %v", failure, name, err)
			}
			if s.IsValid() == test.over {
				t.Errorf("%s at %s: the connection is used again: %t", failure, name, s.IsValid())
			}
			if s.epoch.current.Load() != 0 {
				t.Errorf("%s at %s: all connections are over", failure, name)
			}
			if test.over && !errors.Is(s.pqConn.Rollback(), driver.ErrBadConn) {
				t.Errorf("%s at %s: a rollback was sent", failure, name)
			}
		}
	}
	s := &session{socket: &deadlined{}, epoch: newConnEpoch(), poolerChecked: true, direct: true, pqConn: &guarded{pqConn: &garbling{fail: func() error { return io.EOF }}}}
	if err := calls["rows"](s); err != io.EOF || !s.IsValid() { //nolint:errorlint // as database/sql compares it
		t.Errorf("the end of rows: %v, and the connection is good: %t", err, s.IsValid())
	}
	if err := calls["query"](s); !errors.Is(err, io.EOF) || errors.Is(err, sql.ErrNoRows) || s.IsValid() {
		t.Errorf("the end of the connection: %v, and it is good: %t", err, s.IsValid())
	}
}
