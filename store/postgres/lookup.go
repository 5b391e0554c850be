package postgres

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

// lookup is a query that each connection of the server plans once and keeps:
// planning is most of what a look-up by key costs. The server knows it by a name
// that is made of its text, so that a pooler may hand each run to another
// connection: whoever prepared it there, the name means this query. lib/pq's own
// names are numbers, and mean something else on each connection.
type lookup struct {
	prepare string
	execute string
}

// newLookups gives the queries that are kept, by their text. They are not for
// transactions, which end where a name is unknown.
func newLookups(texts ...string) map[string]lookup {
	lookups := make(map[string]lookup, len(texts))
	for _, text := range texts {
		sum := sha256.Sum256([]byte(text))
		name := "authcompat_" + hex.EncodeToString(sum[:8])
		lookups[text] = lookup{prepare: "PREPARE " + name + " AS " + text + "; ", execute: "EXECUTE " + name}
	}
	return lookups
}

// query runs a query, by its name if it is one of those that are kept.
func (s *session) query(query string, args []driver.NamedValue) (driver.Rows, error) {
	l, kept := s.lookups[query]
	if !kept {
		return s.send(query, args)
	}
	if !s.explored {
		s.explore()
	}
	if s.straight {
		return s.run(query, args)
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
		// A pooler had a connection where someone else has prepared it.
	}
	rows, err := s.send(l.execute+list, nil)
	if pq.As(err, pqerror.InvalidSQLStatementName) == nil {
		return rows, err
	}
	rows, err = s.send(l.prepare+l.execute+list, nil)
	if pq.As(err, pqerror.DuplicatePstatement) == nil {
		return rows, err
	}
	return s.send(query, args) // the pooler had yet another one
}

// send runs a query as it is.
func (s *session) send(query string, args []driver.NamedValue) (driver.Rows, error) {
	return s.pqConn.QueryContext(context.Background(), query, args)
}

// literals gives arguments as EXECUTE takes them. A text with NUL has no literal,
// and would end the message.
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
