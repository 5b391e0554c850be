package tables

import (
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/transfer"
)

// Decoder decodes rows into users and tokens.
type Decoder struct {
	Mapping Mapping
	// Zone applies to times stored without a zone: UTC if Django has USE_TZ.
	Zone *time.Location
	// Live is set if rows are served in place of Django. Values that are malformed but
	// that Django tolerates are no error then.
	Live bool
}

// notAttributes returns the columns of a user that mean nothing outside Django, or
// change with each login there.
func notAttributes() []string { return []string{"last_login", "groups", "user_permissions"} }

// User returns the user in a row, with the key by which the source's tokens refer to
// it. The error says what is wrong with the row, without any secret; the user is
// returned even so, as far as it is valid.
func (d Decoder) User(row Row) (transfer.ImportedUser, error) {
	u := transfer.ImportedUser{}
	key, ok := row.get(d.Mapping.ID)
	if ok && !utf8.ValidString(key) && !d.Live {
		return u, errNoTextKey(d.Mapping.ID)
	}
	if u.Key = key; !ok {
		u.Key = transfer.NaturalKey(row.Text(d.Mapping.Username))
	}
	var err error
	u.Account, err = d.Account(row)
	return u, err
}

// errNoTextKey is the error for a key that is not UTF-8, which stores can't keep.
func errNoTextKey(column string) error {
	return fmt.Errorf("column %s: its bytes are no text", column)
}

// Account returns the user in a row. The ID is 0 if the key is not an integer, or not
// one that a user can have here.
func (d Decoder) Account(row Row) (core.Account, error) {
	m := d.Mapping
	a := core.Account{User: core.User{CreatedAt: time.Unix(0, 0).UTC()}}
	var wrong error
	number := m.number
	if d.Live {
		number = m.ID
	}
	if n, err := integer(row.Text(number)); err == nil && m.Numbered && (n > 0 || d.Live) {
		a.ID = n
	}
	a.Username, a.Email, a.PasswordHash = m.Named(row.Text(m.Username)), row.Text(m.Email), row.Text(m.Password)
	// Django treats NULL as inactive when it checks a token
	// (rest_framework/authentication.py).
	a.Active = m.Active == ""
	if text, ok := row.get(m.Active); ok && m.Active != "" {
		var err error
		if a.Active, err = boolean(text); err != nil && !d.Live {
			wrong = fmt.Errorf("column %s: %w", m.Active, err)
		}
	}
	if text, ok := row.get(m.Created); ok && m.Created != "" {
		created, err := instant(text, d.Zone)
		switch {
		case err == nil:
			a.CreatedAt = created
		case !d.Live && wrong == nil:
			wrong = fmt.Errorf("column %s: %w", m.Created, err)
		}
	}
	a.LastLogin, _ = d.LastLogin(row)
	a.Attributes = d.attributes(row)
	return a, wrong
}

// attributes returns the columns that have no field of their own in the engine. Empty
// values and false rights are left out, since an absent attribute means the same.
func (d Decoder) attributes(row Row) map[string]string {
	var all map[string]string
	keep := func(attribute, column string) {
		text := row.Text(column)
		if column == "is_staff" || column == "is_superuser" {
			yes, err := boolean(text)
			if err != nil || !yes {
				return
			}
			text = "true"
		}
		if text != "" {
			if all == nil {
				all = make(map[string]string)
			}
			all[attribute] = text
		}
	}
	if d.Mapping.Attributes != nil {
		for attribute, column := range d.Mapping.Attributes {
			keep(attribute, column)
		}
		return all
	}
	for _, column := range d.Mapping.extra {
		keep(column, column)
	}
	return all
}

// Token is a token as an older server stores it.
type Token struct {
	// Text is the token itself, if the table stores it.
	Text string
	// Digest and Legacy describe the token otherwise.
	Digest core.Digest
	core.Legacy
	// Owner is the key of its user in the source; empty if Username, the user's natural
	// key, identifies the user (dumpdata --natural-foreign).
	Owner, Username string
	// UserID is Owner as a number, or 0 if it is not one.
	UserID             int64
	CreatedAt, Expires time.Time // zero: never, or unknown
}

