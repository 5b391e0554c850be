package pgconn

import (
	"context"
	"crypto/sha256"
	"database/sql/driver"
	"encoding/hex"
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

// query runs a query, by its name if it is one of the lookups.
func (s *session) query(query string, args []driver.NamedValue) (driver.Rows, error) {
	l, kept := s.lookups[query]
	if !kept {
		return s.send(query, args)
	}
	if !s.poolerChecked {
		s.detectPooler()
	}
	if s.direct {
		return s.queryPrepared(query, args)
	}
	list, ok := literals(args)
	if !ok {
		return s.send(query, args)
	}
	if !s.prepared[query] {
		s.prepared[query] = true
		rows, err := s.send(l.prepare+l.execute+list, nil)
		if pq.As(err, pqerror.DuplicatePstatement) == nil {
			return rows, err
		}
		// A pooler chose a connection on which it is already prepared.
	}
	rows, err := s.send(l.execute+list, nil)
	if pq.As(err, pqerror.InvalidSQLStatementName) == nil {
		return rows, err
	}
	rows, err = s.send(l.prepare+l.execute+list, nil)
	if pq.As(err, pqerror.DuplicatePstatement) == nil {
		return rows, err
	}
	return s.send(query, args) // the pooler chose yet another connection
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
