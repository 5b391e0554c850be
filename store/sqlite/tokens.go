package sqlite

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/store/internal/driverrow"
	"github.com/authcompat/authcompat/store/internal/record"
	"github.com/authcompat/authcompat/store/sqlite/tokencache"
	"github.com/authcompat/authcompat/store/sqlite/walindex"
	"github.com/jmoiron/sqlx"
)

const insertToken = `
	INSERT INTO tokens (digest, user_id, realm, issuer, created_at, expires_at, sliding, reusable, sealed, seal_key,
	                    generation, prefix, salt, twin)
	VALUES (:digest, :user_id, :realm, :issuer, :created_at, :expires_at, :sliding, :reusable, :sealed, :seal_key,
	        :generation, :prefix, :salt, :twin)`

// selectReusable has the condition of the index tokens_reusable, so that it is a single
// look-up.
const selectReusable = `
	SELECT digest, user_id, realm, issuer, created_at, expires_at, sliding, reusable, sealed, seal_key
	FROM tokens WHERE user_id = ? AND realm = ? AND issuer = ? AND reusable = 1`

// selectToken is the cost of every API call: two look-ups by primary key.
const selectToken = `
	SELECT t.user_id, t.issuer, t.created_at, t.expires_at, t.sliding, t.reusable, t.sealed, t.seal_key,
	       u.username, u.email, u.active, u.attributes, u.created_at
	FROM tokens t JOIN users u ON u.id = t.user_id
	WHERE t.digest = ? AND t.realm = ?`

// moveExpiry does not change a token that never expires: NULL is neither later nor
// earlier than anything.
const moveExpiry = `
	UPDATE tokens SET expires_at = :to
	WHERE digest = :digest AND expires_at > :now AND expires_at < :to`

// countLive does not count tokens that never expire.
const countLive = `SELECT count(*) FROM tokens WHERE user_id = ? AND realm = ? AND expires_at > ?`

const (
	deleteToken      = `DELETE FROM tokens WHERE digest = ?`
	deleteUserTokens = `DELETE FROM tokens WHERE user_id = ? AND realm = ?`
)

// IssueToken implements [core.Store].
func (s *Store) IssueToken(ctx context.Context, t core.Token, passwordHash string, limit int, audit *core.AuditEntry) error {
	return s.writeAudited(ctx, audit, func(ctx context.Context, tx *sqlx.Tx) error {
		if err := mayHaveToken(ctx, tx, t, passwordHash); err != nil {
			return err
		}
		if limit > 0 {
			var live int
			if err := tx.GetContext(ctx, &live, countLive, t.UserID, t.Realm, t.CreatedAt.UnixMicro()); err != nil {
				return fmt.Errorf("count tokens: %w", err)
			}
			if live >= limit {
				return core.ErrTokenLimit
			}
		}
		return addToken(ctx, tx, t)
	})
}

// ReuseToken implements [core.Store].
func (s *Store) ReuseToken(ctx context.Context, fresh core.Token, passwordHash string, now time.Time, audit *core.AuditEntry) (token core.Token, err error) {
	err = s.writeAudited(ctx, audit, func(ctx context.Context, tx *sqlx.Tx) error {
		if err := mayHaveToken(ctx, tx, fresh, passwordHash); err != nil {
			return err
		}
		var row record.Token
		err := tx.GetContext(ctx, &row, selectReusable, fresh.UserID, fresh.Realm, fresh.Issuer)
		switch {
		case errors.Is(err, sql.ErrNoRows):
		case err != nil:
			return fmt.Errorf("select reusable token: %w", err)
		default:
			token = row.Core()
			if !token.Expired(now) {
				if audit != nil {
					audit.Token = core.TokenID(token.Digest)
				}
				return slide(ctx, tx, &token, fresh)
			}
			if _, err := tx.ExecContext(ctx, `UPDATE tokens SET reusable = 0 WHERE digest = ?`, row.Digest); err != nil {
				return fmt.Errorf("retire token: %w", err)
			}
		}
		token = record.OfToken(fresh).Core()
		return addToken(ctx, tx, fresh)
	})
	if err != nil {
		return core.Token{}, err
	}
	return token, nil
}

