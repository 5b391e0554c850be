package pgconn

import (
	"context"
	"crypto/sha256"
	"database/sql/driver"
	"encoding/hex"
	"errors"
	"strconv"
	"strings"

	"github.com/lib/pq"
	"github.com/lib/pq/pqerror"
)

// lookup is a query that each server connection plans once and keeps: planning is most
// of the cost of a look-up by key. Its name is derived from its text, so that it
// denotes the same query on every server connection that a pooler may choose, whoever
// prepared it there. lib/pq's own names are numbers, which denote different queries on
// different connections.
type lookup struct {
	prepare string
	execute string
}

// newLookups returns the lookups by their text. They can't be used in transactions,
// which an unknown name would abort.
func newLookups(texts ...string) map[string]lookup {
	lookups := make(map[string]lookup, len(texts))
	for _, text := range texts {
		sum := sha256.Sum256([]byte(text))
		name := "authcompat_" + hex.EncodeToString(sum[:8])
		lookups[text] = lookup{prepare: "PREPARE " + name + " AS " + text + "; ", execute: "EXECUTE " + name}
	}
	return lookups
}

// query runs a query, by its name if it is one of the lookups. Through a pooler it is read on the primary alone: the
// pooler may have gone on to another server, and that may be a standby, since the connection was opened.
func (s *session) query(query string, args []driver.NamedValue) (driver.Rows, error) {
	if s.inTx {
		return s.send(query, args) // what it writes fails on a standby
	}
	if !s.poolerChecked {
		s.detectPooler()
	}
	l, kept := s.lookups[query]
	switch {
	case s.direct && kept:
		return s.queryPrepared(query, args)
	case s.direct:
		return s.send(query, args)
	case !kept:
		return s.sendOnPrimary(query, args)
	}
	list, ok := literals(args)
	if !ok {
		return s.sendOnPrimary(query, args)
	}
	if !s.prepared[query] {
		s.prepared[query] = true
		rows, err := s.send(onPrimary+l.prepare+l.execute+list, nil)
		if pq.As(err, pqerror.DuplicatePstatement, pqerror.FeatureNotSupported, pqerror.NoActiveSQLTransaction) == nil {
			return rows, err
		}
		// A pooler chose a connection on which it is already prepared, or a standby.
	}
	rows, err := s.send(onPrimary+l.execute+list, nil)
	if pq.As(err, pqerror.InvalidSQLStatementName) != nil {
		rows, err = s.send(onPrimary+l.prepare+l.execute+list, nil)
	}
	if pq.As(err, pqerror.DuplicatePstatement, pqerror.FeatureNotSupported, pqerror.NoActiveSQLTransaction) == nil {
		return rows, err
	}
	// The pooler chose yet another connection, or a standby, or the tables have been altered; or to the engine, a message
	// is no transaction.
	return s.sendOnPrimary(query, args)
}

// onPrimary precedes other statements of the same message, which are one transaction then (but not to CockroachDB:
// "there is no transaction in progress"). It fails on a standby,
// with FeatureNotSupported (PostgreSQL 15, src/backend/commands/variable.c, check_transaction_read_only).
const onPrimary = "SET TRANSACTION READ WRITE; "

// sendOnPrimary is send, but fails with errReadOnly on a standby.
func (s *session) sendOnPrimary(query string, args []driver.NamedValue) (driver.Rows, error) {
	if _, err := s.exec("BEGIN READ WRITE"); err != nil {
		if pq.As(err, pqerror.FeatureNotSupported) != nil {
			err = errReadOnly
		}
		return nil, err
	}
	rows, err := s.send(query, args)
	if err != nil {
		_, _ = s.exec("ROLLBACK") // if it fails, the next statement does too
		return nil, err
	}
	return &rowsOfTransaction{Rows: rows, s: s}, nil
}

// exec runs a statement without arguments.
func (s *session) exec(statement string) (driver.Result, error) {
	return s.pqConn.ExecContext(context.Background(), statement, nil)
}

// rowsOfTransaction are rows with whose end their transaction, which has only read, ends too.
type rowsOfTransaction struct {
	driver.Rows
	s *session
}

// Close implements driver.Rows.
func (r *rowsOfTransaction) Close() error {
	err := r.Rows.Close()
	_, ended := r.s.exec("COMMIT")
	return errors.Join(err, r.s.checkError(ended))
}

// send runs a query unchanged.
func (s *session) send(query string, args []driver.NamedValue) (driver.Rows, error) {
	return s.pqConn.QueryContext(context.Background(), query, args)
}

// literals formats arguments for EXECUTE. Text with a NUL can't be a literal, and would
// end the message.
func literals(args []driver.NamedValue) (list string, ok bool) {
	var b strings.Builder
	for _, arg := range args {
		switch v := arg.Value.(type) {
		case []byte:
			b.WriteString(pq.QuoteLiteral(`\x` + hex.EncodeToString(v)))
		case string:
			if strings.ContainsRune(v, 0) {
				return "", false
			}
			b.WriteString(pq.QuoteLiteral(v))
		case int64:
			b.WriteString(strconv.FormatInt(v, 10))
		default:
			return "", false
		}
		b.WriteString(", ")
	}
	return "(" + strings.TrimSuffix(b.String(), ", ") + ")", true
}
