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

// Decoder turns rows into users and tokens.
type Decoder struct {
	Mapping Mapping
	// Zone is that of times without one: UTC where Django has USE_TZ.
	Zone *time.Location
	// Live tells that rows are used as they are, in the place of Django: one that
	// Django would refuse, or break at, is not good here.
	Live bool
}

// notAttributes are columns of a user that have no meaning without Django, or
// change with each login there.
func notAttributes() []string { return []string{"last_login", "groups", "user_permissions"} }

// User returns the user in a row, with the key that the source's tokens name them
// by. The error says what is wrong with it, without any secret; what is right of it
// is given all the same.
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

// errNoTextKey is a key of bytes: stores keep texts.
func errNoTextKey(column string) error {
	return fmt.Errorf("column %s: its bytes are no text", column)
}

// Account returns the user in a row; the ID is 0 where the key is no whole number, or
// none that a user can have here.
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
	// Django takes NULL for inactive when a token is checked
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
	a.Attributes = d.attributes(row)
	return a, wrong
}

// attributes returns the columns that are not the engine's. Empty ones and false
// rights are left out, as an absent attribute means the same.
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

// Token is a token as an older server keeps it.
type Token struct {
	// Text is the token itself, where the table keeps it.
	Text string
	// Digest and Legacy are its form otherwise.
	Digest core.Digest
	core.Legacy
	// Owner is the key of its user at the source; empty where Username, the user's
	// natural key, says who it is (dumpdata --natural-foreign).
	Owner, Username string
	// UserID is Owner as a number; 0 where it is none.
	UserID             int64
	CreatedAt, Expires time.Time // the zero time: never, or unknown
}

// Token returns the token in a row of a table. The error says why it can't be
// taken over, without any secret.
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

// errNoOwner is a token of nobody.
var errNoOwner = errors.New("column user_id: it is NULL")

// RawToken reads the columns of a token.
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

// knoxDigest is the length of a digest of knox's in bytes (SHA-512, its default).
const knoxDigest = 64

// form reads a digest of knox's.
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

// LastLogin returns when the user of a row last logged in, as far as it is known.
func (d Decoder) LastLogin(row Row) (time.Time, bool) {
	t, err := instant(row.Text("last_login"), d.Zone)
	return t, err == nil
}

// saltsGone is the migration with which knox 4.2 took the salts away: what was made
// before it is refused since (knox/migrations).
const saltsGone = "knox.0008_remove_authtoken_salt"

// deadBefore says of a table of knox 4.2 and later before when its tokens are dead.
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
