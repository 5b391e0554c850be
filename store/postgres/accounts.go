package postgres

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"strings"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/spelling"
	"github.com/authcompat/authcompat/store/internal/pgconn"
	"github.com/authcompat/authcompat/store/internal/record"
	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"
	"github.com/lib/pq/pqerror"
)

const (
	accountColumns = `id, username, email, password_hash, active, attributes, created_at, last_login`
	selectUsers    = `SELECT ` + accountColumns + ` FROM @users WHERE `
)

// The conditions are those of the indexes users_username_capitals, users_email_capitals and users_email. What
// has no capitals is found as it is, a name by the UNIQUE constraint's.
const (
	sameUsername     = `username = $1`
	capitalsUsername = `lower(username COLLATE "C") = $1 AND lower(username COLLATE "C") <> username`
	capitalsEmail    = `lower(email COLLATE "C") = $1 AND lower(email COLLATE "C") <> email`
	sameEmail        = `email COLLATE "C" = $1 AND email <> ''`
)

// emailSince is since when a user has had the address: in this order, users are found by it.
const emailSince = `coalesce(email_since, created_at)`

// afterAll returns an expression for the time after which nobody with an address came to it, or NULL if nobody
// has it. email is the address, a text.
func afterAll(email string) string {
	lower := `lower(` + email + ` COLLATE "C")`
	last := func(condition string) string {
		return `(SELECT coalesce(o.email_since, o.created_at) + 1 FROM @users o WHERE ` + condition + ` ORDER BY coalesce(o.email_since, o.created_at) DESC LIMIT 1)`
	}
	same := `o.email COLLATE "C" = ` + lower + ` AND o.email <> ''`
	capitals := `lower(o.email COLLATE "C") = ` + lower + ` AND lower(o.email COLLATE "C") <> o.email`
	return `greatest(` + strings.Join([]string{
		last(same + ` AND o.active`), last(same + ` AND NOT o.active`),
		last(capitals + ` AND o.active`), last(capitals + ` AND NOT o.active`),
	}, `, `) + `)`
}

// newSince returns an expression for the email_since of a user u with another address from now on, or with
// the same in another case. at is the time.
func newSince(email, at string) string {
	return `CASE WHEN lower(u.email COLLATE "C") = lower(` + email + ` COLLATE "C") THEN u.email_since ELSE greatest(` + at + `, ` + afterAll(email) + `) END`
}

// AccountByID implements [core.AccountStore].
func (s *Store) AccountByID(ctx context.Context, userID int64) (account core.Account, err error) {
	err = s.read(ctx, func(ctx context.Context) error {
		account, err = s.accountByID(ctx, s.db, userID, "")
		return err
	})
	return account, err
}

// accountByID reads an account, or fails with core.ErrNotFound. lock ends the statement.
func (s *Store) accountByID(ctx context.Context, q sqlx.QueryerContext, userID int64, lock string) (core.Account, error) {
	var row record.Account
	err := sqlx.GetContext(ctx, q, &row, s.qualify(selectUsers)+`id = $1`+lock, userID)
	if errors.Is(err, sql.ErrNoRows) {
		return core.Account{}, core.ErrNotFound
	}
	if err != nil {
		return core.Account{}, fmt.Errorf("select user: %w", err)
	}
	return row.Core()
}

// firstWith ends a statement that finds at most $2 users, in the order of their address.
const firstWith = ` ORDER BY ` + emailSince + `, id LIMIT $2`

// firstOf returns a statement that finds at most $2 users, in the order of their address, of those who meet one of several
// conditions. There may be very many who do: those of each condition are found by an index, one after the other.
func firstOf(conditions ...string) string {
	var parts []string
	for i, c := range conditions {
		parts = append(parts, fmt.Sprintf(`SELECT id FROM (SELECT id FROM @users WHERE %s%s) p%d`, c, firstWith, i))
	}
	return selectUsers + `id IN (` + strings.Join(parts, ` UNION ALL `) + `)` + firstWith
}

// withAlikeUsername finds at most $2 users, by id. PostgreSQL guesses how many have a name of which it has no statistics, as
// where few names have capitals, to be so many that it would read all users by id until it had found $2: it is not told
// of the order and the limit before it has decided how to find them, which OFFSET 0 keeps from it.
const withAlikeUsername = `SELECT ` + accountColumns + ` FROM (` + selectUsers + sameUsername + `
	UNION ALL SELECT ` + accountColumns + ` FROM (` + selectUsers + capitalsUsername + ` OFFSET 0) c) u ORDER BY id LIMIT $2`

