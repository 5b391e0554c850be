package keyring

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/hashing"
	"github.com/authcompat/authcompat/store/sqlite"
	"github.com/authcompat/authcompat/store/sqlite/sqlitetest"
)

// world is an engine with a key file beside its database.
type world struct {
	*core.Service
	store    *sqlite.Store
	location Location
	file     string
}

// shown is a policy whose tokens are sealed.
var shown = core.Policy{Issuer: "shown", Realm: core.DefaultRealm, TokenHex: 40, Reuse: true}

func newWorld(t *testing.T) *world {
	t.Helper()
	path := filepath.Join(t.TempDir(), "authcompat.db")
	w := &world{store: sqlitetest.MustOpenFile(t, path), location: Location{DSN: "sqlite:" + path}, file: path + ".key"}
	sealer, err := w.location.LoadOrCreate(t.Context(), w.store)
	if err != nil {
		t.Fatal(err)
	}
	hasher, err := hashing.NewDjangoHasher(1)
	if err != nil {
		t.Fatal(err)
	}
	w.Service = core.New(core.Config{Backend: w.store.Backend(), Hasher: hasher, Sealer: sealer})
	return w
}

// register makes a user with a sealed token.
func (w *world) register(t *testing.T, name string) core.Session {
	t.Helper()
	s, err := w.Register(t.Context(), shown, core.Registration{Username: name, Password: "secret"})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// rotate runs a rotation.
func (w *world) rotate(t *testing.T, r Rotation) (Rotation, error) {
	t.Helper()
	r.Path = w.file
	err := r.Run(t.Context(), w.Service, w.store, func(string) {})
	return r, err
}

// keys returns the ids of the file's keys, the first one first.
func (w *world) keys(t *testing.T) []string {
	t.Helper()
	ring, err := readKeys(t.Context(), w.file)
	if err != nil {
		t.Fatal(err)
	}
	return ring.sealer.KeyIDs()
}

// breakSeal changes a token's sealed text, so that no key opens it.
func (w *world) breakSeal(t *testing.T, s core.Session) {
	t.Helper()
	broken := s.Token
	broken.Sealed = bytes.Repeat([]byte{1}, len(broken.Sealed))
	if err := w.store.Reseal(t.Context(), broken.SealKey, []core.Token{broken}); err != nil {
		t.Fatal(err)
	}
}

func mode(t *testing.T, path string) fs.FileMode {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Mode().Perm()
}

// TestNewFileIsPrivate checks that nobody but its owner can read a new key file, and that
// no other file is left.
func TestNewFileIsPrivate(t *testing.T) {
	w := newWorld(t)
	if got := mode(t, w.file); got != 0o600 {
		t.Errorf("mode %o, want 600", got)
	}
	if err := createKeys(w.file, w.file); !errors.Is(err, fs.ErrExist) {
		t.Errorf("once more: %v", err)
	}
	entries, err := filepath.Glob(w.file + "*")
	if err != nil || len(entries) != 1 {
		t.Errorf("files %q, %v", entries, err)
	}
}

// TestServersMakeOneKey starts several servers at once on a database without keys.
func TestServersMakeOneKey(t *testing.T) {
	path := filepath.Join(t.TempDir(), "authcompat.db")
	store := sqlitetest.MustOpenFile(t, path)
	ids := make([]string, 8)
	var all sync.WaitGroup
	for i := range ids {
		all.Go(func() {
			sealer, err := Location{DSN: "sqlite:" + path}.LoadOrCreate(t.Context(), store)
			if err != nil {
				t.Error(err)
			}
			ids[i] = sealer.KeyID()
		})
	}
	all.Wait()
	if ids[0] == "" || len(slices.Compact(ids)) != 1 {
		t.Errorf("keys %q", ids)
	}
}

// TestLostFileIsNotReplaced checks that no key is made while tokens are sealed with one
// that is not there.
func TestLostFileIsNotReplaced(t *testing.T) {
	w := newWorld(t)
	session := w.register(t, "john")
	if err := os.Remove(w.file); err != nil {
		t.Fatal(err)
	}
	if _, err := w.location.LoadOrCreate(t.Context(), w.store); !errors.Is(err, errKeysLost) || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error %v", err)
	}
	if _, err := os.Stat(w.file); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("there is a file: %v", err)
	}
	if err := w.Logout(t.Context(), session); err != nil {
		t.Fatal(err)
	}
	if sealer, err := w.location.LoadOrCreate(t.Context(), w.store); err != nil || sealer.KeyID() == "" {
		t.Errorf("when no token is sealed: %v", err)
	}
}

// TestRotation puts a new key first, and seals all tokens with it.
func TestRotation(t *testing.T) {
	w := newWorld(t)
	session := w.register(t, "john")
	old := w.keys(t)
	if err := os.Chmod(w.file, 0o640); err != nil {
		t.Fatal(err)
	}
	r, err := w.rotate(t, Rotation{NewKey: true})
	if err != nil {
		t.Fatal(err)
	}
	now := w.keys(t)
	if len(now) != 2 || now[1] != old[0] || now[0] == old[0] || r.Key != now[0] || r.Resealed != 1 || r.Broken != 0 || r.Dropped != 0 {
		t.Errorf("keys %q, were %q; %+v", now, old, r)
	}
	if got := mode(t, w.file); got != 0o640 {
		t.Errorf("mode %o, want that of the file before", got)
	}
	if counts, err := w.store.SealKeys(t.Context()); err != nil || len(counts) != 1 || counts[now[0]] != 1 {
		t.Errorf("sealed with %v, %v", counts, err)
	}
	again, err := w.Login(t.Context(), shown, "john", "secret")
	if err != nil || again.Key != session.Key {
		t.Errorf("the token is not shown again: %v", err)
	}
}

