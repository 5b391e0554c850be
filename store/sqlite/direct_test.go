package sqlite

import (
	"crypto/sha256"
	"database/sql/driver"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/store/internal/dbfile"
	"github.com/authcompat/authcompat/store/internal/driverrow"
	"github.com/authcompat/authcompat/store/sqlite/tokencache"
)

// needIndex skips a test where the system has no WAL-index to read: nothing is read directly there.
func (c *cached) needIndex(t *testing.T) {
	t.Helper()
	if c.cache.Index() == nil {
		t.Skip("the system has no index")
	}
}

// occupy takes all reader slots, so that only what is read directly, or cached, is found. The result gives them back.
func (s *Store) occupy(t *testing.T) (free func()) {
	t.Helper()
	for range cap(s.readerSlots) {
		if !s.tryAcquireReader() {
			t.Fatal("a reader is busy")
		}
	}
	return func() {
		for range cap(s.readerSlots) {
			s.releaseReader()
		}
	}
}

// addAll creates a user for each way in which columns differ, with a token of the same name, and returns the names.
func (c *cached) addAll(t *testing.T) (names []string) {
	t.Helper()
	for name, change := range map[string]string{
		"plain":           ``,
		"forever":         `UPDATE tokens SET expires_at = NULL, sliding = 0 WHERE user_id = ?`,
		"shown again":     `UPDATE tokens SET sealed = x'00ff', seal_key = 'key', reusable = 1 WHERE user_id = ?`,
		"sealed nothing":  `UPDATE tokens SET sealed = x'', seal_key = 'key' WHERE user_id = ?`,
		"disabled":        `UPDATE users SET active = 0 WHERE id = ?`,
		"with attributes": `UPDATE users SET attributes = '{"first_name":"Ann"}' WHERE id = ?`,
		"with an address": `UPDATE users SET email = 'ann@example.com' WHERE id = ?`,
		"zero bytes":      `UPDATE users SET username = 'a' || char(0) || 'b' WHERE id = ?`,
	} {
		user := c.add(t, name)
		if change != "" {
			if _, err := c.other.writer.Exec(change, user.ID); err != nil {
				t.Fatal(err)
			}
		}
		names = append(names, name)
	}
	return names
}

// TestReadTokenReadsWhatAQueryDoes compares both ways to read each kind of token.
func TestReadTokenReadsWhatAQueryDoes(t *testing.T) {
	c := openCached(t)
	c.needIndex(t)
	for _, name := range c.addAll(t) {
		e := tokencache.Entry{Digest: sha256.Sum256([]byte(name))}
		found, err := c.readToken(&e, core.DefaultRealm)
		if !found || err != nil {
			t.Errorf("%s: %v, %v", name, found, err)
		}
		token, user, err := c.queryToken(t.Context(), core.DefaultRealm, core.Presented(name), e.Digest)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(token, e.Token) + cmp.Diff(user, e.User); diff != "" {
			t.Errorf("%s (-query +directly):\n%s", name, diff)
		}
		if found, err := c.readToken(&e, "another"); found || err != nil {
			t.Errorf("%s in another realm: %v, %v", name, found, err)
		}
	}
	if _, err := c.other.writer.Exec(`UPDATE users SET attributes = '["s3cret"]'`); err != nil {
		t.Fatal(err)
	}
	if _, err := c.readToken(&tokencache.Entry{Digest: sha256.Sum256([]byte("plain"))}, core.DefaultRealm); err == nil {
		t.Error("attributes that can't be read are none")
	}
	_, _, err := c.FindToken(t.Context(), core.DefaultRealm, "plain")
	if _, _, want := c.plain.FindToken(t.Context(), core.DefaultRealm, "plain"); err == nil || err.Error() != want.Error() {
		t.Errorf("error %v, want %v", err, want)
	}
}

