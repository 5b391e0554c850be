package live

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strconv"
	"strings"

	"github.com/lib/pq"
	"github.com/lib/pq/pqerror"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/spelling"
	"github.com/authcompat/authcompat/store/django/tables"
	"github.com/authcompat/authcompat/store/internal/pgconn"
)

// id is the column of a user's ID.
func (l *layout) id() string { return `"users".` + l.django.Quote(l.decoder.Mapping.ID) }

// AccountByID implements [core.AccountStore].
func (s *Store) AccountByID(ctx context.Context, userID int64) (account core.Account, err error) {
	err = s.read(ctx, func(ctx context.Context, l *layout) (err error) {
		account, err = l.accountByID(ctx, l.db, userID, "")
		return err
	})
	return account, err
}

// accountByID reads an account, or fails with core.ErrNotFound. tail ends the statement.
func (l *layout) accountByID(ctx context.Context, q querier, userID int64, tail string) (core.Account, error) {
	rows, err := l.find(ctx, q, l.id()+` = ?`, tail, userID)
	switch {
	case err != nil:
		return core.Account{}, fmt.Errorf("select user: %w", err)
	case len(rows) == 0:
		return core.Account{}, core.ErrNotFound
	}
	return rows[0].account, nil
}

// FindAccounts implements [core.AccountStore]. Django has no index for it where case does not
// matter: as with its iexact, all users are looked at. Since when users have had their address, Django does
// not keep: those with one come by the age of their accounts.
func (s *Store) FindAccounts(ctx context.Context, by core.Identifier, text string, caseBlind bool, limit int) ([]core.Account, error) {
	return s.findAccounts(ctx, by, text, caseBlind, limit, func(*layout) string { return "TRUE" })
}

// FindRecipients implements [core.AccountStore].
func (s *Store) FindRecipients(ctx context.Context, email string, caseBlind, active bool, limit int) ([]core.Account, error) {
	return s.findAccounts(ctx, core.ByEmail, email, caseBlind, limit, func(l *layout) string {
		name := l.decoder.Mapping.Active
		switch {
		case name == "" && active: // everybody is
			return "TRUE"
		case name == "":
			return "FALSE"
		case active:
			return `"users".` + l.django.Quote(name)
		}
		return `NOT "users".` + l.django.Quote(name)
	})
}

// findAccounts is FindAccounts, of those who meet a condition.
func (s *Store) findAccounts(ctx context.Context, by core.Identifier, text string, caseBlind bool, limit int, meets func(*layout) string) (accounts []core.Account, err error) {
	err = s.read(ctx, func(ctx context.Context, l *layout) error {
		name := l.decoder.Mapping.Username
		if by == core.ByEmail {
			name = l.decoder.Mapping.Email
		}
		accounts = nil
		if name == "" || text == "" {
			return nil
		}
		column := `"users".` + l.django.Quote(name)
		order := l.id()
		if created := l.decoder.Mapping.Created; by == core.ByEmail && created != "" {
			order = `"users".` + l.django.Quote(created) + `, ` + order
		}
		condition, args := column+` = ?`, []any{text}
		switch {
		case caseBlind:
			condition, args = l.lowered(column)+` = ?`, []any{spelling.LowerASCII(text)}
		case by == core.ByEmail: // the column's own comparison is for an index, and may take other texts for this one
			condition, args = condition+` AND `+l.exactly(column)+` = ?`, append(args, text)
		}
		rows, err := l.find(ctx, l.db, condition+` AND `+meets(l), ` ORDER BY `+order+` LIMIT `+strconv.Itoa(limit), args...)
		for _, row := range rows {
			accounts = append(accounts, row.account)
		}
		return err
	})
	if errors.Is(err, pgconn.ErrEncoding) {
		return nil, nil // such a text is nobody's
	}
	return accounts, err
}

// Users implements [core.AccountStore].
func (s *Store) Users(ctx context.Context, f core.UserFilter, limit int) (users []core.User, err error) {
	err = s.readAll(ctx, func(ctx context.Context, l *layout) error {
		condition := l.id() + ` > ?`
		if f.Inactive && l.decoder.Mapping.Active == "" {
			return nil
		}
		if f.Inactive {
			condition += ` AND NOT ` + `"users".` + l.django.Quote(l.decoder.Mapping.Active)
		}
		args := []any{f.After}
		if f.IDs != nil {
			condition += ` AND ` + l.id() + ` IN (NULL` + strings.Repeat(`, ?`, len(f.IDs)) + `)` // NULL equals no id
			for _, id := range f.IDs {
				args = append(args, id)
			}
		}
		rows, err := l.find(ctx, l.db, condition, ` ORDER BY `+l.id()+` LIMIT `+strconv.Itoa(limit), args...)
		users = nil
		for _, row := range rows {
			users = append(users, row.account.User)
		}
		return err
	})
	return users, err
}

