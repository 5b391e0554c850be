package live

import (
	"bytes"
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/store/django/tables"
	"github.com/authcompat/authcompat/store/internal/pgconn"
	"github.com/authcompat/authcompat/store/internal/record"
)

// complete makes the engine's token of Django's row and that of the auxiliary table,
// whose columns are in the order of auxColumns.
func (l *layout) complete(p *pairRow, aux []sql.NullString) (err error) {
	p.token = core.Token{
		UserID: p.account.ID, Realm: core.DefaultRealm, CreatedAt: p.theirs.CreatedAt, ExpiresAt: p.theirs.Expires,
		Plaintext: core.Presented(p.theirs.Text), Digest: p.theirs.Digest,
	}
	if p.theirs.Text != "" {
		p.token.Digest = digestOfText(p.account.ID, p.theirs.Text)
	}
	if p.issued = aux[0].Valid; !p.issued {
		return nil
	}
	t := &p.token
	t.Realm, t.Issuer, t.SealKey = aux[1].String, aux[2].String, aux[7].String
	if t.Digest, err = hex.DecodeString(aux[0].String); err != nil {
		return fmt.Errorf("digest: %w", err)
	}
	if t.Sealed, err = base64.StdEncoding.DecodeString(aux[6].String); err != nil {
		return fmt.Errorf("sealed token: %w", err)
	}
	if len(t.Sealed) == 0 {
		t.Sealed = nil
	}
	var numbers [4]int64
	for i, column := range []int{3, 4, 5, 8} {
		if !aux[column].Valid {
			continue
		}
		if numbers[i], err = strconv.ParseInt(aux[column].String, 10, 64); err != nil {
			return err
		}
	}
	t.Sliding, t.Reusable, t.CreatedAt = time.Duration(numbers[1])*time.Microsecond, numbers[2] == 1, record.Time(numbers[3])
	// Where Django's table has the end, Django may have moved it.
	if l.tokens.Expiry == "" && aux[3].Valid {
		t.ExpiresAt = record.Time(numbers[0])
	}
	return nil
}

// digestOfText is the engine's name for a token that Django itself issued and keeps
// readable: its SHA-256, and its user, to find it by. Neither is secret.
func digestOfText(user int64, text string) core.Digest {
	return binary.BigEndian.AppendUint64(core.Presented(text).SHA256(), uint64(user))
}

// The lengths of digests: the engine's, and that of digestOfText. Knox's have another.
const (
	digestLength = 32
	textLength   = digestLength + 8
)

// FindToken implements [core.Store].
func (s *Store) FindToken(ctx context.Context, realm string, p core.Presented) (core.Token, core.User, error) {
	if _, _, ok := p.Prefixes(); !ok {
		return core.Token{}, core.User{}, core.ErrNotFound
	}
	var rows []pairRow
	err := s.read(ctx, func(ctx context.Context, l *layout) (err error) {
		value, column := l.presented(p)
		rows, err = l.findTokens(ctx, l.db, column+` = ?`, "", value)
		return err
	})
	if err != nil && !errors.Is(err, pgconn.ErrEncoding) {
		return core.Token{}, core.User{}, fmt.Errorf("select token: %w", err)
	}
	for _, row := range rows {
		if row.theirs.Text != string(p) && !row.theirs.Matches(p, row.theirs.Digest) || row.token.Realm != realm {
			continue
		}
		return row.token, row.account.User, nil
	}
	return core.Token{}, core.User{}, core.ErrNotFound
}

// presented returns the column by which a token that is presented is found, and its value.
func (l *layout) presented(p core.Presented) (value, column string) {
	short, long, _ := p.Prefixes()
	switch l.tokens.Format {
	case core.Authtoken:
		return string(p), `k."key"`
	case core.Knox5:
		return long, `k."token_key"`
	}
	return short, `k."token_key"`
}

