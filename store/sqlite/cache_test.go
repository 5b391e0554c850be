package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"modernc.org/sqlite"

	"github.com/authcompat/authcompat/core"
)

// cached is a store whose cache is observed, with a second one on the same file that
// makes changes, and a third one without a cache to compare with.
type cached struct {
	*Store
	other, plain *Store
}

func openCached(t *testing.T) *cached {
	t.Helper()
	return openCachedAt(t, filepath.Join(t.TempDir(), "x.db"))
}

// openPacked is openCached with a cache all of whose tokens are packed.
func openPacked(t *testing.T) *cached {
	t.Helper()
	c := openCached(t)
	c.PackTokens()
	return c
}

// caches are the ways in which tokens are cached.
func caches() map[string]func(*testing.T) *cached {
	return map[string]func(*testing.T) *cached{"as they are": openCached, "packed": openPacked}
}

func openCachedAt(t *testing.T, path string) *cached {
	t.Helper()
	open := func() *Store {
		s, err := Open(t.Context(), path, Options{Unsynced: true})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.Close() })
		return s
	}
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		if err := os.WriteFile(path, empty(t), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c := &cached{Store: open(), other: open(), plain: open()}
	c.plain.cache.Use(nil)
	return c
}

// made is the file of a store with nothing in it, once a test has asked for it: migrations would take most of the time
// of these tests.
var made struct {
	sync.Mutex
	file []byte
}