// checkTypes fails with core.ErrInvalidUser if an attribute that has a column is no value of
// its type. SQLite would store it, and Django then fail on it.
func (l *layout) checkTypes(attributes map[string]string) error {
	for attribute, column := range l.decoder.AttributeColumns(l.shape.Users) {
		if text, ok := attributes[attribute]; ok && !column.Takes(text) {
			return fmt.Errorf("%w: the column %s of Django's holds values of the type %s", core.ErrInvalidUser, column.Name, column.Kind)
		}
	}
	return nil
}

// changes returns the columns of Django's that differ between two states of a user.
func (l *layout) changes(was, to core.Account) (map[string]any, error) {
	before, after := l.decoder.UserFields(was, l.shape.Users), l.decoder.UserFields(to, l.shape.Users)
	for attribute, column := range l.decoder.AttributeColumns(l.shape.Users) {
		_, had := was.Attributes[attribute]
		if _, has := to.Attributes[attribute]; !had || has {
			continue
		}
		empty, ok := column.Empty()
		if !ok {
			return nil, fmt.Errorf("%w: the column %s of Django's can't be empty", core.ErrInvalidUser, column.Name)
		}
		after[column.Name] = empty
	}
	for column, value := range after {
		if same, there := before[column]; there && same == value || column == l.decoder.Mapping.Created || column == l.decoder.Mapping.Password {
			delete(after, column)
		}
	}
	return after, nil
}

// besides returns the attributes that no column of Django's holds.
func (l *layout) besides(attributes map[string]string) map[string]string {
	rest := maps.Clone(attributes)
	for attribute := range l.decoder.AttributeColumns(l.shape.Users) {
		if rest[attribute] != "" {
			delete(rest, attribute)
		}
	}
	return rest
}

// sameUser reports whether both have the same texts.
func sameUser(a, b core.User) bool {
	return a.Username == b.Username && a.Email == b.Email && maps.Equal(a.Attributes, b.Attributes)
}

// UpdateUser implements [core.AccountStore].
func (s *Store) UpdateUser(ctx context.Context, c core.UserChange, audit *core.AuditEntry) (user core.User, err error) {
	was, to := c.Was, c.To
	known, err := s.lookAhead(ctx, c.Distinct.Changed(was, to), was.ID, to.Username, to.Email)
	if err != nil {
		return core.User{}, err
	}
	err = s.writeAudited(ctx, audit, func(ctx context.Context, tx *sql.Tx, l *layout) error {
		if err := l.readCommitted(ctx, tx); err != nil {
			return err
		}
		// What the auxiliary table has is read once the user's row is locked: the statement that
		// waits for the lock shows the attributes of before.
		if _, err := l.accountByID(ctx, tx, was.ID, l.django.LockUsers()); err != nil {
			return err
		}
		now, err := l.accountByID(ctx, tx, was.ID, "")
		if err != nil {
			return err
		}
		if !sameUser(now.User, was) || !c.Link.GoodFor(now) {
			return core.ErrConflict
		}
		if l.decoder.Mapping.Email == "" && to.Email != was.Email {
			return fmt.Errorf("%w: %s has no column for an address", core.ErrInvalidUser, l.shape.Users)
		}
		if l.decoder.Mapping.Email == l.decoder.Mapping.Username && to.Username == was.Username {
			to.Username = to.Email // both are one column
		}
		next := now
		next.Username, next.Email, next.Attributes, next.Active = to.Username, to.Email, to.Attributes, now.Active && to.Active
		if err := errors.Join(l.checkRights(was.Attributes, to.Attributes), l.checkLengths(next)); err != nil {
			return err
		}
		if err := l.distinct(ctx, tx, c.Distinct.Changed(was, to), was.ID, to.Username, to.Email, known); err != nil {
			return err
		}
		changes, err := l.changes(now, next)
		if err != nil {
			return err
		}
		err = l.django.Writer(tx, l.decoder).UpdateUser(ctx, strconv.FormatInt(was.ID, 10), changes)
		switch {
		case l.django.IsDuplicate(err) && to.Username == was.Username:
			return core.ErrEmailTaken
		case l.django.IsDuplicate(err):
			return core.ErrUsernameTaken
		case err != nil:
			return fmt.Errorf("update user: %w", err)
		}
		if err := l.loggedIn(ctx, tx, was.ID, c.Link); err != nil {
			return err
		}
		if c.Moves() {
			if err := s.outdateMails(ctx, tx, l, was.ID); err != nil {
				return err
			}
		}
		if err := l.putAttributes(ctx, tx, was.ID, l.besides(to.Attributes)); err != nil {
			return err
		}
		kept, err := l.accountByID(ctx, tx, was.ID, "")
		user = kept.User
		return err
	})
	switch {
	case errors.Is(err, pgconn.ErrEncoding):
		return core.User{}, fmt.Errorf("%w: %w", core.ErrInvalidUser, err)
	case tables.TooLong(err):
		return core.User{}, fmt.Errorf("%w: a column of Django's is too short", core.ErrInvalidUser)
	case refusedValue(err) != nil:
		return core.User{}, refusedValue(err)
	case err != nil:
		return core.User{}, err
	}
	return user, nil
}

