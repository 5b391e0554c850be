package live

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/store/django/tables"
	"github.com/authcompat/authcompat/store/internal/pgconn"
)

// CreateUser implements [core.Store].
func (s *Store) CreateUser(ctx context.Context, u core.NewUser, mint func(core.User) (core.Token, error), audit *core.AuditEntry) (core.User, error) {
	known, err := s.lookAhead(ctx, u.Distinct, 0, u.Username, u.Email)
	if err != nil {
		return core.User{}, err
	}
	var user core.User
	err = s.writeAudited(ctx, audit, func(ctx context.Context, tx *sql.Tx, l *layout) (err error) {
		if u.Distinct != (core.Distinct{}) {
			if err := l.readCommitted(ctx, tx); err != nil {
				return err
			}
			if err := l.distinct(ctx, tx, u.Distinct, 0, u.Username, u.Email, known); err != nil {
				return err
			}
		}
		if user, err = l.addUser(ctx, tx, u); err != nil {
			return err
		}
		if audit != nil {
			audit.UserID = user.ID
		}
		if u.KeepAddress && u.Email != "" {
			if err := l.keepAddress(ctx, tx, user.ID, u.Email, u.AddressVerified); err != nil {
				return err
			}
		}
		if mint == nil {
			return nil
		}
		token, err := mint(user)
		if err != nil {
			return err
		}
		return l.addToken(ctx, tx, token)
	})
	switch {
	case errors.Is(err, pgconn.ErrEncoding):
		return core.User{}, fmt.Errorf("%w: %w", core.ErrInvalidUser, err)
	case tables.TooLong(err) && s.layout.Load().holdsHash(u.PasswordHash): // as in a database that counts bytes
		return core.User{}, fmt.Errorf("%w: a column of Django's is too short", core.ErrInvalidUser)
	case refusedValue(err) != nil && s.takesWithoutAttributes(ctx, u):
		return core.User{}, refusedValue(err)
	case err != nil:
		return core.User{}, err
	}
	return user, nil
}

// errTaken rolls back a user who would be taken.
var errTaken = errors.New("the user would be taken")

// takesWithoutAttributes reports whether the user would be added if there were no attributes. If not, it may
// be a value of ours that the tables refuse, in a column for which none is known, and nothing that a client
// could do better.
func (s *Store) takesWithoutAttributes(ctx context.Context, u core.NewUser) bool {
	if len(u.Attributes) == 0 {
		return false
	}
	u.Attributes = nil
	err := s.write(ctx, func(ctx context.Context, tx *sql.Tx, l *layout) error {
		if _, err := l.addUser(ctx, tx, u); err != nil {
			return err
		}
		return errTaken
	})
	return errors.Is(err, errTaken)
}

// newAccount returns the account that a new user has, without its ID.
func newAccount(u core.NewUser) core.Account {
	account := core.Account{
		User:         core.User{Username: u.Username, Email: u.Email, Active: !u.Inactive, CreatedAt: u.CreatedAt.UTC()},
		PasswordHash: u.PasswordHash,
	}
	if len(u.Attributes) > 0 {
		account.Attributes = maps.Clone(u.Attributes)
	}
	return account
}

// checkLengths fails with core.ErrInvalidUser if a text of the account has more characters
// than its column, or is none of its type. SQLite would store it, but Django's own forms would then refuse the user,
// and PostgreSQL cuts off spaces.
func (l *layout) checkLengths(a core.Account) error {
	fields := l.decoder.UserFields(a, l.shape.Users)
	for _, c := range l.shape.Users.Columns {
		if text, ok := fields[c.Name].(string); ok && c.Name != l.decoder.Mapping.Password && !c.Fits(text) {
			return fmt.Errorf("%w: the column %s of Django's has room for %d characters", core.ErrInvalidUser, c.Name, c.Length)
		}
	}
	return l.checkTypes(a.Attributes)
}

// checkRights fails with core.ErrInvalidUser if an attribute that a client changes has a column with a right,
// or one that only the server writes: a mapping can give such a column another name than a profile refuses.
func (l *layout) checkRights(was, to map[string]string) error {
	m := l.decoder.Mapping
	for attribute, column := range l.decoder.AttributeColumns(l.shape.Users) {
		if slices.Contains([]string{"is_staff", "is_superuser", m.ID, l.shape.Users.KeyColumn(), m.Password, m.Active}, column.Name) && was[attribute] != to[attribute] {
			return fmt.Errorf("%w: no request writes the column %s of Django's", core.ErrInvalidUser, column.Name)
		}
	}
	return nil
}

// holdsHash reports whether the column of passwords has room for the hash.
func (l *layout) holdsHash(encoded string) bool {
	c, _ := l.shape.Users.Column(l.decoder.Mapping.Password)
	return c.Fits(encoded)
}

