package postgres

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/store/internal/driverrow"
	"github.com/authcompat/authcompat/store/internal/pgconn"
	"github.com/authcompat/authcompat/store/internal/record"
	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"
)

const insertToken = `
	INSERT INTO @tokens (digest, user_id, realm, issuer, created_at, expires_at, sliding, reusable, sealed, seal_key,
	                     generation, prefix, salt, twin)
	VALUES (:digest, :user_id, :realm, :issuer, :created_at, :expires_at, :sliding, :reusable, :sealed, :seal_key,
	        :generation, :prefix, :salt, :twin)`

// selectReusable has the expressions of the index tokens_reusable, so that it is a single
// look-up. It locks the row, so that the token is not deleted after it is returned.
const selectReusable = `
	SELECT digest, user_id, realm, issuer, created_at, expires_at, sliding, reusable, sealed, seal_key
	FROM @tokens WHERE user_id = $1 AND CASE WHEN reusable THEN realm END = $2 AND CASE WHEN reusable THEN issuer END = $3 FOR UPDATE`

// selectToken is the cost of every API call: two look-ups by primary key.
const selectToken = `
	SELECT t.user_id, t.issuer, t.created_at, t.expires_at, t.sliding, t.reusable, t.sealed, t.seal_key,
	       u.username, u.email, u.active, u.attributes, u.created_at
	FROM @tokens t JOIN @users u ON u.id = t.user_id
	WHERE t.digest = $1 AND t.realm = $2`

// moveExpiry does not change a token that never expires: NULL is neither later nor
// earlier than anything.
const moveExpiry = `
	UPDATE @tokens SET expires_at = $2
	WHERE digest = $1 AND expires_at > $3 AND expires_at < $2`

// removeTokens deletes the tokens that meet a condition, counts them, and keeps the
// links of those that were imported or exported.
func removeTokens(condition string) string {
	return `
	WITH gone AS (DELETE FROM @tokens WHERE ` + condition + ` RETURNING digest, twin, source, origin),
	kept AS (
		INSERT INTO @imported_tokens (digest, source, origin)
		SELECT digest, source, origin FROM gone WHERE source IS NOT NULL
		UNION SELECT twin, source, origin FROM gone WHERE source IS NOT NULL AND twin IS NOT NULL
		ON CONFLICT (digest) DO UPDATE SET source = excluded.source, origin = excluded.origin, absent = false)
	SELECT count(*) FROM gone`
}

var (
	removeToken      = removeTokens(`digest = $1`)
	removeUserTokens = removeTokens(`user_id = $1 AND realm = $2`)
)

// countLive does not count tokens that never expire.
const countLive = `SELECT count(*) FROM @tokens WHERE user_id = $1 AND realm = $2 AND expires_at > $3`

// Locks of a user's row. Logins of one user that issue tokens run concurrently; those
// that return a reusable token, or count the others, take turns. Those that count write to the
// row: at REPEATABLE READ, a transaction that waited for a lock alone would count what there was
// before.
const (
	shareUser = `SELECT active, password_hash FROM @users WHERE id = $1 FOR SHARE`
	lockUser  = `SELECT active, password_hash FROM @users WHERE id = $1 FOR UPDATE`
	writeUser = `UPDATE @users SET active = active WHERE id = $1 RETURNING active, password_hash`
)

// reusableIndex is the constraint that a second reusable token violates.
const reusableIndex = "tokens_reusable"