func empty(t *testing.T) []byte {
	t.Helper()
	made.Lock()
	defer made.Unlock()
	if made.file == nil {
		path := filepath.Join(t.TempDir(), "empty.db")
		s, err := Open(t.Context(), path, Options{Unsynced: true})
		if err == nil {
			err = s.Close()
		}
		if err == nil {
			made.file, err = os.ReadFile(path)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return made.file
}

// add creates a user with a token.
func (c *cached) add(t *testing.T, name string) core.User {
	t.Helper()
	user, err := c.other.CreateUser(t.Context(), core.NewUser{Username: name, CreatedAt: time.Unix(1, 0)}, func(u core.User) (core.Token, error) {
		return tokenFor(u, name), nil
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return user
}

// tokenFor returns a sliding token with this text.
func tokenFor(u core.User, text string) core.Token {
	return core.Token{
		Digest: core.Presented(text).SHA256(), UserID: u.ID, Realm: core.DefaultRealm, Issuer: "x",
		CreatedAt: time.Unix(1, 0).UTC(), ExpiresAt: time.Unix(1000, 0).UTC(), Sliding: time.Hour,
	}
}

// warm looks a token up until it is cached.
func (c *cached) warm(t *testing.T, text string) {
	t.Helper()
	for range 3 {
		if _, _, err := c.FindToken(t.Context(), core.DefaultRealm, core.Presented(text)); err != nil {
			t.Fatal(err)
		}
	}
	if !c.remembers(text) {
		t.Fatalf("token %s is not remembered", text)
	}
}

// remembers reports whether a look-up of the token would not query the database.
func (c *cached) remembers(text string) bool {
	h, ok := c.cache.Header()
	if !ok {
		return false
	}
	known := c.cache.Revalidate(context.Background(), &h, c.changes)
	if known == nil {
		return false
	}
	digest := [32]byte(core.Presented(text).SHA256())
	_, ok = known.Get(&digest, core.DefaultRealm)
	return ok
}

// compare checks that the cache makes no difference.
func (c *cached) compare(t *testing.T, text string) {
	t.Helper()
	wantToken, wantUser, wantErr := c.plain.FindToken(t.Context(), core.DefaultRealm, core.Presented(text))
	if token, user, ok := c.CachedToken(core.DefaultRealm, core.Presented(text)); ok && (wantErr != nil || !cmp.Equal(token, wantToken) || !cmp.Equal(user, wantUser)) {
		t.Errorf("token %s in memory: %v of user %v; in the database: %v of user %v, %v", text, token, user, wantToken, wantUser, wantErr)
	}
	if _, _, ok := c.CachedToken("another", core.Presented(text)); ok {
		t.Errorf("token %s is in memory in another realm", text)
	}
	token, user, err := c.FindToken(t.Context(), core.DefaultRealm, core.Presented(text))
	if !errors.Is(err, wantErr) {
		t.Errorf("token %s: error %v, want %v", text, err, wantErr)
	}
	if _, _, ok := c.CachedToken(core.DefaultRealm, core.Presented(text)); ok != c.remembers(text) {
		t.Errorf("token %s is in memory: %t, want %t", text, ok, !ok)
	}
	if diff := cmp.Diff(wantToken, token); diff != "" {
		t.Errorf("token %s (-database +cache):\n%s", text, diff)
	}
	if diff := cmp.Diff(wantUser, user); diff != "" {
		t.Errorf("user of token %s (-database +cache):\n%s", text, diff)
	}
}

// TestCacheForgetsWhatChanges changes a token or its user in every possible way,
// through another store on the file.
func TestCacheForgetsWhatChanges(t *testing.T) {
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
		{"several moved ends", func(ctx context.Context, s *Store, _ core.User) error {
			return s.ExtendExpiries(ctx, []core.ExpiryUpdate{{Digest: core.Presented("ann").SHA256(), To: time.Unix(2000, 0)}}, at)
		}},
		{"a disabled user", statement(`UPDATE users SET active = 0`)},
		{"another address", statement(`UPDATE users SET email = 'new@example.com'`)},
		{"a removed user", statement(`DELETE FROM users`)},
		{"all tokens removed", statement(`DELETE FROM tokens`)},
		{"another realm", statement(`UPDATE tokens SET realm = 'other'`)},
		{"a replaced user", statement(`REPLACE INTO users (id, username, email, password_hash, active, created_at)
			SELECT id, username, email, password_hash, 0, created_at FROM users`)},
		{"a user replaced by name, tokens left", statement(`PRAGMA foreign_keys = OFF`, `REPLACE INTO users (username, email, password_hash, active, created_at)
			SELECT username, email, password_hash, 0, created_at FROM users`)},
		{"a replaced token", statement(`REPLACE INTO tokens (digest, user_id, realm, issuer, created_at, expires_at, sliding, reusable, seal_key)
			SELECT digest, user_id, realm, issuer, created_at, 1, sliding, reusable, seal_key FROM tokens`)},
		{"another table", statement(`PRAGMA foreign_keys = OFF`, `CREATE TABLE others AS SELECT * FROM tokens WHERE 0`, `DROP TABLE tokens`, `ALTER TABLE others RENAME TO tokens`)},
	} {
		for kind, open := range caches() {
			t.Run(tt.name+", "+kind, func(t *testing.T) {
				c := open(t)
				ann := c.add(t, "ann")
				c.warm(t, "ann")
				if err := tt.change(t.Context(), c.other, ann); err != nil {
					t.Fatal(err)
				}
				c.compare(t, "ann")
				c.compare(t, "ann")
			})
		}
	}
}

// TestCacheForgetsWhatMakesWay has another program REPLACE a token by one with another
// digest: SQLite removes the row that shares a unique value with it, and no trigger of a
// removal runs.
func TestCacheForgetsWhatMakesWay(t *testing.T) {
	for name, unique := range map[string]string{"the same twin": "twin = x'0102'", "the same place": "reusable = 1"} {
		t.Run(name, func(t *testing.T) {
			c := openCached(t)
			ann := c.add(t, "ann")
			if err := statement(`UPDATE tokens SET `+unique)(t.Context(), c.other, ann); err != nil {
				t.Fatal(err)
			}
			c.warm(t, "ann")
			replace := statement(`REPLACE INTO tokens (digest, user_id, realm, issuer, created_at, sliding, reusable, seal_key, twin)
				SELECT x'99', user_id, realm, issuer, created_at, sliding, reusable, seal_key, twin FROM tokens`)
			if err := replace(t.Context(), c.other, ann); err != nil {
				t.Fatal(err)
			}
			if _, _, err := c.FindToken(t.Context(), core.DefaultRealm, "ann"); !errors.Is(err, core.ErrNotFound) {
				t.Errorf("it is still found: %v", err)
			}
		})
	}
}

// statement changes the database like another program than authcompat.
func statement(statements ...string) func(context.Context, *Store, core.User) error {
	return func(ctx context.Context, s *Store, _ core.User) error {
		for _, statement := range statements {
			if _, err := s.writer.ExecContext(ctx, statement); err != nil {
				return err
			}
		}
		return nil
	}
}

// TestCacheForgetsAtRestore restores a backup of the same generation, in which a token
// is missing, into the file in use.
func TestCacheForgetsAtRestore(t *testing.T) {
	for name, open := range caches() {
		t.Run(name, func(t *testing.T) { testCacheForgetsAtRestore(t, open(t)) })
	}
}

func testCacheForgetsAtRestore(t *testing.T, c *cached) {
	ann := c.add(t, "ann")
	backup := filepath.Join(t.TempDir(), "backup.db")
	if err := statement(`VACUUM INTO '`+backup+`'`)(t.Context(), c.other, ann); err != nil {
		t.Fatal(err)
	}
	if err := c.other.IssueToken(t.Context(), tokenFor(ann, "later"), "", 0, nil); err != nil {
		t.Fatal(err)
	}
	c.warm(t, "later")
	conn, err := c.other.writer.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	err = conn.Raw(func(raw any) error {
		restore, err := raw.(interface {
			NewRestore(string) (*sqlite.Backup, error)
		}).NewRestore(backup)
		if err != nil {
			return err
		}
		_, err = restore.Step(-1)
		return errors.Join(err, restore.Finish())
	})
	if err != nil {
		t.Fatal(err)
	}
	c.compare(t, "later")
	c.compare(t, "ann")
}

// TestCacheBehindALink opens a database through a link, next to files that a killed
// server left there.
func TestCacheBehindALink(t *testing.T) {
	there, here := filepath.Join(t.TempDir(), "x.db"), filepath.Join(t.TempDir(), "x.db")
	s, err := Open(t.Context(), there, Options{})
	if err != nil {
		t.Fatal(err)
	}
	left, err := os.ReadFile(there + "-shm")
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(s.Close(), os.WriteFile(here+"-shm", left, 0o600), os.Symlink(there, here)); err != nil {
		t.Fatal(err)
	}
	c := openCachedAt(t, here)
	c.add(t, "ann")
	c.warm(t, "ann")
	if err := c.other.DeleteToken(t.Context(), core.Presented("ann").SHA256(), nil); err != nil {
		t.Fatal(err)
	}
	c.compare(t, "ann")
}

// TestFindTokenWaitsOnce looks a token up while all readers are busy.
func TestFindTokenWaitsOnce(t *testing.T) {
	const wait = 300 * time.Millisecond
	s := mustOpen(t, Options{Wait: wait, Readers: minReaders})
	for range minReaders {
		if err := s.acquireReader(t.Context()); err != nil {
			t.Fatal(err)
		}
		defer s.releaseReader()
	}
	began := time.Now()
	if _, _, err := s.FindToken(t.Context(), core.DefaultRealm, "x"); !errors.Is(err, core.ErrUnavailable) {
		t.Error(err)
	}
	if took := time.Since(began); took >= 2*wait {
		t.Errorf("waited %v, want %v", took, wait)
	}
}

// TestCacheKeepsWhatOthersDoNotTouch has others register, log in and guess.
func TestCacheKeepsWhatOthersDoNotTouch(t *testing.T) {
	c := openCached(t)
	ann := c.add(t, "ann")
	c.warm(t, "ann")
	c.add(t, "ben")
	if err := c.other.IssueToken(t.Context(), tokenFor(ann, "another"), "", 0, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := c.other.Reserve(t.Context(), time.Unix(1, 0), core.LimitKey{Key: []byte("k"), Limit: core.DefaultUserLimit()}); err != nil {
		t.Fatal(err)
	}
	if !c.remembers("ann") {
		t.Error("a token was forgotten that nothing has happened to")
	}
	c.compare(t, "ann")
}

// TestCacheMakesNoDifference makes random changes and compares all tokens after each.
func TestCacheMakesNoDifference(t *testing.T) {
	for name, open := range caches() {
		t.Run(name, func(t *testing.T) { testCacheMakesNoDifference(t, open(t)) })
	}
}

func testCacheMakesNoDifference(t *testing.T, c *cached) {
	const seed, steps, tokens = 1, 300, 8
	random := rand.New(rand.NewPCG(seed, seed))
	users := []core.User{c.add(t, "ann"), c.add(t, "ben")}
	text := func(i int) string { return fmt.Sprintf("token %d", i) }
	for step := range steps {
		i := random.IntN(tokens)
		digest := core.Presented(text(i)).SHA256()
		by := c.other
		if random.IntN(2) == 0 {
			by = c.Store
		}
		switch random.IntN(6) {
		case 0:
			_ = by.DeleteToken(t.Context(), digest, nil) // it may be deleted already
		case 1:
			if err := by.ExtendExpiry(t.Context(), digest, time.Unix(int64(2000+step), 0), time.Unix(1, 0)); err != nil {
				t.Fatal(err)
			}
		case 2:
			if _, err := by.writer.ExecContext(t.Context(), `UPDATE users SET active = 1 - active WHERE id = ?`, users[i%2].ID); err != nil {
				t.Fatal(err)
			}
		default:
			_ = by.IssueToken(t.Context(), tokenFor(users[i%2], text(i)), "", 0, nil) // it may exist, or the user be disabled
		}
		for i := range tokens {
			c.compare(t, text(i))
		}
		if t.Failed() {
			t.Fatalf("after step %d", step)
		}
	}
}
