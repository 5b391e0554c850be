// Package record has the rows that both SQL stores share, as sqlx reads and writes
// them, and converts them to and from the engine's types. Each store has its own
// statements and transactions.
package record

import (
	"database/sql"
	"encoding/json"
	"fmt"

	"github.com/authcompat/authcompat/core"
)

// Account is a row of users.
type Account struct {
	ID           int64          `db:"id"`
	Username     string         `db:"username"`
	Email        string         `db:"email"`
	PasswordHash string         `db:"password_hash"`
	Active       bool           `db:"active"`
	Attributes   sql.NullString `db:"attributes"`
	CreatedAt    int64          `db:"created_at"`
	LastLogin    sql.NullInt64  `db:"last_login"`
}

// Core converts the row to the engine's type. It fails if the attributes are not a JSON
// object of strings.
func (r Account) Core() (core.Account, error) {
	attributes, err := decodeAttributes(r.ID, r.Attributes)
	account := core.Account{
		User: core.User{
			ID: r.ID, Username: r.Username, Email: r.Email, Active: r.Active,
			Attributes: attributes, CreatedAt: Time(r.CreatedAt),
		},
		PasswordHash: r.PasswordHash,
	}
	if r.LastLogin.Valid {
		account.LastLogin = Time(r.LastLogin.Int64)
	}
	return account, err
}

// OfAccount returns the row of an account.
func OfAccount(a core.Account) (Account, error) {
	attributes, err := EncodeAttributes(a.Attributes)
	return Account{
		ID: a.ID, Username: a.Username, Email: a.Email, PasswordHash: a.PasswordHash,
		Active: a.Active, Attributes: attributes, CreatedAt: a.CreatedAt.UnixMicro(),
		LastLogin: sql.NullInt64{Int64: a.LastLogin.UnixMicro(), Valid: !a.LastLogin.IsZero()},
	}, err
}

// EncodeAttributes returns the column's JSON, or NULL if there are no attributes.
func EncodeAttributes(a map[string]string) (sql.NullString, error) {
	if len(a) == 0 {
		return sql.NullString{}, nil
	}
	text, err := json.Marshal(a)
	if err != nil {
		return sql.NullString{}, fmt.Errorf("encode attributes: %w", err)
	}
	return sql.NullString{String: string(text), Valid: true}, nil
}

// decodeAttributes decodes the column of a user; NULL becomes nil.
func decodeAttributes(userID int64, text sql.NullString) (a map[string]string, err error) {
	if !text.Valid {
		return nil, nil
	}
	if err := json.Unmarshal([]byte(text.String), &a); err != nil {
		return nil, fmt.Errorf("attributes of user %d are not an object of texts: %w", userID, err)
	}
	return a, nil
}