// IssueToken implements [core.Store].
func (s *Store) IssueToken(ctx context.Context, t core.Token, passwordHash string, limit int, audit *core.AuditEntry) error {
	return s.writeAudited(ctx, audit, func(ctx context.Context, tx *sqlx.Tx, retryAfterAmbiguous bool) error {
		if err := beginBy(ctx, tx, t); err != nil {
			return err
		}
		if retryAfterAmbiguous {
			var there bool
			err := tx.GetContext(ctx, &there, s.qualify(`SELECT EXISTS (SELECT 1 FROM @tokens WHERE digest = $1)`), []byte(t.Digest))
			if there || err != nil {
				return wrap("look for token", err)
			}
		}
		lock := shareUser
		if limit > 0 {
			lock = writeUser
		}
		if err := s.mayHaveToken(ctx, tx, lock, t, passwordHash); err != nil {
			return err
		}
		if limit > 0 {
			var live int
			if err := tx.GetContext(ctx, &live, s.qualify(countLive), t.UserID, t.Realm, t.CreatedAt.UnixMicro()); err != nil {
				return fmt.Errorf("count tokens: %w", err)
			}
			if live >= limit {
				return core.ErrTokenLimit
			}
		}
		return s.addToken(ctx, tx, t, retryAfterAmbiguous)
	})
}

// ReuseToken implements [core.Store].
func (s *Store) ReuseToken(ctx context.Context, fresh core.Token, passwordHash string, now time.Time, audit *core.AuditEntry) (token core.Token, err error) {
	// If an ambiguous commit succeeded, the retry finds its token.
	err = s.writeAudited(ctx, audit, func(ctx context.Context, tx *sqlx.Tx, retryAfterAmbiguous bool) error {
		if err := beginBy(ctx, tx, fresh); err != nil {
			return err
		}
		if err := s.mayHaveToken(ctx, tx, lockUser, fresh, passwordHash); err != nil {
			return err
		}
		var row record.Token
		err := tx.GetContext(ctx, &row, s.qualify(selectReusable), fresh.UserID, fresh.Realm, fresh.Issuer)
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
				return s.slide(ctx, tx, &token, fresh)
			}
			if _, err := tx.ExecContext(ctx, s.qualify(`UPDATE @tokens SET reusable = FALSE WHERE digest = $1`), row.Digest); err != nil {
				return fmt.Errorf("retire token: %w", err)
			}
		}
		token = record.OfToken(fresh).Core()
		return s.addToken(ctx, tx, fresh, retryAfterAmbiguous)
	})
	if err != nil {
		return core.Token{}, err
	}
	return token, nil
}

// slide extends the expiry of a live token to fresh's, if fresh slides and its expiry
// is later.
func (s *Store) slide(ctx context.Context, tx *sqlx.Tx, live *core.Token, fresh core.Token) error {
	if fresh.Sliding == 0 || live.ExpiresAt.IsZero() || !fresh.ExpiresAt.After(live.ExpiresAt) {
		return nil
	}
	to := fresh.ExpiresAt.UnixMicro()
	if _, err := tx.ExecContext(ctx, s.qualify(`UPDATE @tokens SET expires_at = $1 WHERE digest = $2`), to, []byte(live.Digest)); err != nil {
		return fmt.Errorf("move expiry: %w", err)
	}
	live.ExpiresAt = record.Time(to)
	return nil
}

// FindToken implements [core.Store].
func (s *Store) FindToken(ctx context.Context, realm string, p core.Presented) (core.Token, core.User, error) {
	var (
		token = record.Token{Digest: p.SHA256(), Realm: realm}
		user  record.Account
	)
	take := func(row *driverrow.Row) error { return record.TakeFound(row, &token, &user) }
	err := s.read(ctx, func(ctx context.Context) error {
		found, err := s.pool.LookUp(ctx, s.findToken, []driver.NamedValue{{Ordinal: 1, Value: token.Digest}, {Ordinal: 2, Value: realm}}, take)
		if err == nil && !found {
			return s.findLegacy(ctx, p, &token, &user)
		}
		return wrap("select token", err)
	})
	if err != nil {
		return core.Token{}, core.User{}, absent(err)
	}
	user.ID = token.UserID
	account, err := user.Core()
	if err != nil {
		return core.Token{}, core.User{}, err
	}
	return token.Core(), account.User, nil
}