// putAttributes replaces what the auxiliary table has of a user.
func (l *layout) putAttributes(ctx context.Context, tx *sql.Tx, userID int64, attributes map[string]string) error {
	if err := l.forget(ctx, tx, userID); err != nil || len(attributes) == 0 {
		return err
	}
	text, err := json.Marshal(attributes)
	if err != nil {
		return fmt.Errorf("encode attributes: %w", err)
	}
	if _, err := tx.ExecContext(ctx, l.sql(`INSERT INTO authcompat_users (user_id, attributes) VALUES (?, ?)`), userID, string(text)); err != nil {
		return fmt.Errorf("insert attributes: %w", err)
	}
	return nil
}

// samePassword locks the user's row and fails with core.ErrNotFound, or with
// core.ErrPasswordChanged unless the user's encoded password is this one.
func (l *layout) samePassword(ctx context.Context, tx *sql.Tx, userID int64, encoded string, link *core.LinkUse) error {
	account, err := l.accountByID(ctx, tx, userID, l.django.LockUsers())
	if err == nil && (account.PasswordHash != encoded || !link.GoodFor(account)) {
		err = core.ErrPasswordChanged
	}
	return err
}

// RemoveUser implements [core.AccountStore]. Of the rows that refer to the user, it deletes
// those that Django's own models and the tables of tokens have; with any others, it fails with
// core.ErrUnsupported: whether they go too, or stay without a user, or keep the user from being
// deleted, is known to the application alone.
func (s *Store) RemoveUser(ctx context.Context, userID int64, passwordHash string, audit *core.AuditEntry) error {
	err := s.writeAudited(ctx, audit, func(ctx context.Context, tx *sql.Tx, l *layout) error {
		if err := l.samePassword(ctx, tx, userID, passwordHash, nil); err != nil {
			return err
		}
		var referred *tables.ReferredError
		err := l.django.Writer(tx, l.decoder).DeleteUser(ctx, strconv.FormatInt(userID, 10))
		if errors.As(err, &referred) {
			return fmt.Errorf("%w: %w", core.ErrUnsupported, err)
		}
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, l.sql(`DELETE FROM authcompat_tokens WHERE user_id = ?`), userID); err != nil {
			return fmt.Errorf("delete tokens: %w", err)
		}
		return l.forget(ctx, tx, userID)
	})
	if pq.As(err, pqerror.InsufficientPrivilege) != nil {
		return fmt.Errorf("%w: %w", core.ErrUnsupported, err)
	}
	return err
}

// ChangePassword implements [core.AccountStore].
func (s *Store) ChangePassword(ctx context.Context, c core.PasswordChange, audit *core.AuditEntry) (ended int, err error) {
	err = s.writeAudited(ctx, audit, func(ctx context.Context, tx *sql.Tx, l *layout) error {
		if c.EndTokens { // also those of logins that it waits for
			if err := l.readCommitted(ctx, tx); err != nil {
				return err
			}
		}
		if err := l.samePassword(ctx, tx, c.UserID, c.Old, c.Link); err != nil {
			return err
		}
		changes := map[string]any{l.decoder.Mapping.Password: c.New}
		if err := l.django.Writer(tx, l.decoder).UpdateUser(ctx, strconv.FormatInt(c.UserID, 10), changes); err != nil {
			return fmt.Errorf("update password: %w", err)
		}
		if err := l.loggedIn(ctx, tx, c.UserID, c.Link); err != nil {
			return err
		}
		if !c.EndTokens {
			return nil
		}
		keep, err := "", error(nil)
		if len(c.Keep) > 0 {
			if keep, err = l.keyOfDigest(ctx, tx, c.Keep); err != nil && !errors.Is(err, core.ErrNotFound) {
				return err
			}
		}
		ended, err = l.deleteTokens(ctx, tx, c.UserID, c.Realm, keep)
		return err
	})
	if err != nil {
		return 0, err
	}
	return ended, nil
}

// ActivateUser implements [core.AccountStore]. It fails with core.ErrNotFound, too, where users have no
// column that says who is active.
func (s *Store) ActivateUser(ctx context.Context, userID int64, link core.LinkUse, audit *core.AuditEntry) error {
	return s.writeAudited(ctx, audit, func(ctx context.Context, tx *sql.Tx, l *layout) error {
		rows, err := l.find(ctx, tx, `"users".`+l.django.Quote(l.decoder.Mapping.ID)+` = ?`, l.django.LockUsers(), userID)
		if err != nil {
			return fmt.Errorf("select user: %w", err)
		}
		if len(rows) != 1 || rows[0].account.Active || !link.GoodFor(rows[0].account) {
			return core.ErrNotFound
		}
		result, err := l.setColumn(ctx, tx, l.decoder.Mapping.Active, l.django.Encode(true, l.decoder.Zone), userID, ``)
		if err := changed("activate user", result, err); err != nil {
			return err
		}
		return l.loggedIn(ctx, tx, userID, &link)
	})
}
