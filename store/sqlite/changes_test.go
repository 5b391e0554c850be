package sqlite

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/authcompat/authcompat/core"
)

// TestCacheForgetsOnlyWhatChanges changes one of two tokens, or its user, in every way that says which one: the other is still
// in memory.
func TestCacheForgetsOnlyWhatChanges(t *testing.T) {
	at := time.Unix(10, 0)
	for _, tt := range []struct {
		name   string
		change func(ctx context.Context, s *Store, u core.User) error
	}{
		{"logout", func(ctx context.Context, s *Store, _ core.User) error {
			return s.DeleteToken(ctx, core.Presented("ann").SHA256(), nil)
		}},
		{"logout of all", func(ctx context.Context, s *Store, u core.User) error {
			_, err := s.DeleteUserTokens(ctx, u.ID, core.DefaultRealm, nil)
			return err
		}},
		{"a moved end", func(ctx context.Context, s *Store, _ core.User) error {
			return s.ExtendExpiry(ctx, core.Presented("ann").SHA256(), time.Unix(2000, 0), at)
		}},
		{"a disabled user", func(ctx context.Context, s *Store, u core.User) error { return s.SetActive(ctx, u.ID, false, nil) }},
		{"a removed user", func(ctx context.Context, s *Store, u core.User) error { return s.DeleteUser(ctx, u.ID, nil) }},
		{"a removed user, tokens left", statement(`PRAGMA foreign_keys = OFF`, `DELETE FROM users WHERE username = 'ann'`)},
		{"another name", statement(`UPDATE users SET username = 'eve' WHERE username = 'ann'`)},
		{"a retired token", statement(`UPDATE tokens SET reusable = 0 WHERE user_id = (SELECT id FROM users WHERE username = 'ann')`)},
		{"another realm", statement(`UPDATE tokens SET realm = 'x' WHERE user_id = (SELECT id FROM users WHERE username = 'ann')`)},
		{"many, and one of them", func(ctx context.Context, s *Store, u core.User) error {
			return statement(`UPDATE tokens SET sliding = sliding + 1 WHERE user_id NOT IN (SELECT id FROM users WHERE username = 'ben')`)(ctx, s, u)
		}},
	} {
		for kind, open := range caches() {
			t.Run(tt.name+", "+kind, func(t *testing.T) {
				c := open(t)
				ann := c.add(t, "ann")
				c.add(t, "ben")
				for i := range 20 {
					c.add(t, fmt.Sprint("another ", i))
				}
				c.warm(t, "ann")
				c.warm(t, "ben")
				if err := tt.change(t.Context(), c.other, ann); err != nil {
					t.Fatal(err)
				}
				if c.remembers("ann") {
					t.Error("what has changed is remembered")
				}
				if !c.remembers("ben") {
					t.Error("what has not is forgotten")
				}
				c.compare(t, "ann")
				c.compare(t, "ben")
				c.compare(t, "ann")
			})
		}
	}
}

// TestCacheKeepsWhatChangedUsersUse has a user change: what is looked up afterwards is remembered again, packed or not, until the
// user changes once more.
func TestCacheKeepsWhatChangedUsersUse(t *testing.T) {
	c := openCached(t)
	ann := c.add(t, "ann")
	for _, email := range []string{"1@example.com", "2@example.com"} {
		c.warm(t, "ann")
		if _, err := c.other.writer.Exec(`UPDATE users SET email = ? WHERE id = ?`, email, ann.ID); err != nil {
			t.Fatal(err)
		}
		if c.remembers("ann") {
			t.Error("it is remembered as it was")
		}
		c.compare(t, "ann")
	}
	c.compare(t, "ann")
}