// TestReplacedFileIsPrivate checks that a rotation keeps a private file private.
func TestReplacedFileIsPrivate(t *testing.T) {
	w := newWorld(t)
	if _, err := w.rotate(t, Rotation{NewKey: true}); err != nil {
		t.Fatal(err)
	}
	if got := mode(t, w.file); got != 0o600 {
		t.Errorf("mode %o, want 600", got)
	}
}

// TestPruneKeepsWhatIsInUse removes old keys: not the newest, though nothing is sealed
// with it, nor one with which a single token is sealed that can't be sealed anew.
func TestPruneKeepsWhatIsInUse(t *testing.T) {
	w := newWorld(t)
	session := w.register(t, "john")
	used := w.keys(t)[0]
	w.breakSeal(t, session)
	for range 2 {
		if _, err := w.rotate(t, Rotation{NewKey: true}); err != nil {
			t.Fatal(err)
		}
	}
	all := w.keys(t)
	r, err := w.rotate(t, Rotation{Drop: true, Force: true})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := w.keys(t), []string{all[0], used}; !slices.Equal(got, want) || r.Dropped != 1 || r.Broken != 1 {
		t.Errorf("keys %q, want %q; %+v", got, want, r)
	}
	if err := w.Logout(t.Context(), session); err != nil {
		t.Fatal(err)
	}
	if r, err = w.rotate(t, Rotation{Drop: true, Force: true}); err != nil || r.Dropped != 1 {
		t.Errorf("when it is not in use any more: %+v, %v", r, err)
	}
	if got := w.keys(t); !slices.Equal(got, all[:1]) {
		t.Errorf("keys %q, want the newest", got)
	}
}

// TestRotationsTakeTurns runs rotations at the same time: each adds its key, and all
// tokens open afterwards.
func TestRotationsTakeTurns(t *testing.T) {
	w := newWorld(t)
	session := w.register(t, "john")
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			if _, err := w.rotate(t, Rotation{NewKey: true}); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if keys := w.keys(t); len(keys) != 5 {
		t.Errorf("%d keys, want 5", len(keys))
	}
	sealer, err := w.location.LoadOrWarn(t.Context(), func(err error) { t.Error(err) })
	if err != nil {
		t.Fatal(err)
	}
	w.SealWith(sealer)
	if again, err := w.Login(t.Context(), shown, "john", "secret"); err != nil || again.Key != session.Key {
		t.Errorf("the token is not shown again: %v", err)
	}
}

// TestReloadKeepsWhatIsInUse gives a running server a file that lacks a key with which a
// token is sealed: it goes on with those in memory, and says so once.
func TestReloadKeepsWhatIsInUse(t *testing.T) {
	w := newWorld(t)
	var log strings.Builder
	reloader := NewReloader(slog.New(slog.NewTextHandler(&log, nil)), w.location.DSN)
	if _, err := reloader.Start(t.Context(), "", w.store); err != nil || reloader.Unset() {
		t.Fatal(err)
	}
	w.register(t, "john")
	whole, err := os.ReadFile(w.file)
	if err != nil {
		t.Fatal(err)
	}
	other, err := newKey()
	if err != nil {
		t.Fatal(err)
	}
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(w.file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for name, text := range map[string]string{"without the key": other, "empty": "", "no key": "c2VjcmV0"} {
		write(text)
		if _, fresh, err := reloader.Reload(t.Context(), ""); fresh || err == nil {
			t.Errorf("%s: taken, %v", name, err)
		}
		if strings.Contains(log.String(), other) || strings.Contains(log.String(), "c2VjcmV0") {
			t.Errorf("%s: the log shows it: %s", name, log.String())
		}
	}
	if err := os.Remove(w.file); err != nil {
		t.Fatal(err)
	}
	if _, fresh, err := reloader.Reload(t.Context(), ""); fresh || err != nil {
		t.Errorf("missing: taken %t, %v", fresh, err)
	}
	write(other + "\n" + string(whole))
	sealer, fresh, err := reloader.Reload(t.Context(), "")
	if err != nil || !fresh || len(sealer.KeyIDs()) != 2 {
		t.Errorf("with a new key before it: %v, %t, %v", sealer.KeyIDs(), fresh, err)
	}
	if n := strings.Count(log.String(), "can't be taken"); n == 0 {
		t.Errorf("the log says nothing: %s", log.String())
	}
}

// TestEnvironmentComesFirst reads the keys from the environment, where no file is touched.
func TestEnvironmentComesFirst(t *testing.T) {
	w := newWorld(t)
	key, err := newKey()
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv(EnvVar, key)
	sealer, err := w.location.LoadOrCreate(context.Background(), w.store)
	if err != nil || len(sealer.KeyIDs()) != 1 || sealer.KeyID() == w.keys(t)[0] {
		t.Errorf("keys %q, %v", sealer.KeyIDs(), err)
	}
	if file, err := w.location.WritableFile(); err == nil {
		t.Errorf("%s can be changed", file)
	}
	t.Setenv(EnvVar, "c2VjcmV0")
	if _, err := w.location.LoadOrCreate(context.Background(), w.store); err == nil || !strings.Contains(err.Error(), EnvVar) || strings.Contains(err.Error(), "c2VjcmV0") {
		t.Errorf("a bad one: %v", err)
	}
}
