package sqlite

import (
	"context"
	"fmt"
	"maps"
	"strings"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/spelling"
	"github.com/authcompat/authcompat/store/internal/record"
	"github.com/jmoiron/sqlx"
)

const selectUsers = `SELECT id, username, email, password_hash, active, attributes, created_at, last_login FROM users WHERE `

// SQLite's lower() changes the letters of ASCII alone. The conditions are those of the indexes
// users_username_capitals, users_email_capitals and users_email_exact. What has no capitals
// is found as it is, a name by the UNIQUE constraint's.
const (
	alikeUsername = `(username = ?1 OR lower(username) = ?1 AND lower(username) <> username)`
	capitalsEmail = `lower(email) = ?1 AND lower(email) <> email`
	sameEmail     = `email = ?1 AND email <> ''`
)

// emailSince is since when a user has had the address: in this order, users are found by it.
const emailSince = `coalesce(email_since, created_at)`

// afterAll returns an expression for the time after which nobody with an address came to it, or 0 if nobody
// has it. lower is the address in lower case.
func afterAll(lower string) string {
	last := func(condition, active string) string {
		return `ifnull((SELECT ` + emailSince + ` + 1 FROM users WHERE ` + condition + ` AND active = ` + active + ` ORDER BY ` + emailSince + ` DESC LIMIT 1), 0)`
	}
	same, capitals := `email = `+lower+` AND email <> ''`, `lower(email) = `+lower+` AND lower(email) <> email`
	return `max(` + strings.Join([]string{last(same, `1`), last(same, `0`), last(capitals, `1`), last(capitals, `0`)}, `, `) + `)`
}

// newSince returns an expression for the email_since of a user with another address from now on, or with the
// same in another case. Both are texts, and at is the time.
func newSince(email, at string) string {
	return `CASE WHEN lower(email) = lower(` + email + `) THEN email_since ELSE max(` + at + `, ` + afterAll(`lower(`+email+`)`) + `) END`
}

// AccountByID implements [core.AccountStore].
func (s *Store) AccountByID(ctx context.Context, userID int64) (account core.Account, err error) {
	err = s.read(ctx, func(ctx context.Context) error {
		account, err = accountByID(ctx, s.reader, userID)
		return err
	})
	return account, err
}

// accountByID reads an account, or fails with core.ErrNotFound.
func accountByID(ctx context.Context, q sqlx.QueryerContext, userID int64) (core.Account, error) {
	var row record.Account
	if err := sqlx.GetContext(ctx, q, &row, selectUsers+`id = ?`, userID); err != nil {
		return core.Account{}, orNotFound(err)
	}
	return row.Core()
}

// firstWith ends a statement that finds at most ?2 users, in the order of their address.
const firstWith = ` ORDER BY ` + emailSince + `, id LIMIT ?2`

// firstOf returns a statement that finds at most ?2 users, in the order of their address, of those who meet one of several
// conditions. There may be very many who do: those of each condition are found by an index, one after the other.
func firstOf(conditions ...string) string {
	var parts []string
	for _, c := range conditions {
		parts = append(parts, `SELECT id FROM (SELECT id FROM users WHERE `+c+firstWith+`)`)
	}
	return selectUsers + `id IN (` + strings.Join(parts, ` UNION ALL `) + `)` + firstWith
}