// The users with an address, and those of them who are active, or not, by $3.
var (
	withAlikeEmail = firstOf(sameEmail+` AND active`, sameEmail+` AND NOT active`, capitalsEmail+` AND active`, capitalsEmail+` AND NOT active`)
	withSameEmail  = firstOf(sameEmail+` AND active`, sameEmail+` AND NOT active`)
	alikeRecipient = firstOf(sameEmail+` AND active = $3`, capitalsEmail+` AND active = $3`)
	sameRecipient  = selectUsers + sameEmail + ` AND active = $3` + firstWith
)

// FindAccounts implements [core.AccountStore].
func (s *Store) FindAccounts(ctx context.Context, by core.Identifier, text string, caseBlind bool, limit int) ([]core.Account, error) {
	lower := spelling.LowerASCII(text)
	switch {
	case by == core.ByEmail && caseBlind:
		return s.accounts(ctx, withAlikeEmail, lower, limit)
	case by == core.ByEmail:
		return s.accounts(ctx, withSameEmail, text, limit)
	case caseBlind:
		return s.accounts(ctx, withAlikeUsername, lower, limit)
	}
	return s.accounts(ctx, selectUsers+sameUsername+` LIMIT $2`, text, limit)
}

// FindRecipients implements [core.AccountStore].
func (s *Store) FindRecipients(ctx context.Context, email string, caseBlind, active bool, limit int) ([]core.Account, error) {
	if caseBlind {
		return s.accounts(ctx, alikeRecipient, spelling.LowerASCII(email), limit, active)
	}
	return s.accounts(ctx, sameRecipient, email, limit, active)
}

// accounts returns the accounts that a statement finds.
func (s *Store) accounts(ctx context.Context, statement string, args ...any) (accounts []core.Account, err error) {
	err = s.read(ctx, func(ctx context.Context) error {
		var rows []record.Account
		if err := s.db.SelectContext(ctx, &rows, s.qualify(statement), args...); err != nil {
			return fmt.Errorf("select users: %w", err)
		}
		accounts = nil
		for _, r := range rows {
			account, err := r.Core()
			if err != nil {
				return err
			}
			accounts = append(accounts, account)
		}
		return nil
	})
	if errors.Is(err, pgconn.ErrEncoding) {
		return nil, nil // such a text is nobody's
	}
	return accounts, err
}

// readCommitted has a transaction see what was committed before each of its statements: at
// another level, whoever waits for a lock would look at what there was before. It has to be
// the first statement.
const readCommitted = `SET TRANSACTION ISOLATION LEVEL READ COMMITTED`

// Whether another user than $2 has a name, or an address: of the first two who have it, one is another. PostgreSQL counts
// those with a name, since it would read all users until it had found one ([withAlikeUsername]).
var (
	usernameTaken = `SELECT EXISTS (SELECT 1 FROM @users WHERE ` + sameUsername + ` AND id <> $2)
		OR (SELECT count(*) FROM @users WHERE ` + capitalsUsername + ` AND id <> $2) > 0`
	emailTaken = `SELECT EXISTS (SELECT 1 FROM (` + strings.ReplaceAll(withAlikeEmail, `LIMIT $2`, `LIMIT 2`) + `) u WHERE id <> $2)`
)

// distinct fails if another user than the one with the id has what has to be distinct. Those
// who look for the same come one after the other.
func (s *Store) distinct(ctx context.Context, tx *sqlx.Tx, d core.Distinct, id int64, username, email string) error {
	for _, c := range []struct {
		wanted            bool
		what, taken, text string
		err               error
	}{
		{d.Username, "username ", usernameTaken, username, core.ErrUsernameTaken},
		{d.Email, "email ", emailTaken, email, core.ErrEmailTaken},
	} {
		if !c.wanted {
			continue
		}
		text := spelling.LowerASCII(c.text)
		if _, err := tx.ExecContext(ctx, `SELECT pg_advisory_xact_lock(hashtextextended($1, 0))`, s.prefix+c.what+text); err != nil {
			return fmt.Errorf("lock %s: %w", c.what, err)
		}
		var there bool
		if err := tx.GetContext(ctx, &there, s.qualify(c.taken), text, id); err != nil {
			return fmt.Errorf("look for user: %w", err)
		}
		if there {
			return c.err
		}
	}
	return nil
}