// addUser inserts the row of a user, and into an auxiliary table what Django has no
// column for.
func (l *layout) addUser(ctx context.Context, tx *sql.Tx, u core.NewUser) (core.User, error) {
	account := newAccount(u)
	if err := errors.Join(l.checkRights(nil, account.Attributes), l.checkLengths(account)); err != nil {
		return core.User{}, err
	}
	key, err := l.django.Writer(tx, l.decoder).InsertUser(ctx, l.decoder.UserFields(account, l.shape.Users), "", u.CreatedAt)
	if l.django.IsDuplicate(err) {
		return core.User{}, core.ErrUsernameTaken
	}
	if tables.IsFull(err) {
		err = l.explainFull(ctx, tx, err)
	}
	if err == nil {
		account.ID, err = strconv.ParseInt(key, 10, 64)
	}
	if err != nil {
		return core.User{}, fmt.Errorf("insert user: %w", err)
	}
	return account.User, l.putAttributes(ctx, tx, account.ID, l.besides(u.Attributes))
}

// forget deletes the attributes of a user who had the ID before and whom Django has deleted:
// manage.py flush makes the database give IDs again. A role that has no right to delete them
// needs none where there are none.
func (l *layout) forget(ctx context.Context, tx *sql.Tx, userID int64) error {
	var left bool
	err := tx.QueryRowContext(ctx, l.sql(`SELECT EXISTS (SELECT 1 FROM authcompat_users WHERE user_id = ?)`), userID).Scan(&left)
	if err == nil && left {
		_, err = tx.ExecContext(ctx, l.sql(`DELETE FROM authcompat_users WHERE user_id = ?`), userID)
	}
	if err != nil {
		return fmt.Errorf("delete attributes: %w", err)
	}
	return nil
}

// explainFull returns the error of an insert into a SQLite file, which says that the disk
// is full, too, where a row has the last ID there is (https://sqlite.org/autoinc.html).
func (l *layout) explainFull(ctx context.Context, tx *sql.Tx, err error) error {
	users := l.shape.Users
	for users.Base != nil {
		users = *users.Base
	}
	var last int64
	if read := tx.QueryRowContext(ctx, `SELECT seq FROM sqlite_sequence WHERE name = ?`, users.Name).Scan(&last); read != nil || last < math.MaxInt64 {
		return err
	}
	return fmt.Errorf("the last id that a row of %s can have, %d, is or was in use, so that no user can be added: %w", users.Name, last, err)
}

// Account implements [core.Store].
func (s *Store) Account(ctx context.Context, username string) (core.Account, error) {
	var rows []pairRow
	err := s.read(ctx, func(ctx context.Context, l *layout) (err error) {
		rows, err = l.find(ctx, l.db, `"users".`+l.django.Quote(l.decoder.Mapping.Username)+` = ?`, "", username)
		return err
	})
	if errors.Is(err, pgconn.ErrEncoding) || err == nil && len(rows) != 1 { // of two with one name, neither is certain to be meant
		err = core.ErrNotFound
	}
	if err != nil {
		return core.Account{}, err
	}
	return rows[0].account, nil
}

// UpdatePassword implements [core.Store].
func (s *Store) UpdatePassword(ctx context.Context, userID int64, old, encoded string, _ bool, audit *core.AuditEntry) error {
	return s.writeAudited(ctx, audit, func(ctx context.Context, tx *sql.Tx, l *layout) error {
		column := l.decoder.Mapping.Password
		result, err := l.setColumn(ctx, tx, column, encoded, userID, ` AND `+l.django.Quote(column)+` = ?`, old)
		return changed("update password", result, err)
	})
}

// setColumn sets a column of a user's row, in whichever part of it the column is, where the row meets
// a condition.
func (l *layout) setColumn(ctx context.Context, tx *sql.Tx, column string, value any, userID int64, condition string, args ...any) (sql.Result, error) {
	part, id := l.shape.Users, l.decoder.Mapping.ID
	for part.Base != nil && part.Base.Has(column) {
		part = *part.Base
		id = part.KeyColumn()
	}
	return tx.ExecContext(ctx, l.sql(`UPDATE `+l.django.TableName(part)+` SET `+l.django.Quote(column)+` = ? WHERE `+l.django.Quote(id)+` = ?`+condition),
		append([]any{value, userID}, args...)...)
}

// changed fails with core.ErrNotFound where a statement changed nothing.
func changed(doing string, result sql.Result, err error) error {
	if err != nil {
		return fmt.Errorf("%s: %w", doing, err)
	}
	if n, err := result.RowsAffected(); err != nil || n == 0 {
		return errors.Join(core.ErrNotFound, err)
	}
	return nil
}