// slide extends the expiry of a live token to fresh's, if fresh slides and its expiry
// is later.
func slide(ctx context.Context, tx *sqlx.Tx, live *core.Token, fresh core.Token) error {
	if fresh.Sliding == 0 || live.ExpiresAt.IsZero() || !fresh.ExpiresAt.After(live.ExpiresAt) {
		return nil
	}
	to := fresh.ExpiresAt.UnixMicro()
	if _, err := tx.ExecContext(ctx, `UPDATE tokens SET expires_at = ? WHERE digest = ?`, to, []byte(live.Digest)); err != nil {
		return fmt.Errorf("move expiry: %w", err)
	}
	live.ExpiresAt = record.Time(to)
	return nil
}

// snapshot returns the header of the WAL-index if tokens may be cached under it, and those that are, if they are valid now.
func (s *Store) snapshot() (header walindex.Header, known *tokencache.Snapshot, cached bool) {
	header, cached = s.cache.Header()
	if cached && s.usable() {
		known = s.cache.Valid(&header)
	}
	return header, known, cached
}

// CachedToken implements [core.TokenCache].
func (s *Store) CachedToken(realm string, p core.Presented) (token core.Token, user core.User, ok bool) {
	_, known, _ := s.snapshot()
	if known == nil {
		return core.Token{}, core.User{}, false
	}
	digest := p.Sum()
	e, ok := known.Get(&digest, realm)
	if !ok {
		return core.Token{}, core.User{}, false
	}
	return e.Token, e.User, true
}

// FindToken implements [core.Store].
func (s *Store) FindToken(ctx context.Context, realm string, p core.Presented) (token core.Token, user core.User, err error) {
	if err := ctx.Err(); err != nil {
		return core.Token{}, core.User{}, err
	}
	digest := p.Sum()
	absent := false
	header, known, cached := s.snapshot()
	if known != nil {
		if e, ok := known.Get(&digest, realm); ok {
			return e.Token, e.User, nil
		}
		e := &tokencache.Entry{Digest: digest}
		found, err := s.readToken(e, realm)
		if found && err == nil {
			s.cache.Add(known, e)
			return e.Token, e.User, nil
		}
		absent = err == nil // an error, and that there is none, is for a reader to say, after a check of the files
	}
	if err := s.acquireReader(ctx); err != nil {
		return core.Token{}, core.User{}, err
	}
	defer s.releaseReader()
	ctx = context.WithoutCancel(ctx)
	if !cached {
		return s.queryToken(ctx, realm, p, digest)
	}
	if known = s.cache.Revalidate(ctx, &header, s.changes); known == nil {
		return s.queryToken(ctx, realm, p, digest)
	}
	if e, ok := known.Get(&digest, realm); ok {
		return e.Token, e.User, nil
	}
	if absent {
		token, user, err = s.findLegacy(ctx, realm, p)
	} else {
		token, user, err = s.queryToken(ctx, realm, p, digest)
	}
	if err == nil {
		s.cache.Add(known, &tokencache.Entry{Digest: digest, Token: token, User: user})
	}
	return token, user, err
}

// readToken reads a token directly, and reports whether there is one. It does not check whether the files at the store's path
// are those that were opened: like the cache, it is used while they were a moment ago, and since the header that says what
// is valid. Its connections have them open, and under that header read what the cache would have kept. It does check that the
// WAL-index, which SQLite has mapped, is whole.
func (s *Store) readToken(e *tokencache.Entry, realm string) (found bool, err error) {
	if index := s.cache.Index(); index == nil || !index.Intact() {
		return false, errIndexDamaged
	}
	return s.direct.Row([]driver.NamedValue{{Ordinal: 1, Value: e.Digest[:]}, {Ordinal: 2, Value: realm}}, func(row *driverrow.Row) (err error) {
		token, user := record.Token{Digest: e.Digest[:], Realm: realm}, record.Account{}
		if err := record.TakeFound(row, &token, &user); err != nil {
			return err
		}
		e.Token, e.User, err = withUser(token, user)
		return err
	})
}