// beginDistinct is the first statement of a transaction that calls distinct.
func beginDistinct(ctx context.Context, tx *sqlx.Tx, d core.Distinct) error {
	if d == (core.Distinct{}) {
		return nil
	}
	_, err := tx.ExecContext(ctx, readCommitted)
	return wrap("set isolation level", err)
}

// sameUser reports whether both have the same texts.
func sameUser(a, b core.User) bool {
	return a.Username == b.Username && a.Email == b.Email && maps.Equal(a.Attributes, b.Attributes)
}

// UpdateUser implements [core.AccountStore].
func (s *Store) UpdateUser(ctx context.Context, c core.UserChange, audit *core.AuditEntry) (user core.User, err error) {
	was, to := c.Was, c.To
	attributes, err := record.EncodeAttributes(to.Attributes)
	if err != nil {
		return core.User{}, err
	}
	err = s.writeAudited(ctx, audit, func(ctx context.Context, tx *sqlx.Tx, retryAfterAmbiguous bool) error {
		if err := beginDistinct(ctx, tx, c.Distinct.Changed(was, to)); err != nil {
			return err
		}
		now, err := s.accountByID(ctx, tx, was.ID, ` FOR UPDATE`)
		if err != nil {
			return err
		}
		if user = now.User; retryAfterAmbiguous && sameUser(user, to) {
			return nil
		}
		if !sameUser(user, was) || !c.Link.GoodFor(now) {
			return core.ErrConflict
		}
		if err := s.distinct(ctx, tx, c.Distinct.Changed(was, to), was.ID, to.Username, to.Email); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, s.qualify(`UPDATE @users u SET username = $1, email = $2::text, attributes = $3, active = active AND $4, email_since = `+newSince(`$2::text`, `$5::bigint`)+` WHERE id = $6`),
			to.Username, to.Email, attributes, to.Active, c.At.UnixMicro(), was.ID)
		if pgconn.IsDuplicate(err, "") {
			return core.ErrUsernameTaken
		}
		if err != nil {
			return fmt.Errorf("update user: %w", err)
		}
		if c.Moves() {
			if err := s.mails().Outdate(ctx, tx.Tx, was.ID); err != nil {
				return err
			}
		}
		if err := s.loggedIn(ctx, tx, was.ID, c.Link); err != nil {
			return err
		}
		user.Active = user.Active && to.Active
		user.Username, user.Email, user.Attributes = to.Username, to.Email, maps.Clone(to.Attributes)
		return nil
	})
	if errors.Is(err, pgconn.ErrEncoding) {
		err = fmt.Errorf("%w: %w", core.ErrInvalidUser, err)
	}
	if err != nil {
		return core.User{}, err
	}
	if len(user.Attributes) == 0 {
		user.Attributes = nil
	}
	return user, nil
}

// RemoveUser implements [core.AccountStore]. A role needs the right to DELETE users for it, and
// for nothing else.
func (s *Store) RemoveUser(ctx context.Context, userID int64, passwordHash string, audit *core.AuditEntry) error {
	err := s.writeAudited(ctx, audit, func(ctx context.Context, tx *sqlx.Tx, retryAfterAmbiguous bool) error {
		// The row is locked, so that no import inserts further tokens.
		err := s.samePassword(ctx, tx, userID, passwordHash, nil)
		if errors.Is(err, core.ErrNotFound) && retryAfterAmbiguous {
			return nil
		}
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, s.qualify(removeTokens(`user_id = $1`)), userID); err != nil {
			return fmt.Errorf("delete tokens: %w", err)
		}
		return s.deleteRow(ctx, tx, userID)
	})
	if pq.As(err, pqerror.InsufficientPrivilege) != nil {
		return fmt.Errorf("%w: %w", core.ErrUnsupported, err)
	}
	return err
}

// tokensOf is the condition for tokens of the user $1 in the realm $2, or with an empty one in all, in the order of the index
// by user: where a user has many, PostgreSQL would look for the first of them in all tokens.
const tokensOf = `user_id >= $1 AND user_id <= $1 AND ($2 = '' OR realm = $2) ORDER BY user_id`

const moreTokens = `SELECT EXISTS (SELECT 1 FROM (SELECT 1 FROM @tokens WHERE ` + tokensOf + ` LIMIT 1 OFFSET $3) t)`

var someTokens = removeTokens(`digest IN (SELECT digest FROM @tokens WHERE ` + tokensOf + ` LIMIT $3)`)

