// Package callers keeps who called which API in a table that all stores have, in words that
// SQLite and PostgreSQL both know.
//
// The table has a row for each caller of a day, by [callers.Caller.ID], and one for each day with the
// empty ID, which has no requests: it is locked by whoever adds calls, and names the batches that
// were added last.
package callers

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/authcompat/authcompat/core/callers"
	"github.com/authcompat/authcompat/store/internal/record"
)

// Querier reads.
type Querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// Access is how the calls of a Store reach the table.
type Access struct {
	// Table is its name in statements, and Bind replaces the parameters ? of a statement with those
	// of the database.
	Table string
	Bind  func(statement string) string
	// Read runs do, perhaps again, unless there is no table yet; Write runs it in one
	// transaction, which may be tried again, and makes the table.
	Read  func(ctx context.Context, do func(context.Context, Querier) error) error
	Write func(ctx context.Context, do func(context.Context, *sql.Tx) error) error
	// Unencodable is the error of texts that the database's encoding does not have; nil: it has all.
	Unencodable error
}

// Store is a [callers.Store].
type Store struct{ Access }

// New makes a Store.
func New(a Access) *Store {
	bind := a.Bind
	a.Bind = func(statement string) string { return bind(strings.ReplaceAll(statement, "@callers", a.Table)) }
	return &Store{a}
}

// PositionalParameters replaces the parameters ? of a statement with $1, $2 …
func PositionalParameters(statement string) string {
	var out strings.Builder
	for i, part := range strings.Split(statement, "?") {
		if i > 0 {
			out.WriteString("$" + strconv.Itoa(i))
		}
		out.WriteString(part)
	}
	return out.String()
}

// maxBatches is how many of the last batches of a day are known.
const maxBatches = 64

// maxParameters is how many IDs are looked up at a time, and rows written.
const maxParameters = 200

// AddCalls implements [callers.Store].
func (s *Store) AddCalls(ctx context.Context, batch string, calls []callers.Calls) error {
	days := byDay(calls)
	add := func(ctx context.Context) error {
		return s.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
			for _, day := range days {
				if err := s.addDay(ctx, tx, batch, day); err != nil {
					return fmt.Errorf("add calls: %w", err)
				}
			}
			return nil
		})
	}
	err := add(ctx)
	if s.Unencodable != nil && errors.Is(err, s.Unencodable) { // which it would be each time
		calls = slices.Clone(calls)
		for i := range calls {
			escape(&calls[i].Caller)
		}
		days = byDay(calls)
		err = add(ctx)
	}
	return err
}

// escape leaves nothing in a caller that an encoding may not have. The names of users are from the
// database.
func escape(c *callers.Caller) {
	for _, text := range []*string{&c.Endpoint, &c.Agent} {
		quoted := strconv.QuoteToASCII(*text)
		*text = strings.ReplaceAll(quoted[1:len(quoted)-1], `\"`, `"`)
	}
}

// daily are the calls of a day, one for each ID.
type daily struct {
	day   callers.Day
	calls map[string]callers.Calls
}

// byDay returns the calls by their days, in order: who locks several locks them in the same order.
func byDay(calls []callers.Calls) (days []daily) {
	all := make(map[callers.Day]map[string]callers.Calls)
	for _, c := range calls {
		if all[c.Day] == nil {
			all[c.Day] = make(map[string]callers.Calls)
			days = append(days, daily{c.Day, all[c.Day]})
		}
		merge(all[c.Day], c)
	}
	slices.SortFunc(days, func(a, b daily) int { return int(a.day - b.day) })
	return days
}

// merge adds calls to those of the same caller.
func merge(into map[string]callers.Calls, c callers.Calls) {
	id := c.ID()
	sum, ok := into[id]
	if !ok {
		into[id] = c
		return
	}
	sum.Add(c)
	into[id] = sum
}

// addDay adds the calls of a day, unless the batch was added before.
func (s *Store) addDay(ctx context.Context, tx *sql.Tx, batch string, d daily) error {
	batches, err := s.lock(ctx, tx, d.day)
	if err != nil || slices.Contains(batches, batch) {
		return err
	}
	known, room, err := s.kept(ctx, tx, d)
	if err != nil {
		return err
	}
	fitting := make(map[string]callers.Calls)
	// In a fixed order, so that it does not hang on luck who finds room.
	for _, id := range sortedIDs(d.calls) {
		c := d.calls[id]
		if !known[id] && !room.Take(c.Caller) {
			c.Caller = c.AsOther()
		}
		merge(fitting, c)
	}
	if err := s.upsert(ctx, tx, d.day, fitting); err != nil {
		return err
	}
	batches = append(batches, batch)
	batches = batches[max(0, len(batches)-maxBatches):]
	_, err = tx.ExecContext(ctx, s.Bind(`UPDATE @callers SET agent = ? WHERE day = ? AND id = ''`), strings.Join(batches, " "), int64(d.day))
	return err
}