// IssueToken implements [core.Store]. Where Django's table has one token per user, it
// fails for a user who has one.
func (s *Store) IssueToken(ctx context.Context, t core.Token, passwordHash string, limit int, audit *core.AuditEntry) error {
	return s.writeAudited(ctx, audit, func(ctx context.Context, tx *sql.Tx, l *layout) error {
		if limit > 0 || len(t.By) > 0 {
			if err := l.readCommitted(ctx, tx); err != nil {
				return err
			}
		}
		if err := l.mayHaveToken(ctx, tx, t, passwordHash); err != nil {
			return err
		}
		if limit > 0 {
			live, err := l.countLive(ctx, tx, t.UserID, t.Realm, t.CreatedAt)
			if err != nil {
				return err
			}
			if live >= limit {
				return core.ErrTokenLimit
			}
		}
		return l.addToken(ctx, tx, t)
	})
}

// countLive counts the user's tokens in a realm that expire after now, whoever issued them.
func (l *layout) countLive(ctx context.Context, tx *sql.Tx, userID int64, realm string, now time.Time) (n int, err error) {
	rows, err := l.findTokens(ctx, tx, `k.user_id = ?`, "", userID)
	if err != nil {
		return 0, fmt.Errorf("count tokens: %w", err)
	}
	for _, row := range rows {
		if row.token.Realm == realm && row.token.ExpiresAt.After(now) {
			n++
		}
	}
	return n, nil
}

// ReuseToken implements [core.Store]. Where Django's table has one token per user, it
// returns that one, whoever issued it, as get_or_create does in
// rest_framework/authtoken/views.py 3.14; an expired one is replaced by the fresh one.
func (s *Store) ReuseToken(ctx context.Context, fresh core.Token, passwordHash string, now time.Time, audit *core.AuditEntry) (token core.Token, err error) {
	err = s.writeAudited(ctx, audit, func(ctx context.Context, tx *sql.Tx, l *layout) error {
		if len(fresh.By) > 0 {
			if err := l.readCommitted(ctx, tx); err != nil {
				return err
			}
		}
		if err := l.mayHaveToken(ctx, tx, fresh, passwordHash); err != nil {
			return err
		}
		rows, err := l.findTokens(ctx, tx, `k.user_id = ?`, "", fresh.UserID)
		if err != nil {
			return fmt.Errorf("select tokens: %w", err)
		}
		for _, row := range rows {
			mine := row.token.Reusable && row.token.Realm == fresh.Realm && row.token.Issuer == fresh.Issuer
			switch {
			case !l.SingleTokenPerUser() && !mine:
			case !row.token.Expired(now):
				token = row.token
				token.Reusable = true
				if audit != nil {
					audit.Token = core.TokenID(token.Digest)
				}
				return l.slide(ctx, tx, row, &token, fresh)
			case !l.SingleTokenPerUser():
				if _, err := tx.ExecContext(ctx, l.sql(`UPDATE authcompat_tokens SET reusable = 0 WHERE token = ?`), row.key); err != nil {
					return fmt.Errorf("retire token: %w", err)
				}
			}
		}
		if l.SingleTokenPerUser() {
			// Also one that can't be read, since the fresh one needs its place.
			if _, err := tx.ExecContext(ctx, l.sql(`DELETE FROM `+l.django.TableName(l.tokens.Table)+` WHERE user_id = ?`), fresh.UserID); err != nil {
				return fmt.Errorf("delete token: %w", err)
			}
		}
		token = fresh
		token.CreatedAt = fresh.CreatedAt.UTC()
		return l.addToken(ctx, tx, fresh)
	})
	if err != nil {
		return core.Token{}, err
	}
	return token, nil
}

// slide extends a live token to fresh's expiry, if fresh slides and that is later.
func (l *layout) slide(ctx context.Context, tx *sql.Tx, row pairRow, live *core.Token, fresh core.Token) error {
	if fresh.Sliding == 0 || live.ExpiresAt.IsZero() || !fresh.ExpiresAt.After(live.ExpiresAt) {
		return nil
	}
	live.ExpiresAt = fresh.ExpiresAt
	return l.setExpiry(ctx, tx, row.key, fresh.ExpiresAt)
}

