package record

import (
	"database/sql"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/store/internal/driverrow"
)

// Token is a row of tokens. Times are in microseconds since 1970, durations in
// microseconds.
type Token struct {
	Digest    []byte        `db:"digest"`
	UserID    int64         `db:"user_id"`
	Realm     string        `db:"realm"`
	Issuer    string        `db:"issuer"`
	CreatedAt int64         `db:"created_at"`
	ExpiresAt sql.NullInt64 `db:"expires_at"`
	Sliding   int64         `db:"sliding"`
	Reusable  bool          `db:"reusable"`
	Sealed    []byte        `db:"sealed"`
	SealKey   string        `db:"seal_key"`
	LegacyForm
}

// TakeFound takes what a look-up by the digest selects of a token and its user, in this order.
func TakeFound(row *driverrow.Row, t *Token, u *Account) error {
	t.UserID, t.Issuer, t.CreatedAt, t.ExpiresAt, t.Sliding = row.Integer(), row.Text(), row.Integer(), row.NullInteger(), row.Integer()
	t.Reusable, t.Sealed, t.SealKey = row.Bool(), row.Blob(), row.Text()
	u.Username, u.Email, u.Active, u.Attributes, u.CreatedAt = row.Text(), row.Text(), row.Bool(), row.NullText(), row.Integer()
	return row.Err()
}

// OfToken returns the row of a token.
func OfToken(t core.Token) Token {
	return Token{
		Digest: t.Digest, UserID: t.UserID, Realm: t.Realm, Issuer: t.Issuer,
		CreatedAt: t.CreatedAt.UnixMicro(),
		ExpiresAt: sql.NullInt64{Int64: t.ExpiresAt.UnixMicro(), Valid: !t.ExpiresAt.IsZero()},
		Sliding:   t.Sliding.Microseconds(),
		Reusable:  t.Reusable, Sealed: t.Sealed, SealKey: t.SealKey,
		LegacyForm: OfLegacy(t.Legacy),
	}
}

// Core converts the row to the engine's type, without a legacy form.
func (r Token) Core() core.Token {
	t := core.Token{
		Digest: r.Digest, UserID: r.UserID, Realm: r.Realm, Issuer: r.Issuer,
		CreatedAt: Time(r.CreatedAt),
		Sliding:   time.Duration(r.Sliding) * time.Microsecond,
		Reusable:  r.Reusable, Sealed: r.Sealed, SealKey: r.SealKey,
	}
	if r.ExpiresAt.Valid {
		t.ExpiresAt = Time(r.ExpiresAt.Int64)
	}
	return t
}

// LegacyForm has the columns of a token's legacy form.
type LegacyForm struct {
	Format       sql.NullString `db:"generation"`
	Prefix       sql.NullString `db:"prefix"`
	Salt         []byte         `db:"salt"`
	LegacyDigest []byte         `db:"twin"`
}

// OfLegacy returns the columns for a legacy form.
func OfLegacy(l core.Legacy) LegacyForm {
	return LegacyForm{
		Format: sql.NullString{String: string(l.Format), Valid: l.Format != ""},
		Prefix: sql.NullString{String: l.Prefix, Valid: l.Prefix != ""},
		Salt:   l.Salt, LegacyDigest: l.Digest,
	}
}

// Legacy converts the columns to the engine's type.
func (r LegacyForm) Legacy() core.Legacy {
	return core.Legacy{Format: core.LegacyFormat(r.Format.String), Prefix: r.Prefix.String, Salt: r.Salt, Digest: r.LegacyDigest}
}
