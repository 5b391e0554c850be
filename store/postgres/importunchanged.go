package postgres

import (
	"bytes"
	"context"
	"encoding/binary"
	"math"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/transfer"
	"github.com/authcompat/authcompat/store/internal/record"
	"github.com/jmoiron/sqlx"
)

// In a later run, most rows are here as the source has them. They are compared in the form that costs the server and this
// program least: a user as one text, the links of many users and many tokens as one value. No statement joins tables,
// since PostgreSQL has no statistics of them right after an import, and would look up each row.

// changedUsers returns the places of the users who are not known to be unchanged, and the facts that decide about
// them, as userFacts does.
func (s *Store) changedUsers(ctx context.Context, tx *sqlx.Tx, source int64, users []transfer.ImportedUser, skipped *atomic.Bool) (places []int, facts transfer.ImportFacts, err error) {
	unchanged, ascending := make([]bool, len(users)), record.Ascend(users)
	facts, err = s.inHalves(ctx, tx, len(users), func(q sqlx.QueryerContext, from, to int) (facts transfer.ImportFacts, err error) {
		others := users[from:to]
		r, err := s.reachOf(ctx, q, source)
		if err != nil {
			return facts, err
		}
		guess := skipped
		if ascending && others[0].ID <= r.Links {
			if others, err = s.unchangedUsers(ctx, q, source, others, unchanged[from:to]); err != nil || len(others) == 0 {
				return facts, err
			}
			if len(others) < to-from {
				guess = nil // these are not all new
			}
		}
		return s.userFacts(ctx, q, r, source, others, guess)
	})
	places = make([]int, 0, len(users))
	for i, known := range unchanged {
		if !known {
			places = append(places, i)
		}
	}
	return places, facts, err
}

// markSize is the length of the mark in the link of a user.
const markSize = 32

// selectMarks returns, as one value, the ids of the users who have their key at the source as their ID here, and whose
// password was not hashed again, each followed by the mark.
const selectMarks = `
	SELECT string_agg(int8send(user_id) || mark, '') FROM @imported_users
	WHERE source = $1 AND key IS NULL AND rehashed IS NULL AND length(mark) = 32 AND user_id BETWEEN $2 AND $3`

// selectTexts returns users as appendUser writes them.
const selectTexts = `
	SELECT concat_ws(chr(1), id, username, email, password_hash, active, created_at, coalesce(last_login::text, ''), coalesce(attributes, 'null'))
	FROM @users WHERE id BETWEEN $1 AND $2`

// unchangedUsers notes which users of a batch, or of a part of it, are here as the source has them, as are their
// links to it: with them there is nothing to do, whatever becomes of the others, which it returns. The users ascend.
func (s *Store) unchangedUsers(ctx context.Context, q sqlx.QueryerContext, source int64, users []transfer.ImportedUser, unchanged []bool) (others []transfer.ImportedUser, err error) {
	first, last := users[0].ID, users[len(users)-1].ID
	if last-first > 4*int64(len(users))+100 {
		return users, nil // the range of their IDs has many others
	}
	marked, err := s.markedUsers(ctx, q, source, users)
	if err != nil {
		return nil, err
	}
	rows, err := q.QueryxContext(ctx, s.qualify(selectTexts), first, last)
	if err != nil {
		return nil, wrap("select users", err)
	}
	defer rows.Close()
	var row []byte
	same := 0
	for rows.Next() {
		var here string
		if err := rows.Scan(&here); err != nil {
			return nil, wrap("select users", err)
		}
		text, _, _ := strings.Cut(here, separator)
		id, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return nil, wrap("select users", err)
		}
		i := marked[id-first] - 1
		if i < 0 {
			continue
		}
		var distinct bool
		if row, distinct = appendUser(row[:0], users[i]); distinct && string(row) == here {
			unchanged[i], same = true, same+1
		}
	}
	if err := rows.Err(); err != nil {
		return nil, wrap("select users", err)
	}
	return record.Others(users, unchanged, same), nil
}

