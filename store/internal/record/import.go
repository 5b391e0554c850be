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

// Checkpoint returns the import's checkpoint. It fails if the tables are not a JSON
// list of strings.
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

// Core converts the row to the engine's type.
func (r UserLink) Core() transfer.UserLink {
	l := transfer.UserLink{UserID: r.UserID, Source: r.Source, Key: r.Key.String, Fingerprint: r.Mark, Rehashed: r.Rehashed}
	if !r.Key.Valid {
		l.Key = strconv.FormatInt(r.UserID, 10)
	}
	return l
}

// KeyColumn returns the column key of a user with this key in the source.
func KeyColumn(userID int64, key string) sql.NullString {
	return sql.NullString{String: key, Valid: key != strconv.FormatInt(userID, 10)}
}

// NumericKeys returns the keys that may be IDs.
func NumericKeys(keys []string) []int64 {
	var ids []int64
	for _, key := range keys {
		if id, err := strconv.ParseInt(key, 10, 64); err == nil && strconv.FormatInt(id, 10) == key {
			ids = append(ids, id)
		}
	}
	return ids
}

// Reach limits look-ups by ID: no row has an ID above it. For a source that is read in
// the order of its IDs, it makes most look-ups unnecessary.
type Reach struct {
	Users, Links, Deleted int64
	Keyed                 bool // some keys of the source are not IDs here
}

// UpTo returns the IDs up to last.
func UpTo(ids []int64, last int64) []int64 {
	var within []int64
	for _, id := range ids {
		if id <= last {
			within = append(within, id)
		}
	}
	return within
}

// Span is a range of IDs most of which a batch asks for: reading all of them is faster
// than looking up each.
type Span struct {
	From, To int64
	Whole    bool // the batch asks for each ID of the range
	asked    []bool
}

// minSpan is the smallest number of IDs that are read as a range.
const minSpan = 100

// SpanOf returns the range of the IDs; ok is false unless they are many and close
// together.
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
	s.Whole = distinct == len(s.asked)
	return s, s.To-s.From < 2*int64(distinct)
}

// Part returns the range of the IDs that belong to the rows from up to to, of n that are
// spread evenly. The parts of all rows make up the whole range.
func (s Span) Part(from, to, n int) Span {
	ids := s.To - s.From + 1
	return Span{From: s.From + ids*int64(from)/int64(n), To: s.From + ids*int64(to)/int64(n) - 1}
}

// Asked reports whether the batch asks for an ID of the range.
func (s Span) Asked(id int64) bool { return s.asked[id-s.From] }

// UserIDs returns the user IDs of links.
func UserIDs(links []transfer.UserLink) []int64 {
	ids := make([]int64, len(links))
	for i, l := range links {
		ids[i] = l.UserID
	}
	return ids
}