// setExpiry sets when a token expires: in Django's table if it has such a column.
func (l *layout) setExpiry(ctx context.Context, tx *sql.Tx, key string, to time.Time) error {
	statement, end := `UPDATE authcompat_tokens SET expires_at = ? WHERE token = ?`, any(to.UnixMicro())
	if l.tokens.Expiry != "" {
		statement = `UPDATE ` + l.django.TableName(l.tokens.Table) + ` SET ` + l.django.Quote(l.tokens.Expiry) + ` = ? WHERE ` + l.django.Quote(l.tokens.IDColumn()) + ` = ?`
		end = l.django.Encode(to, l.decoder.Zone)
	}
	if _, err := tx.ExecContext(ctx, l.sql(statement), end, key); err != nil {
		return fmt.Errorf("move expiry: %w", err)
	}
	return nil
}

// maxStale is how many auxiliary rows of a user are looked at for those whose tokens Django has deleted: a user may have
// any number of tokens, and at each login one row is added. The others do no harm.
const maxStale = 100

// deleteStale returns the statement that deletes them. Its two parameters are the user's ID. PostgreSQL finds the first
// rows by the index, in whose order they come, and compares none with all of the user's tokens, which takes the square of
// their number where they don't fit in its work_mem.
func (l *layout) deleteStale() string {
	return `DELETE FROM authcompat_tokens WHERE token IN (
		SELECT o.token FROM (SELECT token FROM authcompat_tokens WHERE user_id >= ? AND user_id <= ? ORDER BY user_id LIMIT ` + strconv.Itoa(maxStale) + `) o
		WHERE NOT EXISTS (SELECT 1 FROM ` + l.django.TableName(l.tokens.Table) + ` k WHERE k.` + l.django.Quote(l.tokens.IDColumn()) + ` = o.token))`
}

// addToken inserts Django's row of a token and that of the auxiliary table. It deletes
// auxiliary rows of the user whose tokens Django has deleted.
func (l *layout) addToken(ctx context.Context, tx *sql.Tx, t core.Token) error {
	if t.Plaintext == "" {
		return errors.New("a token without its text can't be kept in Django's tables")
	}
	theirs := tables.Token{Text: string(t.Plaintext), Owner: strconv.FormatInt(t.UserID, 10), CreatedAt: t.CreatedAt, Expires: t.ExpiresAt}
	key := theirs.Text
	if l.tokens.Format != core.Authtoken {
		form, err := core.NewLegacy(l.tokens.Format, rand.Reader, theirs.Text)
		if err != nil {
			return err
		}
		theirs.Legacy, theirs.Digest = form, form.Digest
		key = hex.EncodeToString(form.Digest)
	}
	if _, err := tx.ExecContext(ctx, l.sql(l.deleteStale()), t.UserID, t.UserID); err != nil {
		return fmt.Errorf("delete auxiliary rows: %w", err)
	}
	if err := l.django.Writer(tx, l.decoder).InsertToken(ctx, l.tokens, theirs); err != nil {
		return fmt.Errorf("insert token: %w", err)
	}
	var ends sql.NullInt64
	if !t.ExpiresAt.IsZero() {
		ends = sql.NullInt64{Int64: t.ExpiresAt.UnixMicro(), Valid: true}
	}
	reusable := 0
	if t.Reusable {
		reusable = 1
	}
	if _, err := tx.ExecContext(ctx, l.sql(`
		INSERT INTO authcompat_tokens (digest, token, user_id, realm, issuer, expires_at, sliding, reusable, sealed, seal_key, created_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`), hex.EncodeToString(t.Digest), key, t.UserID, t.Realm, t.Issuer, ends,
		t.Sliding.Microseconds(), reusable, base64.StdEncoding.EncodeToString(t.Sealed), t.SealKey, t.CreatedAt.UnixMicro()); err != nil {
		return fmt.Errorf("insert auxiliary row of token: %w", err)
	}
	return nil
}