// markedUsers returns, by the distance of its ID from the first one's, 1 + the place of each of the users whose link to
// the source is as it would be written, and who would remain if its row is, too.
func (s *Store) markedUsers(ctx context.Context, q sqlx.QueryerContext, source int64, users []transfer.ImportedUser) ([]int32, error) {
	first, last := users[0].ID, users[len(users)-1].ID
	var marks []byte
	if err := sqlx.GetContext(ctx, q, &marks, s.qualify(selectMarks), source, first, last); err != nil {
		return nil, wrap("select imported users", err)
	}
	at := make([]int32, last-first+1)
	for i, u := range users {
		at[u.ID-first] = int32(i) + 1
	}
	marked := make([]int32, len(at))
	for ; len(marks) >= 8+markSize; marks = marks[8+markSize:] {
		distance := int64(binary.BigEndian.Uint64(marks)) - first
		place := at[distance]
		if place == 0 {
			continue
		}
		u := users[place-1]
		if u.Fingerprint == nil {
			u.Fingerprint = transfer.UserFingerprint(u.Account)
		}
		if bytes.Equal(u.Fingerprint, marks[8:8+markSize]) && record.Remains(source, u) {
			marked[distance] = place
		}
	}
	return marked, nil
}

// separator is between the columns of a user's text.
const separator = "\x01"

// appendUser appends a user's row in the form in which selectTexts returns it. distinct is false if another row could
// have the same form.
func appendUser(row []byte, u transfer.ImportedUser) (_ []byte, distinct bool) {
	attributes, err := record.EncodeAttributes(u.Attributes)
	if err != nil {
		return row, false
	}
	row = append(strconv.AppendInt(row, u.ID, 10), separator...)
	row = append(append(row, u.Username...), separator...)
	row = append(append(row, u.Email...), separator...)
	row = append(append(row, u.PasswordHash...), separator...)
	if bytes.Count(row, []byte(separator)) != 4 {
		return row, false
	}
	active := byte('f')
	if u.Active {
		active = 't'
	}
	row = append(append(row, active), separator...)
	row = append(strconv.AppendInt(row, u.CreatedAt.UnixMicro(), 10), separator...)
	if !u.LastLogin.IsZero() {
		row = strconv.AppendInt(row, u.LastLogin.UnixMicro(), 10)
	}
	if row = append(row, separator...); attributes.Valid {
		return append(row, attributes.String...), true
	}
	return append(row, "null"...), true
}