// The users with an address, and those of them who are active, or not, by ?3.
var (
	withAlikeEmail = firstOf(sameEmail+` AND active = 1`, sameEmail+` AND active = 0`, capitalsEmail+` AND active = 1`, capitalsEmail+` AND active = 0`)
	withSameEmail  = firstOf(sameEmail+` AND active = 1`, sameEmail+` AND active = 0`)
	alikeRecipient = firstOf(sameEmail+` AND active = ?3`, capitalsEmail+` AND active = ?3`)
	sameRecipient  = selectUsers + sameEmail + ` AND active = ?3` + firstWith
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
		return s.accounts(ctx, selectUsers+alikeUsername+` ORDER BY id LIMIT ?2`, lower, limit)
	}
	return s.accounts(ctx, selectUsers+alikeUsername+` AND username = ?3 ORDER BY id LIMIT ?2`, lower, limit, text)
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
	var rows []record.Account
	err = s.read(ctx, func(ctx context.Context) error {
		if err := s.reader.SelectContext(ctx, &rows, statement, args...); err != nil {
			return fmt.Errorf("select users: %w", err)
		}
		return nil
	})
	for _, r := range rows {
		account, err := r.Core()
		if err != nil {
			return nil, err
		}
		accounts = append(accounts, account)
	}
	return accounts, err
}

// Whether another user than ?2 has a name, or an address.
const (
	usernameTaken = `SELECT EXISTS (SELECT 1 FROM users WHERE ` + alikeUsername + ` AND id <> ?2)`
	emailTaken    = `SELECT EXISTS (SELECT 1 FROM users WHERE ` + sameEmail + ` AND id <> ?2)
		OR EXISTS (SELECT 1 FROM users WHERE ` + capitalsEmail + ` AND id <> ?2)`
)

// distinct fails if another user than the one with the id has what has to be distinct.
func distinct(ctx context.Context, tx *sqlx.Tx, d core.Distinct, id int64, username, email string) error {
	for _, c := range []struct {
		wanted      bool
		taken, text string
		err         error
	}{
		{d.Username, usernameTaken, username, core.ErrUsernameTaken},
		{d.Email, emailTaken, email, core.ErrEmailTaken},
	} {
		if !c.wanted {
			continue
		}
		var there bool
		if err := tx.GetContext(ctx, &there, c.taken, spelling.LowerASCII(c.text), id); err != nil {
			return fmt.Errorf("look for user: %w", err)
		}
		if there {
			return c.err
		}
	}
	return nil
}

// UpdateUser implements [core.AccountStore].
func (s *Store) UpdateUser(ctx context.Context, c core.UserChange, audit *core.AuditEntry) (user core.User, err error) {
	was, to := c.Was, c.To
	attributes, err := record.EncodeAttributes(to.Attributes)
	if err != nil {
		return core.User{}, err
	}
	err = s.writeAudited(ctx, audit, func(ctx context.Context, tx *sqlx.Tx) error {
		now, err := accountByID(ctx, tx, was.ID)
		if err != nil {
			return err
		}
		if now.Username != was.Username || now.Email != was.Email || !maps.Equal(now.Attributes, was.Attributes) || !c.Link.GoodFor(now) {
			return core.ErrConflict
		}
		if err := distinct(ctx, tx, c.Distinct.Changed(was, to), was.ID, to.Username, to.Email); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `UPDATE users SET username = ?1, email = ?2, attributes = ?3, active = active AND ?4, email_since = `+newSince(`?2`, `?5`)+` WHERE id = ?6`,
			to.Username, to.Email, attributes, to.Active, c.At.UnixMicro(), was.ID)
		if duplicate(err) {
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
		if err := loggedIn(ctx, tx, was.ID, c.Link); err != nil {
			return err
		}
		kept, err := accountByID(ctx, tx, was.ID)
		user = kept.User
		return err
	})
	if err != nil {
		return core.User{}, err
	}
	return user, nil
}

// RemoveUser implements [core.AccountStore].
func (s *Store) RemoveUser(ctx context.Context, userID int64, passwordHash string, audit *core.AuditEntry) error {
	return s.writeAudited(ctx, audit, func(ctx context.Context, tx *sqlx.Tx) error {
		if err := samePassword(ctx, tx, userID, passwordHash, nil); err != nil {
			return err
		}
		_, err := deleteUser(ctx, tx, userID)
		return err
	})
}

