package sqlite

import (
	"bytes"
	"context"
	"encoding/hex"
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/transfer"
	"github.com/authcompat/authcompat/store/internal/record"
	"github.com/jmoiron/sqlx"
)

// In a later run, most rows are here as the source has them. Users are compared in one column, tokens by the database:
// each column that is read takes a fifth of a microsecond, as long as to find a user's row.

// changedUsers returns the places of the users who are not known to be unchanged, and the facts that decide about
// them.
func (s *Store) changedUsers(ctx context.Context, tx *sqlx.Tx, source int64, users []transfer.ImportedUser) (places []int, facts transfer.ImportFacts, err error) {
	unchanged, ascending := make([]bool, len(users)), record.Ascend(users)
	facts, err = s.inHalves(tx, len(users), func(q sqlx.QueryerContext, from, to int) (facts transfer.ImportFacts, err error) {
		others := users[from:to]
		if ascending {
			if others, err = unchangedUsers(ctx, q, source, others, unchanged[from:to]); err != nil || len(others) == 0 {
				return facts, err
			}
		}
		return userFacts(ctx, q, source, others)
	})
	for i, known := range unchanged {
		if !known {
			places = append(places, i)
		}
	}
	return places, facts, err
}

// unchangedUsers notes which users of a batch, or of a part of it, are here as the source has them, as are their
// links to it: with them there is nothing to do, whatever becomes of the others, which it returns. The users ascend.
func unchangedUsers(ctx context.Context, q sqlx.QueryerContext, source int64, users []transfer.ImportedUser, unchanged []bool) (others []transfer.ImportedUser, err error) {
	first, last := users[0].ID, users[len(users)-1].ID
	if last-first > 4*int64(len(users))+100 {
		return users, nil // the range of their IDs has many others
	}
	rows, err := q.QueryxContext(ctx, `
		SELECT user_id, username || char(0) || email || char(0) || password_hash || char(0) || active || ' ' || created_at || ' ' || ifnull(last_login, '')
			|| char(0) || ifnull(attributes, 'null') || char(0) || mark
		FROM imported_users JOIN users ON id = user_id WHERE source = ? AND key IS NULL AND rehashed IS NULL AND user_id BETWEEN ? AND ? ORDER BY user_id`,
		source, first, last)
	if err != nil {
		return nil, fmt.Errorf("select users: %w", err)
	}
	defer rows.Close()
	var row []byte
	same := 0
	for i := 0; rows.Next(); {
		var id int64
		var here string
		if err := rows.Scan(&id, &here); err != nil {
			return nil, fmt.Errorf("select users: %w", err)
		}
		for i < len(users) && users[i].ID < id {
			i++
		}
		if i == len(users) || users[i].ID != id {
			continue
		}
		u := users[i]
		if u.Fingerprint == nil {
			u.Fingerprint = transfer.UserFingerprint(u.Account)
		}
		var distinct bool
		if row, distinct = appendUser(row[:0], u); distinct && string(row) == here && record.Remains(source, u) {
			unchanged[i], same = true, same+1
		}
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("select users: %w", err)
	}
	return record.Others(users, unchanged, same), nil
}

// appendUser appends a user's row, and its link's mark, in the form in which unchangedUsers reads them. distinct is
// false if another row could have the same form.
func appendUser(row []byte, u transfer.ImportedUser) (_ []byte, distinct bool) {
	attributes, err := record.EncodeAttributes(u.Attributes)
	if err != nil {
		return row, false
	}
	row = append(append(append(append(row, u.Username...), 0), u.Email...), 0)
	row = append(append(row, u.PasswordHash...), 0)
	if bytes.Count(row, []byte{0}) != 3 {
		return row, false
	}
	active := byte('0')
	if u.Active {
		active = '1'
	}
	row = strconv.AppendInt(append(row, active, ' '), u.CreatedAt.UnixMicro(), 10)
	if row = append(row, ' '); !u.LastLogin.IsZero() {
		row = strconv.AppendInt(row, u.LastLogin.UnixMicro(), 10)
	}
	if row = append(row, 0); attributes.Valid {
		row = append(row, attributes.String...)
	} else {
		row = append(row, "null"...)
	}
	return append(append(row, 0), u.Fingerprint...), true
}