func sortedIDs(calls map[string]callers.Calls) []string {
	ids := make([]string, 0, len(calls))
	for id := range calls {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}

// lock keeps others from adding calls of a day until the transaction ends, and returns the batches
// that were added last.
func (s *Store) lock(ctx context.Context, tx *sql.Tx, day callers.Day) (batches []string, err error) {
	if _, err := tx.ExecContext(ctx, s.Bind(`INSERT INTO @callers AS c (day, id, profile, endpoint, username, client, agent, other, requests, refused, first_at, last_at)
		VALUES (?, '', '', '', '', '', '', 0, 0, 0, 0, 0) ON CONFLICT (day, id) DO UPDATE SET requests = 0`), int64(day)); err != nil {
		return nil, err
	}
	var text string
	err = tx.QueryRowContext(ctx, s.Bind(`SELECT agent FROM @callers WHERE day = ? AND id = ''`), int64(day)).Scan(&text)
	return strings.Fields(text), err
}

// kept returns which of the callers are kept already, and the room for others.
func (s *Store) kept(ctx context.Context, tx *sql.Tx, d daily) (known map[string]bool, room callers.Room, err error) {
	err = tx.QueryRowContext(ctx, s.Bind(`SELECT COUNT(*), COUNT(CASE WHEN username = '' THEN 1 END)
		FROM @callers WHERE day = ? AND requests > 0 AND other = 0`), int64(d.day)).Scan(&room.Kept, &room.Anonymous)
	known = make(map[string]bool)
	for ids := range slices.Chunk(sortedIDs(d.calls), maxParameters) {
		if err != nil {
			return nil, room, err
		}
		args := []any{int64(d.day)}
		for _, id := range ids {
			args = append(args, id)
		}
		err = query(ctx, tx, s.Bind(`SELECT id FROM @callers WHERE day = ? AND id IN (?`+strings.Repeat(", ?", len(ids)-1)+`)`), args, func(rows *sql.Rows) error {
			var id string
			err := rows.Scan(&id)
			known[id] = true
			return err
		})
	}
	return known, room, err
}

// upsert adds the calls, by their IDs.
func (s *Store) upsert(ctx context.Context, tx *sql.Tx, day callers.Day, calls map[string]callers.Calls) error {
	const values = `(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`
	for ids := range slices.Chunk(sortedIDs(calls), maxParameters) {
		var args []any
		for _, id := range ids {
			c, other := calls[id], 0
			if c.Other {
				other = 1
			}
			args = append(args, int64(day), id, c.Profile, c.Endpoint, c.User, c.Client, c.Agent, other, c.Requests, c.Refused, c.First.UnixMicro(), c.Last.UnixMicro())
		}
		if _, err := tx.ExecContext(ctx, s.Bind(`INSERT INTO @callers AS c (day, id, profile, endpoint, username, client, agent, other, requests, refused, first_at, last_at)
			VALUES `+values+strings.Repeat(", "+values, len(ids)-1)+`
			ON CONFLICT (day, id) DO UPDATE SET requests = c.requests + excluded.requests, refused = c.refused + excluded.refused,
				first_at = CASE WHEN excluded.first_at < c.first_at THEN excluded.first_at ELSE c.first_at END,
				last_at = CASE WHEN excluded.last_at > c.last_at THEN excluded.last_at ELSE c.last_at END`), args...); err != nil {
			return err
		}
	}
	return nil
}

// columns are what callers are told apart by in a dimension.
func columns(by callers.Dimension) string {
	all := []string{"endpoint", "username", "client", "agent", "other"}
	for i, column := range []callers.Dimension{callers.ByEndpoint, callers.ByUser, callers.ByClient, callers.ByAgent} {
		if by != callers.ByAll && by != column {
			all[i] = "'' AS " + all[i]
		}
	}
	if by == callers.ByEndpoint {
		all[4] = "0 AS other" // the endpoint of others is known
	}
	return strings.Join(all, ", ")
}

// SumCalls implements [callers.Store].
func (s *Store) SumCalls(ctx context.Context, f callers.Filter, by callers.Dimension) (all []callers.Calls, err error) {
	statement := `SELECT profile, endpoint, username, client, agent, other, CAST(SUM(requests) AS BIGINT), CAST(SUM(refused) AS BIGINT), MIN(first_at), MAX(last_at)
		FROM (SELECT profile, ` + columns(by) + `, requests, refused, first_at, last_at FROM @callers WHERE requests > 0 AND day >= ?`
	args := []any{int64(f.Since)}
	if f.Profile != "" {
		statement, args = statement+` AND profile = ?`, append(args, f.Profile)
	}
	statement += `) AS c GROUP BY profile, endpoint, username, client, agent, other`
	if f.Limit > 0 {
		statement, args = statement+` ORDER BY SUM(requests) DESC, profile, endpoint, username, client, agent LIMIT ?`, append(args, f.Limit)
	}
	err = s.Read(ctx, func(ctx context.Context, q Querier) error {
		all = nil
		return query(ctx, q, s.Bind(statement), args, func(rows *sql.Rows) error {
			var c callers.Calls
			var other, first, last int64
			err := rows.Scan(&c.Profile, &c.Endpoint, &c.User, &c.Client, &c.Agent, &other, &c.Requests, &c.Refused, &first, &last)
			c.Other, c.First, c.Last = other == 1, record.Time(first), record.Time(last)
			all = append(all, c)
			return err
		})
	})
	if err != nil {
		return nil, fmt.Errorf("sum calls: %w", err)
	}
	slices.SortFunc(all, callers.Compare) // databases have orders of text of their own
	return all, nil
}

// query runs a query and calls do for each row.
func query(ctx context.Context, q Querier, statement string, args []any, do func(*sql.Rows) error) error {
	rows, err := q.QueryContext(ctx, statement, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := do(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// PurgeCalls implements [callers.Store].
func (s *Store) PurgeCalls(ctx context.Context, before callers.Day, limit int) (n int, err error) {
	there := false
	if err := s.Read(ctx, func(context.Context, Querier) error { there = true; return nil }); err != nil || !there {
		return 0, err
	}
	err = s.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		gone, err := record.Affected(tx.ExecContext(ctx, s.Bind(`DELETE FROM @callers WHERE (day, id) IN (SELECT day, id FROM @callers WHERE day < ? LIMIT ?)`), int64(before), limit))
		n = int(gone)
		if err != nil {
			return fmt.Errorf("purge calls: %w", err)
		}
		return nil
	})
	return n, err
}