// deleteOtherTokens keeps one token of the user in the realm, or with an empty one in all.
const deleteOtherTokens = `DELETE FROM tokens WHERE user_id = ? AND (? = '' OR realm = ?) AND digest <> ?`

// ChangePassword implements [core.AccountStore].
func (s *Store) ChangePassword(ctx context.Context, c core.PasswordChange, audit *core.AuditEntry) (int, error) {
	var ended int64
	err := s.writeAudited(ctx, audit, func(ctx context.Context, tx *sqlx.Tx) (err error) {
		if err := samePassword(ctx, tx, c.UserID, c.Old, c.Link); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `UPDATE users SET password_hash = ? WHERE id = ?`, c.New, c.UserID); err != nil {
			return fmt.Errorf("update password: %w", err)
		}
		if err := loggedIn(ctx, tx, c.UserID, c.Link); err != nil {
			return err
		}
		if !c.EndTokens {
			return nil
		}
		if ended, err = record.Affected(tx.ExecContext(ctx, deleteOtherTokens, c.UserID, c.Realm, c.Realm, blob(c.Keep))); err != nil {
			return fmt.Errorf("delete tokens: %w", err)
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	return int(ended), nil
}

// tokensOf is the condition for tokens of the user ?1 in the realm ?2, or with an empty one in all.
const tokensOf = `user_id = ?1 AND (?2 = '' OR realm = ?2)`

const (
	moreTokens = `SELECT EXISTS (SELECT 1 FROM tokens WHERE ` + tokensOf + ` LIMIT 1 OFFSET ?3)`
	someTokens = `DELETE FROM tokens WHERE digest IN (SELECT digest FROM tokens WHERE ` + tokensOf + ` LIMIT ?3)`
)

// TrimTokens implements [core.Store].
func (s *Store) TrimTokens(ctx context.Context, userID int64, realm string, most int) (n int, err error) {
	more := false
	err = s.read(ctx, func(ctx context.Context) error {
		return s.reader.GetContext(ctx, &more, moreTokens, userID, realm, most)
	})
	if err == nil && more {
		err = s.write(ctx, func(ctx context.Context, tx *sqlx.Tx) error {
			gone, err := record.Affected(tx.ExecContext(ctx, someTokens, userID, realm, most))
			n = int(gone)
			return err
		})
	}
	if err != nil {
		return 0, fmt.Errorf("delete tokens: %w", err)
	}
	return n, nil
}

// samePassword fails with core.ErrNotFound, or with core.ErrPasswordChanged unless the user's
// encoded password is this one, and the link is good.
func samePassword(ctx context.Context, tx *sqlx.Tx, userID int64, encoded string, link *core.LinkUse) error {
	account, err := accountByID(ctx, tx, userID)
	if err == nil && (account.PasswordHash != encoded || !link.GoodFor(account)) {
		err = core.ErrPasswordChanged
	}
	return err
}

// loggedIn keeps the last login of a link, if it has one.
func loggedIn(ctx context.Context, tx *sqlx.Tx, userID int64, link *core.LinkUse) error {
	if !link.LogsIn() {
		return nil
	}
	if _, err := tx.ExecContext(ctx, `UPDATE users SET last_login = ? WHERE id = ?`, link.At.UnixMicro(), userID); err != nil {
		return fmt.Errorf("update last login: %w", err)
	}
	return nil
}

// ActivateUser implements [core.AccountStore].
func (s *Store) ActivateUser(ctx context.Context, userID int64, link core.LinkUse, audit *core.AuditEntry) error {
	return s.writeAudited(ctx, audit, func(ctx context.Context, tx *sqlx.Tx) error {
		account, err := accountByID(ctx, tx, userID)
		if err == nil && (account.Active || !link.GoodFor(account)) {
			err = core.ErrNotFound
		}
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `UPDATE users SET active = 1 WHERE id = ?`, userID); err != nil {
			return fmt.Errorf("activate user: %w", err)
		}
		return loggedIn(ctx, tx, userID, &link)
	})
}
