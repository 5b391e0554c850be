package record

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"

	"github.com/authcompat/authcompat/core/transfer"
)

// Import is a row of imports.
type Import struct {
	ID                              int64
	Run                             int64
	Options, Stage, Reached, Tables string
}

// Checkpoint returns where the run stands. The error is of tables that are no JSON list of
// texts.
func (r Import) Checkpoint() (transfer.Checkpoint, error) {
	place := transfer.Checkpoint{Source: r.ID, Run: r.Run, Options: r.Options, Stage: r.Stage, Cursor: r.Reached}
	if err := json.Unmarshal([]byte(r.Tables), &place.Tables); err != nil {
		return place, fmt.Errorf("tables of import %d are not a list of texts: %w", r.ID, err)
	}
	return place, nil
}

// UserLink is a row of imported_users.
type UserLink struct {
	UserID   int64 `db:"user_id"`
	Source   int64
	Key      sql.NullString
	Mark     []byte
	Rehashed []byte
}

// Core returns the row as the engine knows it.
func (r UserLink) Core() transfer.UserLink {
	l := transfer.UserLink{UserID: r.UserID, Source: r.Source, Key: r.Key.String, Fingerprint: r.Mark, Rehashed: r.Rehashed}
	if !r.Key.Valid {
		l.Key = strconv.FormatInt(r.UserID, 10)
	}
	return l
}

// KeyColumn returns the column key for a user whom the source knows by a key.
func KeyColumn(userID int64, key string) sql.NullString {
	return sql.NullString{String: key, Valid: key != strconv.FormatInt(userID, 10)}
}

// NumericKeys returns the keys that may stand for an id.
func NumericKeys(keys []string) []int64 {
	var ids []int64
	for _, key := range keys {
		if id, err := strconv.ParseInt(key, 10, 64); err == nil && strconv.FormatInt(id, 10) == key {
			ids = append(ids, id)
		}
	}
	return ids
}

// Reach is how far ids go: nobody is here whose id is above it. In a source that is
// read in the order of its ids, most look-ups are not needed.
type Reach struct {
	Users, Links int64
	Keyed        bool // some keys of the source are none of ids here
}

// UpTo returns the ids that are not above last.
func UpTo(ids []int64, last int64) []int64 {
	var within []int64
	for _, id := range ids {
		if id <= last {
			within = append(within, id)
		}
	}
	return within
}

// Span is a range of ids, most of which a batch asks for: to read all of them is
// quicker than to look for each.
type Span struct {
	From, To int64
	asked    []bool
}

// minSpan is how many ids are looked for one by one at least.
const minSpan = 100

// SpanOf returns the range of ids that are many and close together.
func SpanOf(ids []int64) (s Span, ok bool) {
	if len(ids) < minSpan {
		return s, false
	}
	s.From, s.To = slices.Min(ids), slices.Max(ids)
	if s.From < 0 || s.To-s.From >= 2*int64(len(ids)) {
		return s, false
	}
	s.asked = make([]bool, s.To-s.From+1)
	distinct := 0
	for _, id := range ids {
		if !s.asked[id-s.From] {
			s.asked[id-s.From], distinct = true, distinct+1
		}
	}
	return s, s.To-s.From < 2*int64(distinct)
}

// Asked tells whether an id of the range is one of the batch.
func (s Span) Asked(id int64) bool { return s.asked[id-s.From] }

// UserIDs returns the users of links.
func UserIDs(links []transfer.UserLink) []int64 {
	ids := make([]int64, len(links))
	for i, l := range links {
		ids[i] = l.UserID
	}
	return ids
}