// mayHaveToken locks the user's row and fails with core.ErrNotFound,
// core.ErrPasswordChanged, core.ErrUserInactive or core.ErrTokenEnded. It keeps when the user logged in, if t says so.
func (l *layout) mayHaveToken(ctx context.Context, tx *sql.Tx, t core.Token, passwordHash string) error {
	rows, err := l.find(ctx, tx, `"users".`+l.django.Quote(l.decoder.Mapping.ID)+` = ?`, l.django.LockUsers(), t.UserID)
	switch {
	case err != nil:
		return fmt.Errorf("select user: %w", err)
	case len(rows) == 0:
		return core.ErrNotFound
	case passwordHash != "" && rows[0].account.PasswordHash != passwordHash:
		return core.ErrPasswordChanged
	case !rows[0].account.Active:
		return core.ErrUserInactive
	}
	if err := l.stillThere(ctx, tx, t.By); err != nil {
		return err
	}
	if !t.Login {
		return nil
	}
	return l.keepLogin(ctx, tx, t.UserID, t.CreatedAt)
}

// stillThere locks Django's row of the token by which another is issued, and fails with
// core.ErrTokenEnded if there is none.
func (l *layout) stillThere(ctx context.Context, tx *sql.Tx, by core.Digest) error {
	if len(by) == 0 {
		return nil
	}
	key, err := l.keyOfDigest(ctx, tx, by)
	if errors.Is(err, core.ErrNotFound) {
		return core.ErrTokenEnded
	}
	if err != nil {
		return err
	}
	rows, err := l.findTokens(ctx, tx, `k.`+l.django.Quote(l.tokens.IDColumn())+` = ?`, l.django.LockTokens(), key)
	if err != nil {
		return fmt.Errorf("select token: %w", err)
	}
	if len(rows) == 0 {
		return core.ErrTokenEnded
	}
	return nil
}

// loggedIn keeps the last login of a link, if it has one.
func (l *layout) loggedIn(ctx context.Context, tx *sql.Tx, userID int64, link *core.LinkUse) error {
	if !link.LogsIn() {
		return nil
	}
	return l.keepLogin(ctx, tx, userID, link.At)
}

// keepLogin keeps when a user last logged in, where users have a column for it.
func (l *layout) keepLogin(ctx context.Context, tx *sql.Tx, userID int64, at time.Time) error {
	if !l.shape.Users.Has("last_login") {
		return nil
	}
	if _, err := l.setColumn(ctx, tx, "last_login", l.django.Encode(at, l.decoder.Zone), userID, ``); err != nil {
		return fmt.Errorf("update last login: %w", err)
	}
	return nil
}

// keyOfDigest returns the primary key of Django's row of a token, or
// core.ErrNotFound.
func (l *layout) keyOfDigest(ctx context.Context, q querier, d core.Digest) (string, error) {
	switch len(d) {
	case digestLength:
		rows, err := q.QueryContext(ctx, l.sql(`SELECT token FROM authcompat_tokens WHERE digest = ?`), hex.EncodeToString(d))
		if err != nil {
			return "", fmt.Errorf("select token: %w", err)
		}
		defer rows.Close()
		var key string
		if rows.Next() {
			return key, rows.Scan(&key)
		}
		return "", errors.Join(core.ErrNotFound, rows.Err())
	case textLength:
		rows, err := l.findTokens(ctx, q, `k.user_id = ?`, "", int64(binary.BigEndian.Uint64(d[digestLength:])))
		if err != nil {
			return "", fmt.Errorf("select token: %w", err)
		}
		for _, row := range rows {
			if bytes.Equal(digestOfText(row.account.ID, row.theirs.Text), d) {
				return row.key, nil
			}
		}
		return "", core.ErrNotFound
	}
	return hex.EncodeToString(d), nil
}

// ExtendExpiry implements [core.Store].
func (s *Store) ExtendExpiry(ctx context.Context, d core.Digest, to, now time.Time) error {
	return s.write(ctx, func(ctx context.Context, tx *sql.Tx, l *layout) error {
		key, err := l.keyOfDigest(ctx, tx, d)
		if errors.Is(err, core.ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		rows, err := l.findTokens(ctx, tx, `k.`+l.django.Quote(l.tokens.IDColumn())+` = ?`, l.django.LockTokens(), key)
		if err != nil {
			return fmt.Errorf("select token: %w", err)
		}
		for _, row := range rows {
			if t := row.token; !t.ExpiresAt.IsZero() && !t.Expired(now) && to.After(t.ExpiresAt) {
				return l.setExpiry(ctx, tx, key, to)
			}
		}
		return nil
	})
}