// ExtendExpiry implements [core.Store].
func (s *Store) ExtendExpiry(ctx context.Context, d core.Digest, to, now time.Time) error {
	return s.write(ctx, func(ctx context.Context, tx *sqlx.Tx, _ bool) error {
		_, err := tx.ExecContext(ctx, s.qualify(moveExpiry), []byte(d), to.UnixMicro(), now.UnixMicro())
		return wrap("move expiry", err)
	})
}

// DeleteToken implements [core.Store].
func (s *Store) DeleteToken(ctx context.Context, d core.Digest, audit *core.AuditEntry) error {
	return s.writeAudited(ctx, audit, func(ctx context.Context, tx *sqlx.Tx, retryAfterAmbiguous bool) error {
		var n int64
		if err := tx.GetContext(ctx, &n, s.qualify(removeToken), []byte(d)); err != nil {
			return fmt.Errorf("delete token: %w", err)
		}
		// The attempt whose commit was ambiguous found the token: if it is gone now,
		// that attempt was committed.
		if n == 0 && !retryAfterAmbiguous {
			return core.ErrNotFound
		}
		return nil
	})
}

// DeleteUserTokens implements [core.Store]. After an ambiguous commit it returns the
// largest number that an attempt found.
func (s *Store) DeleteUserTokens(ctx context.Context, userID int64, realm string, audit *core.AuditEntry) (int, error) {
	var most int64
	err := s.writeAudited(ctx, audit, func(ctx context.Context, tx *sqlx.Tx, retryAfterAmbiguous bool) error {
		// Also those that others of them are being issued by: such a login holds the user's row.
		if _, err := tx.ExecContext(ctx, readCommitted); err != nil {
			return fmt.Errorf("set isolation level: %w", err)
		}
		if _, err := tx.ExecContext(ctx, s.qualify(lockUser), userID); err != nil {
			return fmt.Errorf("lock user: %w", err)
		}
		var n int64
		err := tx.GetContext(ctx, &n, s.qualify(removeUserTokens), userID, realm)
		if !retryAfterAmbiguous || n > most {
			most = n
		}
		return wrap("delete tokens", err)
	})
	if err != nil {
		return 0, err
	}
	return int(most), nil
}

// beginBy is the first statement of a transaction that issues a token: the one by which it is
// issued may end while it waits for the user's row.
func beginBy(ctx context.Context, tx *sqlx.Tx, t core.Token) error {
	if len(t.By) == 0 {
		return nil
	}
	_, err := tx.ExecContext(ctx, readCommitted)
	return wrap("set isolation level", err)
}

// mayHaveToken locks the user's row and fails with core.ErrNotFound,
// core.ErrPasswordChanged, core.ErrUserInactive or core.ErrTokenEnded. It keeps when the user logged in, if t says so:
// with the lock for that, since two logins that share the row would wait for each other.
func (s *Store) mayHaveToken(ctx context.Context, tx *sqlx.Tx, lock string, t core.Token, passwordHash string) error {
	if t.Login {
		lock = lockUser
	}
	var user record.Account
	err := tx.GetContext(ctx, &user, s.qualify(lock), t.UserID)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return core.ErrNotFound
	case err != nil:
		return fmt.Errorf("select user: %w", err)
	case passwordHash != "" && user.PasswordHash != passwordHash:
		return core.ErrPasswordChanged
	case !user.Active:
		return core.ErrUserInactive
	}
	if len(t.By) > 0 {
		// With a lock, so that it does not end before the other is there: whoever looks who has
		// tokens finds one of the two.
		var there bool
		err := tx.GetContext(ctx, &there, s.qualify(`SELECT TRUE FROM @tokens WHERE digest = $1 FOR KEY SHARE`), []byte(t.By))
		if errors.Is(err, sql.ErrNoRows) {
			return core.ErrTokenEnded
		}
		if err != nil {
			return fmt.Errorf("select token: %w", err)
		}
	}
	if !t.Login {
		return nil
	}
	_, err = tx.ExecContext(ctx, s.qualify(`UPDATE @users SET last_login = $1 WHERE id = $2`), t.CreatedAt.UnixMicro(), t.UserID)
	return wrap("update last login", err)
}

