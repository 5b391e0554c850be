package django

import (
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/authcompat/authcompat/core"
)

// Decoder turns rows into users and tokens.
type Decoder struct {
	Mapping Mapping
	// Zone is that of times without one: UTC where Django has USE_TZ.
	Zone *time.Location
}

// notAttributes are columns of a user that have no meaning without Django, or
// change with each login there.
func notAttributes() []string { return []string{"last_login", "groups", "user_permissions"} }

// Account gives the user in a row. The error says what is wrong with it, without
// any secret.
func (d Decoder) Account(row Row) (core.Account, error) {
	m := d.Mapping
	var a core.Account
	var err error
	if text, ok := row.Fields[m.ID]; ok {
		if a.ID, err = integer(text); err != nil {
			return a, fmt.Errorf("column %s: %w", m.ID, err)
		}
		if a.ID <= 0 {
			return a, fmt.Errorf("column %s: the id %d is not positive", m.ID, a.ID)
		}
	}
	a.Username, a.Email, a.PasswordHash = row.Fields[m.Username], row.Fields[m.Email], row.Fields[m.Password]
	a.Active = true
	if text, ok := row.Fields[m.Active]; ok && m.Active != "" {
		if a.Active, err = boolean(text); err != nil {
			return a, fmt.Errorf("column %s: %w", m.Active, err)
		}
	}
	a.CreatedAt = time.Unix(0, 0).UTC()
	if text, ok := row.Fields[m.Created]; ok && m.Created != "" {
		if a.CreatedAt, err = instant(text, d.Zone); err != nil {
			return a, fmt.Errorf("column %s: %w", m.Created, err)
		}
	}
	a.Attributes = d.attributes(row)
	return a, nil
}

// attributes gives the columns that are not the engine's. Empty ones and false
// rights are left out, as an absent attribute means the same.
func (d Decoder) attributes(row Row) map[string]string {
	all := make(map[string]string)
	keep := func(attribute, column string) {
		text := row.Fields[column]
		if column == "is_staff" || column == "is_superuser" {
			yes, err := boolean(text)
			if err != nil || !yes {
				return
			}
			text = "true"
		}
		if text != "" {
			all[attribute] = text
		}
	}
	if d.Mapping.Attributes != nil {
		for attribute, column := range d.Mapping.Attributes {
			keep(attribute, column)
		}
	} else {
		used := append(d.Mapping.columns(), notAttributes()...)
		for column := range row.Fields {
			if !slices.Contains(used, column) {
				keep(column, column)
			}
		}
	}
	if len(all) == 0 {
		return nil
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
	UserID int64
	// Username stands for UserID in a dump with natural keys.
	Username           string
	CreatedAt, Expires time.Time // the zero time: never, or unknown
}

// Token gives the token in a row of a table. The error says why it can't be
// taken over, without any secret.
func (d Decoder) Token(table TokenTable, row Row) (Token, error) {
	t, err := d.tokenOf(table, row)
	switch {
	case err != nil || table.Generation == core.Authtoken:
		return t, err
	case t.Prefix == "":
		return t, errors.New("it has no token_key to be found by (knox before 2.2.1 wrote none)")
	case table.Generation == core.Knox5 && len(t.Prefix) == knox4PrefixLimit:
		return t, errors.New("it was left behind by knox 4, and knox 5 refuses it already")
	}
	return t, nil
}

// tokenOf reads the columns of a token.
func (d Decoder) tokenOf(table TokenTable, row Row) (Token, error) {
	var t Token
	var err error
	if t.Username = row.Fields[naturalUser]; t.Username == "" {
		if t.UserID, err = integer(row.Fields["user_id"]); err != nil {
			return t, fmt.Errorf("column user_id: %w", err)
		}
	}
	if text, ok := row.Fields["created"]; ok {
		if t.CreatedAt, err = instant(text, d.Zone); err != nil {
			return t, fmt.Errorf("column created: %w", err)
		}
	}
	if text, ok := row.Fields[table.Expiry]; ok && table.Expiry != "" {
		if t.Expires, err = instant(text, d.Zone); err != nil {
			return t, fmt.Errorf("column %s: %w", table.Expiry, err)
		}
	}
	if table.Generation == core.Authtoken {
		if t.Text = row.Fields["key"]; t.Text == "" {
			return t, errors.New("its key is empty")
		}
		return t, nil
	}
	return t, t.form(table.Generation, row)
}

// knoxDigest is the length of a digest of knox's in bytes (SHA-512, its default).
const knoxDigest = 64

// form reads a digest of knox's.
func (t *Token) form(g core.Generation, row Row) (err error) {
	t.Generation, t.Prefix = g, row.Fields["token_key"]
	if t.Digest, err = hex.DecodeString(row.Fields["digest"]); err != nil || len(t.Digest) != knoxDigest {
		return errors.New("its digest is not SHA-512: a setting SECURE_HASH_ALGORITHM of its own?")
	}
	if g == core.Knox41 {
		if t.Salt, err = hex.DecodeString(row.Fields["salt"]); err != nil || len(t.Salt) == 0 {
			return errors.New("its salt is not hex")
		}
	}
	return nil
}

// LastLogin gives when the user of a row last logged in, as far as it is known.
func (d Decoder) LastLogin(row Row) (time.Time, bool) {
	t, err := instant(row.Fields["last_login"], d.Zone)
	return t, err == nil
}