// withUser converts the row of a token and that of its user.
func withUser(token record.Token, user record.Account) (core.Token, core.User, error) {
	user.ID = token.UserID
	account, err := user.Core()
	if err != nil {
		return core.Token{}, core.User{}, err
	}
	return token.Core(), account.User, nil
}

// queryToken reads a token from the database. The caller holds a reader slot.
func (s *Store) queryToken(ctx context.Context, realm string, p core.Presented, digest [sha256.Size]byte) (core.Token, core.User, error) {
	var (
		token = record.Token{Digest: digest[:], Realm: realm}
		user  record.Account
	)
	err := s.findToken.QueryRowContext(ctx, token.Digest, realm).Scan(
		&token.UserID, &token.Issuer, &token.CreatedAt, &token.ExpiresAt, &token.Sliding, &token.Reusable, &token.Sealed, &token.SealKey,
		&user.Username, &user.Email, &user.Active, &user.Attributes, &user.CreatedAt)
	if errors.Is(err, sql.ErrNoRows) {
		return s.findLegacy(ctx, realm, p)
	}
	if err != nil {
		return core.Token{}, core.User{}, s.explain(ctx, s.wait, fmt.Errorf("select token: %w", err))
	}
	return withUser(token, user)
}

// ExtendExpiry implements [core.Store].
func (s *Store) ExtendExpiry(ctx context.Context, d core.Digest, to, now time.Time) error {
	return s.write(ctx, func(ctx context.Context, tx *sqlx.Tx) error {
		_, err := tx.NamedExecContext(ctx, moveExpiry, map[string]any{
			"digest": []byte(d), "to": to.UnixMicro(), "now": now.UnixMicro(),
		})
		if err != nil {
			return fmt.Errorf("move expiry: %w", err)
		}
		return nil
	})
}

// DeleteToken implements [core.Store].
func (s *Store) DeleteToken(ctx context.Context, d core.Digest, audit *core.AuditEntry) error {
	return s.writeAudited(ctx, audit, func(ctx context.Context, tx *sqlx.Tx) error {
		n, err := record.Affected(tx.ExecContext(ctx, deleteToken, []byte(d)))
		if err != nil {
			return fmt.Errorf("delete token: %w", err)
		}
		if n == 0 {
			return core.ErrNotFound
		}
		return nil
	})
}