// TestCacheForgetsTheLegacyToken changes a token that is found by another digest than its own, in two spellings.
func TestCacheForgetsTheLegacyToken(t *testing.T) {
	const lower, upper = "0123456789abcdef", "01234567" + "89ABCDEF"
	c := openCached(t)
	c.add(t, "known")
	ann := c.add(t, "ann")
	l, err := core.NewLegacy(core.Knox42, nil, lower)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.other.writer.Exec(`UPDATE tokens SET digest = ?, generation = ?, prefix = ? WHERE user_id = ?`, []byte(l.Digest), string(l.Format), l.Prefix, ann.ID); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{lower, upper, "known"} {
		c.warm(t, text)
	}
	if err := c.other.DeleteToken(t.Context(), l.Digest, nil); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{lower, upper} {
		if _, _, err := c.FindToken(t.Context(), core.DefaultRealm, core.Presented(text)); !errors.Is(err, core.ErrNotFound) {
			t.Errorf("%s: %v", text, err)
		}
	}
	if !c.remembers("known") {
		t.Error("another is forgotten")
	}
}

// TestCacheForgetsWhatAnUpdateReplaces has another program's UPDATE OR REPLACE remove rows: by no trigger of a removal, and none
// of the change says whose they were.
func TestCacheForgetsWhatAnUpdateReplaces(t *testing.T) {
	const ann, eve = `(SELECT id FROM users WHERE username = 'ann')`, `(SELECT id FROM users WHERE username = 'eve')`
	for name, statements := range map[string][]string{
		"digest":        {`UPDATE OR REPLACE tokens SET digest = (SELECT digest FROM tokens WHERE user_id = ` + ann + `) WHERE user_id = ` + eve},
		"twin":          {`UPDATE tokens SET twin = x'01' WHERE user_id = ` + ann, `UPDATE OR REPLACE tokens SET twin = x'01' WHERE user_id = ` + eve},
		"reusable":      {`UPDATE tokens SET reusable = 1, user_id = ` + ann + ` WHERE user_id = ` + ann, `UPDATE OR REPLACE tokens SET reusable = 1, user_id = ` + ann + ` WHERE user_id = ` + eve},
		"reusable only": {`UPDATE tokens SET user_id = ` + ann, `UPDATE tokens SET reusable = 1 WHERE digest = x'` + hexDigest("ann") + `'`, `UPDATE OR REPLACE tokens SET reusable = 1 WHERE digest = x'` + hexDigest("eve") + `'`},
		"realm":         {`UPDATE tokens SET user_id = ` + ann + `, realm = CASE user_id WHEN ` + ann + ` THEN realm ELSE 'x' END`, `UPDATE tokens SET reusable = 1`, `UPDATE OR REPLACE tokens SET realm = 'default' WHERE realm = 'x'`},
		"issuer":        {`UPDATE tokens SET user_id = ` + ann + `, issuer = CASE user_id WHEN ` + ann + ` THEN issuer ELSE 'y' END`, `UPDATE tokens SET reusable = 1`, `UPDATE OR REPLACE tokens SET issuer = 'x' WHERE issuer = 'y'`},
		"name":          {`UPDATE OR REPLACE users SET username = 'ann' WHERE username = 'eve'`},
		"name, alone":   {`PRAGMA foreign_keys = OFF`, `UPDATE OR REPLACE users SET username = 'ann' WHERE username = 'eve'`},
		"id":            {`PRAGMA foreign_keys = OFF`, `UPDATE OR REPLACE users SET id = ` + ann + ` WHERE username = 'eve'`},
		"rowid":         {`PRAGMA foreign_keys = OFF`, `UPDATE OR REPLACE users SET rowid = ` + ann + ` WHERE username = 'eve'`},
		"moved rowid":   {`PRAGMA foreign_keys = OFF`, `UPDATE users SET _rowid_ = 99 WHERE username = 'ann'`},
	} {
		for kind, open := range caches() {
			t.Run(name+", "+kind, func(t *testing.T) {
				c := open(t)
				u := c.add(t, "ann")
				c.add(t, "eve")
				last := len(statements) - 1
				if err := statement(statements[:last]...)(t.Context(), c.other, u); err != nil {
					t.Fatal(err)
				}
				c.warm(t, "ann")
				if err := statement(statements[last])(t.Context(), c.other, u); err != nil {
					t.Fatal(err)
				}
				if c.remembers("ann") {
					t.Error("it is remembered")
				}
				c.compare(t, "ann")
				c.compare(t, "eve")
			})
		}
	}
}

func hexDigest(text string) string { return fmt.Sprintf("%x", []byte(core.Presented(text).SHA256())) }