// seeUnchanged marks tokens as seen that are here as the source has them: with them there is nothing else to do,
// whatever becomes of the others. It returns the others, and their places among the tokens.
func (s *Store) seeUnchanged(ctx context.Context, tx *sqlx.Tx, checkpoint transfer.Checkpoint, tokens []transfer.ImportedToken, digests []core.Digest) (others []transfer.ImportedToken, places []int, err error) {
	all := make([]int, len(tokens))
	users := make([]int64, len(tokens))
	for i, t := range tokens {
		all[i], users[i] = i, t.UserID
	}
	span, near := record.SpanOf(users)
	if !near || len(digests) < len(tokens) { // of two with one digest, the first decides about the second
		return tokens, all, nil
	}
	if first, err := s.firstRun(ctx, tx, checkpoint); first || err != nil {
		return tokens, all, err // a first run marks none
	}
	twins, gone, err := s.rareTokens(ctx, tx)
	if twins || err != nil {
		return tokens, all, err
	}
	from := `FROM @tokens t WHERE user_id BETWEEN $1 AND $2 AND source = $3 AND origin = $4 AND length(digest) = 32`
	if gone {
		from += ` AND NOT EXISTS (SELECT 1 FROM @imported_tokens g WHERE g.digest = t.digest)`
	}
	unchanged := make([]bool, len(tokens))
	var here atomic.Int64
	if _, err := s.inHalves(ctx, tx, len(tokens), func(q sqlx.QueryerContext, first, last int) (none transfer.ImportFacts, err error) {
		part := span.Part(first, last, len(tokens))
		var found []byte
		// Those of users who have very many are left to a look-up of their digests: one too many says that there are more.
		if err := sqlx.GetContext(ctx, q, &found, s.qualify(`SELECT string_agg(token, '') FROM (
			SELECT int8send(user_id) || int8send(coalesce(expires_at, $5)) || digest AS token `+from+` LIMIT $6) AS tokens`),
			part.From, part.To, checkpoint.Source, checkpoint.Stage, never, max(2*(last-first), len(tokens)+1)); err != nil {
			return none, wrap("select tokens", err)
		}
		here.Add(int64(len(found) / tokenSize))
		noteUnchanged(found, tokens, first, unchanged)
		return none, nil
	}); err != nil {
		return nil, nil, err
	}
	var seen []core.Digest
	for i, t := range tokens {
		if unchanged[i] {
			seen = append(record.Room(seen, len(tokens)), t.Digest)
		} else {
			others, places = append(others, t), append(places, i)
		}
	}
	if len(others) == 0 && here.Load() == int64(len(tokens)) {
		// They are all that these users have from there; what an export adds meanwhile is not for this run to end.
		_, err := tx.ExecContext(ctx, s.qualify(`INSERT INTO @import_seen (source, run, digest) SELECT $3, $5::bigint, digest `+from),
			span.From, span.To, checkpoint.Source, checkpoint.Stage, checkpoint.Run)
		return nil, nil, wrap("keep seen tokens", err)
	}
	return others, places, s.keepSeen(ctx, tx, checkpoint, seen)
}

// rareTokens reports whether any token has a twin, and whether there are links of deleted tokens.
func (s *Store) rareTokens(ctx context.Context, q sqlx.QueryerContext) (twins, gone bool, err error) {
	// With ORDER BY, PostgreSQL uses the index, which is small.
	err = q.QueryRowxContext(ctx, s.qualify(`
		SELECT (SELECT twin FROM @tokens WHERE twin IS NOT NULL ORDER BY twin LIMIT 1) IS NOT NULL, EXISTS (SELECT 1 FROM @imported_tokens)`)).Scan(&twins, &gone)
	return twins, gone, wrap("select tokens", err)
}

const (
	// never is the expiry, in microseconds since 1970, of a token that has none: nothing is later.
	never = math.MaxInt64
	// tokenSize is the length of a token as seeUnchanged reads it: its user, expiry and digest.
	tokenSize = 8 + 8 + 32
)

// noteUnchanged notes which tokens are among those found as the source has them. These are probably in the same order, from
// the place next on.
func noteUnchanged(found []byte, tokens []transfer.ImportedToken, next int, unchanged []bool) {
	var places map[string]int // by digest; most runs need none
	for ; len(found) >= tokenSize; found = found[tokenSize:] {
		digest := found[16:tokenSize]
		if next == len(tokens) || !bytes.Equal(tokens[next].Digest, digest) {
			if places == nil {
				places = make(map[string]int, len(tokens))
				for i, t := range tokens {
					places[string(t.Digest)] = i
				}
			}
			at, ok := places[string(digest)]
			if !ok {
				continue
			}
			next = at
		}
		here := core.Token{Digest: digest, UserID: int64(binary.BigEndian.Uint64(found))}
		if expiry := int64(binary.BigEndian.Uint64(found[8:])); expiry != never {
			here.ExpiresAt = record.Time(expiry)
		}
		m := transfer.MergeToken(tokens[next], transfer.TokenState{Existing: &here, Linked: true})
		unchanged[next] = m.Result == transfer.ImportResult{Outcome: transfer.ImportUnchanged}
		next++
	}
}