// DeleteUserTokens implements [core.Store].
func (s *Store) DeleteUserTokens(ctx context.Context, userID int64, realm string, audit *core.AuditEntry) (int, error) {
	var n int64
	err := s.writeAudited(ctx, audit, func(ctx context.Context, tx *sqlx.Tx) (err error) {
		n, err = record.Affected(tx.ExecContext(ctx, deleteUserTokens, userID, realm))
		if err != nil {
			return fmt.Errorf("delete tokens: %w", err)
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	return int(n), nil
}

// mayHaveToken fails with core.ErrNotFound, core.ErrPasswordChanged, core.ErrUserInactive or
// core.ErrTokenEnded. It keeps when the user logged in, if t says so.
func mayHaveToken(ctx context.Context, tx *sqlx.Tx, t core.Token, passwordHash string) error {
	var user record.Account
	err := tx.GetContext(ctx, &user, `SELECT active, password_hash FROM users WHERE id = ?`, t.UserID)
	switch {
	case err != nil:
		return orNotFound(err)
	case passwordHash != "" && user.PasswordHash != passwordHash:
		return core.ErrPasswordChanged
	case !user.Active:
		return core.ErrUserInactive
	}
	if len(t.By) > 0 {
		var there bool
		if err := tx.GetContext(ctx, &there, `SELECT EXISTS (SELECT 1 FROM tokens WHERE digest = ?)`, []byte(t.By)); err != nil {
			return fmt.Errorf("select token: %w", err)
		}
		if !there {
			return core.ErrTokenEnded
		}
	}
	if !t.Login {
		return nil
	}
	if _, err = tx.ExecContext(ctx, `UPDATE users SET last_login = ? WHERE id = ?`, t.CreatedAt.UnixMicro(), t.UserID); err != nil {
		return fmt.Errorf("update last login: %w", err)
	}
	return nil
}

// addToken inserts the token.
func addToken(ctx context.Context, tx *sqlx.Tx, t core.Token) error {
	if _, err := tx.NamedExecContext(ctx, insertToken, record.OfToken(t)); err != nil {
		return fmt.Errorf("insert token: %w", err)
	}
	return nil
}

// selectLegacy has the condition of the index tokens_prefix. The digest decides which
// of the rows it is: tokens rarely share a prefix.
const selectLegacy = `
	SELECT t.digest, t.generation, t.prefix, t.salt,
	       t.user_id, t.issuer, t.created_at, t.expires_at, t.sliding, t.reusable, t.sealed, t.seal_key,
	       u.username, u.email, u.active, u.attributes, u.created_at
	FROM tokens t JOIN users u ON u.id = t.user_id
	WHERE t.prefix IN (?, ?) AND t.prefix IS NOT NULL AND t.twin IS NULL AND t.realm = ?`

// findLegacy finds a token that was imported with only its legacy digest, after the
// look-up of native tokens has found nothing by its digest.
func (s *Store) findLegacy(ctx context.Context, realm string, p core.Presented) (core.Token, core.User, error) {
	short, long, ok := p.Prefixes()
	if !ok {
		return core.Token{}, core.User{}, core.ErrNotFound
	}
	rows, err := s.findOlder.QueryContext(context.WithoutCancel(ctx), short, long, realm)
	if err != nil {
		return core.Token{}, core.User{}, s.explain(ctx, s.wait, fmt.Errorf("select older token: %w", err))
	}
	defer rows.Close()
	for rows.Next() {
		var (
			token = record.Token{Realm: realm}
			user  record.Account
		)
		if err := rows.Scan(&token.Digest, &token.Format, &token.Prefix, &token.Salt,
			&token.UserID, &token.Issuer, &token.CreatedAt, &token.ExpiresAt, &token.Sliding, &token.Reusable, &token.Sealed, &token.SealKey,
			&user.Username, &user.Email, &user.Active, &user.Attributes, &user.CreatedAt); err != nil {
			return core.Token{}, core.User{}, s.explain(ctx, s.wait, fmt.Errorf("select older token: %w", err))
		}
		if !token.Legacy().Matches(p, token.Digest) {
			continue
		}
		return withUser(token, user)
	}
	if err := rows.Err(); err != nil {
		return core.Token{}, core.User{}, s.explain(ctx, s.wait, fmt.Errorf("select older token: %w", err))
	}
	return core.Token{}, core.User{}, core.ErrNotFound
}

// ExtendExpiries implements [core.ExpiryBatcher].
func (s *Store) ExtendExpiries(ctx context.Context, moves []core.ExpiryUpdate, now time.Time) error {
	return s.write(ctx, func(ctx context.Context, tx *sqlx.Tx) error {
		move, err := tx.PrepareNamedContext(ctx, moveExpiry)
		if err != nil {
			return fmt.Errorf("prepare: %w", err)
		}
		defer func() { _ = move.Close() }() // the transaction is over
		for _, m := range moves {
			_, err := move.ExecContext(ctx, map[string]any{
				"digest": []byte(m.Digest), "to": m.To.UnixMicro(), "now": now.UnixMicro(),
			})
			if err != nil {
				return fmt.Errorf("move expiry: %w", err)
			}
		}
		return nil
	})
}