// Token returns the token in a row of a table. The error says why it can't be imported,
// without any secret.
func (d Decoder) Token(table TokenTable, row Row) (Token, error) {
	t, err := d.RawToken(table, row)
	switch {
	case err != nil || table.Format == core.Authtoken:
		return t, err
	case t.Prefix == "":
		return t, errors.New("it has no token_key to be found by (knox before 2.2.1 wrote none)")
	case table.Format == core.Knox5 && len(t.Prefix) == knox4PrefixLimit:
		return t, errors.New("it was left behind by knox 4, and knox 5 refuses it already")
	case !table.DeadBefore.IsZero() && t.CreatedAt.Before(table.DeadBefore):
		return t, errors.New("it was made before knox 4.2 took the salts away, and is refused there already")
	}
	return t, nil
}

// errNoOwner is the error for a token without a user.
var errNoOwner = errors.New("column user_id: it is NULL")

// RawToken decodes a row without checking whether its own server would accept the
// token.
func (d Decoder) RawToken(table TokenTable, row Row) (Token, error) {
	var t Token
	var err error
	if t.Username = row.Text(naturalUser); t.Username == "" {
		owner, ok := row.get("user_id")
		if !ok {
			return t, errNoOwner
		}
		if t.Owner = owner; !utf8.ValidString(owner) && !d.Live {
			return t, errNoTextKey("user_id")
		}
		t.UserID, _ = integer(owner)
	}
	if text, ok := row.get("created"); ok {
		if t.CreatedAt, err = instant(text, d.Zone); err != nil && !d.Live {
			return t, fmt.Errorf("column created: %w", err)
		}
	}
	if text, ok := row.get(table.Expiry); ok && table.Expiry != "" {
		if t.Expires, err = instant(text, d.Zone); err != nil {
			return t, fmt.Errorf("column %s: %w", table.Expiry, err)
		}
	}
	if table.Format == core.Authtoken {
		if t.Text = row.Text("key"); t.Text == "" {
			return t, errors.New("its key is empty")
		}
		return t, nil
	}
	return t, t.form(table.Format, row)
}

// knoxDigest is the length in bytes of knox's digests (SHA-512, its default).
const knoxDigest = 64

// form decodes the digest, prefix and salt of a knox token.
func (t *Token) form(g core.LegacyFormat, row Row) (err error) {
	t.Format, t.Prefix = g, row.Text("token_key")
	if t.Digest, err = hex.DecodeString(row.Text("digest")); err != nil || len(t.Digest) != knoxDigest {
		return errors.New("its digest is not SHA-512: a setting SECURE_HASH_ALGORITHM of its own?")
	}
	if g == core.Knox41 {
		if t.Salt, err = hex.DecodeString(row.Text("salt")); err != nil || len(t.Salt) == 0 {
			return errors.New("its salt is not hex")
		}
	}
	return nil
}

// LastLogin returns when the user in a row last logged in; ok is false if that is
// unknown.
func (d Decoder) LastLogin(row Row) (time.Time, bool) {
	t, err := instant(row.Text("last_login"), d.Zone)
	return t, err == nil
}

// saltsGone is the migration with which knox 4.2 dropped the salts: it refuses all
// tokens made before that (knox/migrations).
const saltsGone = "knox.0008_remove_authtoken_salt"

// deadBefore sets DeadBefore of the tables of knox 4.2 and later.
func (s *Shape) deadBefore() {
	at, err := instant(s.Migrations[saltsGone], time.UTC)
	if err != nil {
		return
	}
	for _, tables := range [][]TokenTable{s.Tokens, s.Found} {
		for i, t := range tables {
			if t.Name == knoxTable && slices.Contains([]core.LegacyFormat{core.Knox42, core.Knox5}, t.Format) {
				tables[i].DeadBefore = at
			}
		}
	}
}