// TrimTokens implements [core.Store].
func (s *Store) TrimTokens(ctx context.Context, userID int64, realm string, most int) (n int, err error) {
	more := false
	err = s.read(ctx, func(ctx context.Context) error {
		return wrap("look for tokens", s.db.GetContext(ctx, &more, s.qualify(moreTokens), userID, realm, most))
	})
	if err != nil || !more {
		return 0, err
	}
	err = s.write(ctx, func(ctx context.Context, tx *sqlx.Tx, _ bool) error {
		if _, err := tx.ExecContext(ctx, s.qualify(lockUser), userID); err != nil {
			return fmt.Errorf("lock user: %w", err)
		}
		return wrap("delete tokens", tx.GetContext(ctx, &n, s.qualify(someTokens), userID, realm, most))
	})
	if err != nil {
		return 0, err
	}
	return n, nil
}

// removeOtherTokens keeps one token of the user in the realm, or with an empty one in all.
var removeOtherTokens = removeTokens(`user_id = $1 AND ($2 = '' OR realm = $2) AND digest <> $3`)

// ChangePassword implements [core.AccountStore]. After an ambiguous commit it returns the
// largest number of tokens that an attempt found.
func (s *Store) ChangePassword(ctx context.Context, c core.PasswordChange, audit *core.AuditEntry) (int, error) {
	var most int64
	err := s.writeAudited(ctx, audit, func(ctx context.Context, tx *sqlx.Tx, retryAfterAmbiguous bool) error {
		if c.EndTokens { // also those of logins that it waits for
			if _, err := tx.ExecContext(ctx, readCommitted); err != nil {
				return fmt.Errorf("set isolation level: %w", err)
			}
		}
		err := s.samePassword(ctx, tx, c.UserID, c.Old, c.Link)
		if errors.Is(err, core.ErrPasswordChanged) && retryAfterAmbiguous {
			if s.samePassword(ctx, tx, c.UserID, c.New, nil) == nil {
				return nil // by an attempt whose commit was ambiguous
			}
		}
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, s.qualify(`UPDATE @users SET password_hash = $1 WHERE id = $2`), c.New, c.UserID); err != nil {
			return fmt.Errorf("update password: %w", err)
		}
		if err := s.loggedIn(ctx, tx, c.UserID, c.Link); err != nil {
			return err
		}
		if !c.EndTokens {
			return nil
		}
		var n int64
		err = tx.GetContext(ctx, &n, s.qualify(removeOtherTokens), c.UserID, c.Realm, bytea(c.Keep))
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

// samePassword locks the user's row and fails with core.ErrNotFound, or with
// core.ErrPasswordChanged unless the user's encoded password is this one, and the link is good.
func (s *Store) samePassword(ctx context.Context, tx *sqlx.Tx, userID int64, encoded string, link *core.LinkUse) error {
	account, err := s.accountByID(ctx, tx, userID, ` FOR UPDATE`)
	if err == nil && (account.PasswordHash != encoded || !link.GoodFor(account)) {
		err = core.ErrPasswordChanged
	}
	return err
}

// loggedIn keeps the last login of a link, if it has one.
func (s *Store) loggedIn(ctx context.Context, tx *sqlx.Tx, userID int64, link *core.LinkUse) error {
	if !link.LogsIn() {
		return nil
	}
	if _, err := tx.ExecContext(ctx, s.qualify(`UPDATE @users SET last_login = $1 WHERE id = $2`), link.At.UnixMicro(), userID); err != nil {
		return fmt.Errorf("update last login: %w", err)
	}
	return nil
}

// ActivateUser implements [core.AccountStore].
func (s *Store) ActivateUser(ctx context.Context, userID int64, link core.LinkUse, audit *core.AuditEntry) error {
	return s.writeAudited(ctx, audit, func(ctx context.Context, tx *sqlx.Tx, retryAfterAmbiguous bool) error {
		account, err := s.accountByID(ctx, tx, userID, ` FOR UPDATE`)
		if err == nil && retryAfterAmbiguous && account.Active && account.LastLogin.Equal(link.At) {
			return nil // by an attempt whose commit was ambiguous
		}
		if err == nil && (account.Active || !link.GoodFor(account)) {
			err = core.ErrNotFound
		}
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, s.qualify(`UPDATE @users SET active = true WHERE id = $1`), userID); err != nil {
			return fmt.Errorf("activate user: %w", err)
		}
		return s.loggedIn(ctx, tx, userID, &link)
	})
}