// TestFirstLookUpNeedsNoReader looks tokens up for the first time while all readers are busy. One that was ended
// meanwhile is not found, and one that is not there is refused only by a reader.
func TestFirstLookUpNeedsNoReader(t *testing.T) {
	c := openCached(t)
	c.needIndex(t)
	c.Store.wait = short
	names := c.addAll(t)
	c.add(t, "known")
	c.warm(t, "known")
	free := c.occupy(t)
	for _, name := range names {
		c.compare(t, name)
	}
	find := func(realm, text string) error {
		_, _, err := c.FindToken(t.Context(), realm, core.Presented(text))
		return err
	}
	if err := find(core.DefaultRealm, "nobody's"); !errors.Is(err, core.ErrUnavailable) {
		t.Errorf("unknown: %v", err)
	}
	free()
	if err := find(core.DefaultRealm, "nobody's"); !errors.Is(err, core.ErrNotFound) {
		t.Errorf("unknown: %v", err)
	}
	if err := find("another", "plain"); !errors.Is(err, core.ErrNotFound) {
		t.Errorf("in another realm: %v", err)
	}
	c.add(t, "late")
	c.warm(t, "known")
	if err := c.other.DeleteToken(t.Context(), core.Presented("late").SHA256(), nil); err != nil {
		t.Fatal(err)
	}
	defer c.occupy(t)()
	if err := find(core.DefaultRealm, "late"); !errors.Is(err, core.ErrUnavailable) {
		t.Errorf("ended: %v", err)
	}
}

// TestFirstLookUpWithoutAFreeConnection looks a token up while all connections that read directly are in use.
func TestFirstLookUpWithoutAFreeConnection(t *testing.T) {
	c := openCached(t)
	c.needIndex(t)
	c.add(t, "known")
	c.add(t, "ann")
	c.warm(t, "known")
	var nested func(depth int) error
	nested = func(depth int) error {
		if depth == 0 {
			c.compare(t, "ann")
			return nil
		}
		digest := core.Presented("known").SHA256()
		_, err := c.direct.Row([]driver.NamedValue{{Ordinal: 1, Value: []byte(digest)}, {Ordinal: 2, Value: core.DefaultRealm}}, func(*driverrow.Row) error { return nested(depth - 1) })
		return err
	}
	if err := nested(max(minDirect, runtime.GOMAXPROCS(0))); err != nil {
		t.Error(err)
	}
}

// TestFirstLookUpOfALegacyToken looks up a token of which only the legacy form is kept, which no direct read finds: it is
// found, and kept.
func TestFirstLookUpOfALegacyToken(t *testing.T) {
	c := openCached(t)
	c.needIndex(t)
	c.add(t, "known")
	ann := c.add(t, "ann")
	const text = "0123456789abcdef"
	l, err := core.NewLegacy(core.Knox42, nil, text)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.other.writer.Exec(`UPDATE tokens SET digest = ?, generation = ?, prefix = ? WHERE user_id = ?`, []byte(l.Digest), string(l.Format), l.Prefix, ann.ID); err != nil {
		t.Fatal(err)
	}
	c.warm(t, "known")
	c.compare(t, text)
	if !c.remembers(text) {
		t.Error("it is not remembered")
	}
}

// TestFirstLookUpInAnotherFile replaces the database, and its index, under a store that does not notice by itself: a token
// that was not looked up before is not accepted, once the files are to be checked.
func TestFirstLookUpInAnotherFile(t *testing.T) {
	for _, suffix := range []string{"", "-wal", "-shm"} {
		c := openCached(t)
		c.needIndex(t)
		c.add(t, "known")
		c.add(t, "ben")
		c.add(t, "ann")
		c.warm(t, "known")
		c.compare(t, "ben") // by a connection that is kept
		c.stop()
		c.looking.Wait()
		if err := os.Rename(c.file+suffix, c.file+suffix+".moved"); err != nil {
			t.Fatal(err)
		}
		c.checked.Store(int64(time.Since(c.opened) - 2*checkInterval))
		if _, _, err := c.FindToken(t.Context(), core.DefaultRealm, "ann"); !errors.Is(err, core.ErrUnavailable) {
			t.Errorf("%q: %v", suffix, err)
		}
	}
}

