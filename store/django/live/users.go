package live

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"strconv"
	"strings"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/store/django/tables"
)

// CreateUser implements [core.Store].
func (s *Store) CreateUser(ctx context.Context, u core.NewUser, mint func(core.User) (core.Token, error), audit *core.AuditEntry) (core.User, error) {
	var user core.User
	err := s.writeAudited(ctx, audit, func(ctx context.Context, tx *sql.Tx) (err error) {
		if user, err = s.addUser(ctx, tx, u); err != nil {
			return err
		}
		if audit != nil {
			audit.UserID = user.ID
		}
		if mint == nil {
			return nil
		}
		token, err := mint(user)
		if err != nil {
			return err
		}
		return s.addToken(ctx, tx, token)
	})
	if err != nil {
		return core.User{}, err
	}
	return user, nil
}

// addUser inserts the row of a user, and into an auxiliary table what Django has no
// column for.
func (s *Store) addUser(ctx context.Context, tx *sql.Tx, u core.NewUser) (core.User, error) {
	account := core.Account{
		User:         core.User{Username: u.Username, Email: u.Email, Active: !u.Inactive, CreatedAt: u.CreatedAt.UTC()},
		PasswordHash: u.PasswordHash,
	}
	if len(u.Attributes) > 0 {
		account.Attributes = maps.Clone(u.Attributes)
	}
	key, err := s.django.Writer(tx, s.decoder).InsertUser(ctx, s.decoder.UserFields(account, s.shape.Users), "", u.CreatedAt)
	if s.django.IsDuplicate(err) {
		return core.User{}, core.ErrUsernameTaken
	}
	if tables.IsFull(err) {
		err = s.explainFull(ctx, tx, err)
	}
	if err == nil {
		account.ID, err = strconv.ParseInt(key, 10, 64)
	}
	if err != nil {
		return core.User{}, fmt.Errorf("insert user: %w", err)
	}
	if len(u.Attributes) == 0 {
		return account.User, nil
	}
	text, err := json.Marshal(u.Attributes)
	if err != nil {
		return core.User{}, fmt.Errorf("encode attributes: %w", err)
	}
	if _, err := tx.ExecContext(ctx, s.sql(`INSERT INTO authcompat_users (user_id, attributes) VALUES (?, ?)`), account.ID, string(text)); err != nil {
		return core.User{}, fmt.Errorf("insert attributes: %w", err)
	}
	return account.User, nil
}

// explainFull returns the error of an insert into a SQLite file, which says that the disk
// is full, too, where a row has the last ID there is (https://sqlite.org/autoinc.html).
func (s *Store) explainFull(ctx context.Context, tx *sql.Tx, err error) error {
	users := s.shape.Users
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
	err := s.read(ctx, func(ctx context.Context) (err error) {
		rows, err = s.find(ctx, s.db, `"users".`+s.django.Quote(s.decoder.Mapping.Username)+` = ?`, "", username)
		return err
	})
	if err == nil && len(rows) != 1 { // of two with one name, neither is certain to be meant
		err = core.ErrNotFound
	}
	if err != nil {
		return core.Account{}, err
	}
	return rows[0].account, nil
}

// UpdatePassword implements [core.Store].
func (s *Store) UpdatePassword(ctx context.Context, userID int64, old, encoded string, _ bool, audit *core.AuditEntry) error {
	m := s.decoder.Mapping
	part, id := s.shape.Users, m.ID
	for part.Base != nil && part.Base.Has(m.Password) {
		part = *part.Base
		id = part.KeyColumn()
	}
	return s.writeAudited(ctx, audit, func(ctx context.Context, tx *sql.Tx) error {
		result, err := tx.ExecContext(ctx, s.sql(`UPDATE `+s.django.TableName(part)+` SET `+s.django.Quote(m.Password)+` = ? WHERE `+
			s.django.Quote(id)+` = ? AND `+s.django.Quote(m.Password)+` = ?`), encoded, userID, old)
		return changed("update password", result, err)
	})
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
func (s *Store) find(ctx context.Context, q querier, condition, tail string, args ...any) ([]pairRow, error) {
	return s.query(ctx, q, false, condition, tail, args...)
}

// findTokens reads tokens with their users.
func (s *Store) findTokens(ctx context.Context, q querier, condition, tail string, args ...any) ([]pairRow, error) {
	return s.query(ctx, q, true, condition, tail, args...)
}

// query reads users, or tokens with their users, as rows of text.
func (s *Store) query(ctx context.Context, q querier, tokens bool, condition, tail string, args ...any) ([]pairRow, error) {
	var columns []string
	add := func(alias string, t tables.Table) {
		for _, c := range t.Columns {
			columns = append(columns, s.django.TextExpr(c, alias+"."+s.django.Quote(c.Name)))
		}
	}
	id := `"users".` + s.django.Quote(s.decoder.Mapping.ID)
	add(`"users"`, s.shape.Users)
	columns = append(columns, "a.attributes")
	from := s.django.FromClause(s.shape.Users, `"users"`) + ` LEFT JOIN authcompat_users a ON a.user_id = ` + id
	if tokens {
		add("k", s.tokens.Table)
		for _, column := range auxColumns {
			columns = append(columns, s.django.TextExpr(tables.Column{}, "o."+column))
		}
		from = s.django.TableName(s.tokens.Table) + ` k JOIN ` + s.django.FromClause(s.shape.Users, `"users"`) + ` ON ` + id + ` = k.user_id
			LEFT JOIN authcompat_users a ON a.user_id = ` + id + `
			LEFT JOIN authcompat_tokens o ON o.token = k.` + s.django.Quote(s.tokens.IDColumn())
	}
	found, err := q.QueryContext(ctx, s.sql(`SELECT `+strings.Join(columns, ", ")+` FROM `+from+` WHERE `+condition+tail), args...)
	if err != nil {
		return nil, err
	}
	defer found.Close()
	values := make([]sql.NullString, len(columns))
	targets := make([]any, len(values))
	for i := range values {
		targets[i] = &values[i]
	}
	var rows []pairRow
	for found.Next() {
		if err := found.Scan(targets...); err != nil {
			return nil, err
		}
		row, err := s.pair(values, tokens)
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

// pair decodes one row of query.
func (s *Store) pair(values []sql.NullString, tokens bool) (p pairRow, err error) {
	users := len(s.shape.Users.Columns)
	if p.account, err = s.decoder.Account(s.shape.Users.Row(values[:users])); err != nil {
		return p, fmt.Errorf("user: %w", err)
	}
	if err := addAttributes(&p.account, values[users]); err != nil || !tokens {
		return p, err
	}
	rest := values[users+1:]
	theirs := len(s.tokens.Columns)
	if p.theirs, err = s.decoder.RawToken(s.tokens, s.tokens.Table.Row(rest[:theirs])); err != nil {
		return p, fmt.Errorf("%w: %w", errUnreadable, err)
	}
	for i, c := range s.tokens.Columns {
		if c.Name == s.tokens.IDColumn() {
			p.key = rest[i].String
		}
	}
	return p, s.complete(&p, rest[theirs:])
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