// addToken inserts the token. Under SERIALIZABLE, another login's reusable token may
// exist without being visible; after an ambiguous commit, so may the token itself. The
// next attempt sees both.
func (s *Store) addToken(ctx context.Context, tx *sqlx.Tx, t core.Token, retryAfterAmbiguous bool) error {
	_, err := tx.NamedExecContext(ctx, s.qualify(insertToken), record.OfToken(t))
	if pgconn.IsDuplicate(err, reusableIndex) && t.Reusable || retryAfterAmbiguous && pgconn.IsDuplicate(err, "") {
		return pgconn.ErrConflict
	}
	return wrap("insert token", err)
}

// selectLegacy has the condition of the index tokens_prefix. The digest decides which
// of the rows it is: tokens rarely share a prefix.
const selectLegacy = `
	SELECT t.digest, t.generation, t.prefix, t.salt,
	       t.user_id, t.issuer, t.created_at, t.expires_at, t.sliding, t.reusable, t.sealed, t.seal_key,
	       u.username, u.email, u.active, u.attributes, u.created_at
	FROM @tokens t JOIN @users u ON u.id = t.user_id
	WHERE t.prefix IN ($1, $2) AND t.prefix IS NOT NULL AND t.twin IS NULL AND t.realm = $3`

// findLegacy finds a token that was imported with only its legacy digest, after the
// look-up of native tokens has found nothing.
func (s *Store) findLegacy(ctx context.Context, p core.Presented, token *record.Token, user *record.Account) error {
	short, long, ok := p.Prefixes()
	if !ok {
		return core.ErrNotFound
	}
	rows, err := s.db.QueryContext(ctx, s.qualify(selectLegacy), short, long, token.Realm)
	if err != nil {
		return fmt.Errorf("select older token: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := rows.Scan(&token.Digest, &token.Format, &token.Prefix, &token.Salt,
			&token.UserID, &token.Issuer, &token.CreatedAt, &token.ExpiresAt, &token.Sliding, &token.Reusable, &token.Sealed, &token.SealKey,
			&user.Username, &user.Email, &user.Active, &user.Attributes, &user.CreatedAt); err != nil {
			return fmt.Errorf("select older token: %w", err)
		}
		if token.Legacy().Matches(p, token.Digest) {
			return nil
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("select older token: %w", err)
	}
	return core.ErrNotFound
}

// moveExpiries locks the rows in the same order on all nodes, so that they can't
// deadlock. It is a single statement, because a server may be far away.
const moveExpiries = `
	WITH held AS (
		SELECT t.digest, m.ends
		FROM @tokens t JOIN unnest($1::bytea[], $2::bigint[]) AS m (digest, ends) ON m.digest = t.digest
		WHERE t.expires_at > $3 AND t.expires_at < m.ends
		ORDER BY t.digest FOR UPDATE OF t)
	UPDATE @tokens t SET expires_at = held.ends FROM held WHERE t.digest = held.digest`

// ExtendExpiries implements [core.ExpiryBatcher].
func (s *Store) ExtendExpiries(ctx context.Context, moves []core.ExpiryUpdate, now time.Time) error {
	digests, ends := make(pq.ByteaArray, len(moves)), make(pq.Int64Array, len(moves))
	for i, m := range moves {
		digests[i], ends[i] = m.Digest, m.To.UnixMicro()
	}
	return s.write(ctx, func(ctx context.Context, tx *sqlx.Tx, _ bool) error {
		_, err := tx.ExecContext(ctx, s.qualify(moveExpiries), digests, ends, now.UnixMicro())
		return wrap("move expiries", err)
	})
}