// TestReadTokenWithADamagedIndex makes the WAL-index shorter: SQLite, which has mapped it, is not called.
func TestReadTokenWithADamagedIndex(t *testing.T) {
	c := openCached(t)
	c.needIndex(t)
	c.add(t, "ann")
	e := &tokencache.Entry{Digest: sha256.Sum256([]byte("ann"))}
	if found, err := c.readToken(e, core.DefaultRealm); !found || err != nil {
		t.Fatal(found, err)
	}
	for _, s := range []*Store{c.Store, c.other, c.plain} {
		s.stop() // or they may use it after it was made shorter
		s.looking.Wait()
	}
	if err := os.Truncate(c.file+"-shm", int64(os.Getpagesize())); err != nil {
		t.Fatal(err)
	}
	if _, err := c.readToken(e, core.DefaultRealm); !errors.Is(err, errIndexDamaged) {
		t.Errorf("error %v", err)
	}
}

// TestDirectConnectionsAreClosed closes stores that have read directly: the log is gone with the last connection, and
// after a database was replaced, the one in its place can be opened.
func TestDirectConnectionsAreClosed(t *testing.T) {
	read := func(t *testing.T, s *Store, p core.Presented) {
		t.Helper()
		if s.cache.Index() == nil {
			t.Skip("the system has no index")
		}
		if found, err := s.readToken(&tokencache.Entry{Digest: sha256.Sum256([]byte(p))}, core.DefaultRealm); !found || err != nil {
			t.Fatal(found, err)
		}
	}
	t.Run("at the end", func(t *testing.T) {
		s, path, _, presented := openFiles(t)
		read(t, s, presented)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(path + "-wal"); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("the log: %v", err)
		}
	})
	t.Run("replaced", func(t *testing.T) {
		needLocks(t)
		s, path, _, presented := openFiles(t)
		other, otherPath, _, _ := openFiles(t)
		read(t, s, presented)
		if err := errors.Join(other.Close(), os.Rename(path, path+".moved"), os.Rename(otherPath, path)); err != nil {
			t.Fatal(err)
		}
		if err := s.Ping(t.Context()); !errors.Is(err, dbfile.ErrReplaced) {
			t.Error(err)
		}
		s.rescue.Wait()
		s.left.Wait()
		has(t, path, "ann", "nobody")
	})
}

// BenchmarkFirstLookUp measures what is read of a token that is not in memory, of many in a random order: directly, and by a
// query of a reader after a check of the files.
func BenchmarkFirstLookUp(b *testing.B) {
	const tokens, perUser = 100_000, 10
	s, err := Open(b.Context(), filepath.Join(b.TempDir(), "x.db"), Options{Unsynced: true})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	if s.cache.Index() == nil {
		b.Skip("the system has no index")
	}
	presented := func(i int) core.Presented { return core.Presented(fmt.Sprint("token ", i%tokens)) }
	tx := s.writer.MustBegin()
	for i := range tokens {
		user, digest := i/perUser+1, sha256.Sum256([]byte(presented(i)))
		if i%perUser == 0 {
			tx.MustExec(`INSERT INTO users (id, username, email, password_hash, active, created_at) VALUES (?1, 'user' || ?1, 'user' || ?1 || '@example.com', '!', 1, 1)`, user)
		}
		tx.MustExec(`INSERT INTO tokens (digest, user_id, realm, issuer, created_at, sliding, reusable, seal_key) VALUES (?, ?, ?, 'x', 1, 0, 0, '')`, digest[:], user, core.DefaultRealm)
	}
	if err := tx.Commit(); err != nil {
		b.Fatal(err)
	}
	s.writer.MustExec(`PRAGMA wal_checkpoint(TRUNCATE)`)
	runtime.GC()
	b.Run("directly", func(b *testing.B) {
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			e := tokencache.Entry{Digest: sha256.Sum256([]byte(presented(i)))}
			if found, err := s.readToken(&e, core.DefaultRealm); !found || err != nil {
				b.Fatal(found, err)
			}
		}
	})
	b.Run("query", func(b *testing.B) {
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			p := presented(i)
			if err := s.acquireReader(b.Context()); err != nil {
				b.Fatal(err)
			}
			_, _, err := s.queryToken(b.Context(), core.DefaultRealm, p, sha256.Sum256([]byte(p)))
			s.releaseReader()
			if err != nil {
				b.Fatal(err)
			}
		}
	})
}