// pairRow is a user, and a token if tokens were read.
type pairRow struct {
	account core.Account
	theirs  tables.Token
	key     string     // the primary key of Django's row
	token   core.Token // as the engine knows it
	issued  bool       // by this server, so that an auxiliary table has it
}

// auxColumns are those of authcompat_tokens, in the order that complete expects.
var auxColumns = []string{"digest", "realm", "issuer", "expires_at", "sliding", "reusable", "sealed", "seal_key", "created_at"}

// querier is a database or a transaction.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// find reads users, with what the auxiliary tables have of them.
func (l *layout) find(ctx context.Context, q querier, condition, tail string, args ...any) ([]pairRow, error) {
	return l.query(ctx, q, false, condition, tail, args...)
}

// findTokens reads tokens with their users.
func (l *layout) findTokens(ctx context.Context, q querier, condition, tail string, args ...any) ([]pairRow, error) {
	return l.query(ctx, q, true, condition, tail, args...)
}

// query reads users, or tokens with their users, as rows of text.
func (l *layout) query(ctx context.Context, q querier, tokens bool, condition, tail string, args ...any) ([]pairRow, error) {
	columns, statement := l.selectRows(tokens, condition, tail)
	found, err := q.QueryContext(ctx, l.sql(statement), args...)
	if err != nil {
		return nil, err
	}
	defer found.Close()
	values := make([]sql.NullString, columns)
	targets := make([]any, len(values))
	for i := range values {
		targets[i] = &values[i]
	}
	var rows []pairRow
	for found.Next() {
		if err := found.Scan(targets...); err != nil {
			return nil, err
		}
		row, err := l.pair(values, tokens)
		switch {
		case errors.Is(err, errUnreadable):
			continue
		case err != nil:
			return nil, err
		}
		rows = append(rows, row)
	}
	return rows, found.Err()
}

// selectRows returns the statement that reads users, or tokens with their users, and how many
// columns it has.
func (l *layout) selectRows(tokens bool, condition, tail string) (width int, statement string) {
	var columns []string
	add := func(alias string, t tables.Table) {
		for _, c := range t.Columns {
			columns = append(columns, l.django.TextExpr(c, alias+"."+l.django.Quote(c.Name)))
		}
	}
	id := `"users".` + l.django.Quote(l.decoder.Mapping.ID)
	add(`"users"`, l.shape.Users)
	columns = append(columns, "a.attributes")
	from := l.django.FromClause(l.shape.Users, `"users"`) + ` LEFT JOIN authcompat_users a ON a.user_id = ` + id
	if tokens {
		add("k", l.tokens.Table)
		for _, column := range auxColumns {
			columns = append(columns, l.django.TextExpr(tables.Column{}, "o."+column))
		}
		from = l.django.TableName(l.tokens.Table) + ` k JOIN ` + l.django.FromClause(l.shape.Users, `"users"`) + ` ON ` + id + ` = k.user_id
			LEFT JOIN authcompat_users a ON a.user_id = ` + id + `
			LEFT JOIN authcompat_tokens o ON o.token = k.` + l.django.Quote(l.tokens.IDColumn())
	}
	return len(columns), `SELECT ` + strings.Join(columns, ", ") + ` FROM ` + from + ` WHERE ` + condition + tail
}

// pair decodes one row of query.
func (l *layout) pair(values []sql.NullString, tokens bool) (p pairRow, err error) {
	users := len(l.shape.Users.Columns)
	if p.account, err = l.decoder.Account(l.shape.Users.Row(values[:users])); err != nil {
		return p, fmt.Errorf("user: %w", err)
	}
	if err := addAttributes(&p.account, values[users]); err != nil || !tokens {
		return p, err
	}
	rest := values[users+1:]
	theirs := len(l.tokens.Columns)
	if p.theirs, err = l.decoder.RawToken(l.tokens, l.tokens.Table.Row(rest[:theirs])); err != nil {
		return p, fmt.Errorf("%w: %w", errUnreadable, err)
	}
	for i, c := range l.tokens.Columns {
		if c.Name == l.tokens.IDColumn() {
			p.key = rest[i].String
		}
	}
	return p, l.complete(&p, rest[theirs:])
}

// errUnreadable is a token that Django can't use either.
var errUnreadable = errors.New("token can't be read")

// addAttributes adds those of the auxiliary table. Django's columns take precedence.
func addAttributes(a *core.Account, text sql.NullString) error {
	if !text.Valid {
		return nil
	}
	var kept map[string]string
	if err := json.Unmarshal([]byte(text.String), &kept); err != nil {
		return fmt.Errorf("attributes of user %d are not an object of texts: %w", a.ID, err)
	}
	maps.Copy(kept, a.Attributes)
	a.Attributes = kept
	return nil
}