// seeUnchanged marks tokens as seen that are here as the source has them: with them there is nothing else to do,
// whatever becomes of the others. It returns the others, and their places among the tokens. Unless more than half of a
// sample is unchanged, these are all.
func seeUnchanged(ctx context.Context, tx *sqlx.Tx, checkpoint transfer.Checkpoint, tokens []transfer.ImportedToken, digests []core.Digest) (others []transfer.ImportedToken, places []int, err error) {
	all := make([]int, len(tokens))
	for i := range all {
		all[i] = i
	}
	if len(digests) < len(tokens) { // of two with one digest, the first decides about the second
		return tokens, all, nil
	}
	if first, err := firstRun(ctx, tx, checkpoint); first || err != nil {
		return tokens, all, err // a first run marks none
	}
	twins, gone, err := rareTokens(ctx, tx)
	if twins || err != nil {
		return tokens, all, err
	}
	from := ` FROM json_each(?1) AS list CROSS JOIN tokens AS t ON t.digest = unhex(list.key)
		AND t.user_id = substr(list.value, 21) AND t.source = ?2 AND t.origin = ?3
		AND (t.expires_at IS NULL OR t.expires_at >= CAST(substr(list.value, 1, 20) AS INTEGER))`
	if gone {
		from += ` AND NOT EXISTS (SELECT 1 FROM imported_tokens AS g WHERE g.digest = t.digest)`
	}
	sample, here := record.Sample(tokens), 0
	if err := tx.GetContext(ctx, &here, `SELECT count(*)`+from, tokenList(sample), checkpoint.Source, checkpoint.Stage); err != nil {
		return nil, nil, fmt.Errorf("select tokens: %w", err)
	}
	if 2*here <= len(sample) {
		return tokens, all, nil
	}
	list := tokenList(tokens)
	n, err := record.Affected(tx.ExecContext(ctx, `INSERT OR FAIL INTO import_seen (source, run, digest) SELECT ?2, ?4, t.digest`+from,
		list, checkpoint.Source, checkpoint.Stage, checkpoint.Run))
	if err != nil {
		return nil, nil, fmt.Errorf("keep seen tokens: %w", err)
	}
	if n == int64(len(tokens)) {
		return nil, nil, nil
	}
	var found [][]byte
	if err := tx.SelectContext(ctx, &found, `SELECT t.digest`+from, list, checkpoint.Source, checkpoint.Stage); err != nil {
		return nil, nil, fmt.Errorf("select tokens: %w", err)
	}
	unchanged := make(map[string]bool, len(found))
	for _, digest := range found {
		unchanged[string(digest)] = true
	}
	for i, t := range tokens {
		if !unchanged[string(t.Digest)] {
			others, places = append(others, t), append(places, i)
		}
	}
	return others, places, nil
}

// tokenList returns tokens as a JSON object for json_each: by digest, in hex, the earliest expiry of the token here
// with which it stays as it is, in 20 characters, and its user. They are sorted like the table, which makes SQLite faster.
func tokenList(tokens []transfer.ImportedToken) string {
	sorted := make([]*transfer.ImportedToken, len(tokens))
	for i := range tokens {
		sorted[i] = &tokens[i]
	}
	slices.SortFunc(sorted, func(a, b *transfer.ImportedToken) int { return bytes.Compare(a.Digest, b.Digest) })
	list := append(make([]byte, 0, 110*len(tokens)+2), '{')
	for i, t := range sorted {
		if i > 0 {
			list = append(list, ',')
		}
		list = append(hex.AppendEncode(append(list, '"'), t.Digest), `":"`...)
		list = fmt.Appendf(list, "%020d", earliest(*t))
		list = append(strconv.AppendInt(list, t.UserID, 10), '"')
	}
	return string(append(list, '}'))
}

// earliest returns the earliest expiry with which a token here is not extended to that of the source, in
// microseconds since 1970.
func earliest(in transfer.ImportedToken) int64 {
	if in.Undated || in.ExpiresAt.IsZero() {
		return math.MinInt64
	}
	micros := in.ExpiresAt.UnixMicro()
	if time.UnixMicro(micros).Before(in.ExpiresAt) {
		micros++
	}
	return micros
}
