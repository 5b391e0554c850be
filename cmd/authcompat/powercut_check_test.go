package main

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/keyring"
	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/password"
	"github.com/authcompat/authcompat/core/sealing"
	"github.com/authcompat/authcompat/store/sqlite"
)

// keysIn returns the ids of the keys in a file.
func keysIn(t testing.TB, path string) []string {
	t.Helper()
	ids, err := readKeyIDs(path)
	if err != nil {
		t.Fatal(err)
	}
	return ids
}

// readKeyIDs returns the ids of the keys in a file; none if there is no file.
func readKeyIDs(path string) ([]string, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	keys, err := sealing.ParseKeys(string(text))
	if err != nil {
		return nil, err
	}
	sealer, err := sealing.NewSealer(keys...)
	return sealer.KeyIDs(), err
}

// verdict is what is wrong after a power cut.
type verdict struct {
	corrupt string   // empty: the database opens and is whole
	lost    []string // acknowledged, and not there
}

func (v verdict) good() bool { return v.corrupt == "" && len(v.lost) == 0 }

// history is what was done to a user, or to the key file, in order.
type history []operation

// promises are what clients and operators know.
type promises struct {
	users   map[string]history
	keys    history
	moments map[int]moments

	verified sync.Map // whether a password has a hash, by both
}

func newPromises(operations []operation, when map[int]moments) (*promises, error) {
	l := &promises{users: make(map[string]history), moments: when}
	for _, o := range operations {
		if m := when[o.ID]; m.began == 0 || m.acknowledged <= m.began {
			return nil, fmt.Errorf("the trace lacks operation %d (%s %s): %+v", o.ID, o.Act, o.User, m)
		}
		if o.User == "" {
			l.keys = append(l.keys, o)
		} else {
			l.users[o.User] = append(l.users[o.User], o)
		}
	}
	inOrder := func(a, b operation) int { return when[a.ID].began - when[b.ID].began }
	slices.SortFunc(l.keys, inOrder)
	for _, h := range l.users {
		slices.SortFunc(h, inOrder)
	}
	return l, nil
}

// possible returns what may be there at a line of the trace: what the last acknowledged
// operation left, or the one that was under way. It is nil if there has been none.
func (l *promises) possible(h history, line int) (last, next *operation) {
	for i := range h {
		switch m := l.moments[h[i].ID]; {
		case m.acknowledged < line:
			last = &h[i]
		case m.began < line:
			return last, &h[i]
		}
	}
	return last, nil
}

// check opens the files that a power cut at a line has left, as a server does at its start,
// and compares them with what was acknowledged.
func (l *promises) check(ctx context.Context, folder string, line int) (v verdict, err error) {
	path := filepath.Join(folder, "auth.db")
	s, err := sqlite.Open(ctx, path, sqlite.Options{})
	if err != nil {
		return verdict{corrupt: err.Error()}, nil
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	db, err := sql.Open("sqlite", "file:"+path)
	if err != nil {
		return v, err
	}
	defer db.Close()
	if problems, err := column(ctx, db, `SELECT integrity_check FROM pragma_integrity_check`); err != nil || !slices.Equal(problems, []string{"ok"}) {
		return verdict{corrupt: fmt.Sprint(problems, err)}, nil
	}
	if problems, err := column(ctx, db, `SELECT "table" FROM pragma_foreign_key_check`); err != nil || len(problems) > 0 {
		return verdict{corrupt: fmt.Sprint("foreign keys of ", problems, err)}, nil
	}
	if v.lost, err = l.missingUsers(ctx, db, line); err != nil {
		return v, err
	}
	keys, err := l.missingKeys(ctx, db, path+".key", line)
	v.lost = append(v.lost, keys...)
	if err != nil || len(v.lost) > 0 {
		return v, err
	}
	return v, wantStarted(ctx, s, path)
}

// wantStarted reads the sealing keys, or makes the first, as a server does at its start, and
// checks that no other file has keys any more, but that of the removed ones.
func wantStarted(ctx context.Context, s core.Admin, path string) error {
	if _, err := keyring.NewReloader(slog.New(slog.DiscardHandler), "sqlite:"+path).Start(ctx, "", s); err != nil {
		return err
	}
	files, err := filepath.Glob(path + "*")
	for _, file := range files {
		switch kind := strings.TrimPrefix(file, path); {
		case kind == "-journal" && isUnbegun(file):
		case !slices.Contains([]string{"", "-wal", "-shm", ".key", ".key.old"}, kind):
			err = errors.Join(err, fmt.Errorf("there is still %s", file))
		}
	}
	return err
}

// isUnbegun reports whether a file is a rollback journal whose header was never written, which
// SQLite ignores: it leaves one if the power goes while a database is made, before that has a log.
func isUnbegun(journal string) bool {
	content, err := os.ReadFile(journal)
	const magic = 8 // https://www.sqlite.org/fileformat.html#the_rollback_journal
	return err == nil && bytes.Equal(content[:min(len(content), magic)], make([]byte, min(len(content), magic)))
}

// column returns a column of text.
func column(ctx context.Context, db *sql.DB, query string) (values []string, err error) {
	rows, err := db.QueryContext(ctx, query)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var value string
		if err := rows.Scan(&value); err != nil {
			return nil, err
		}
		values = append(values, value)
	}
	return values, rows.Err()
}

// stored is a user as in the database.
type stored struct {
	hash     string
	disabled bool
	digests  []string
}

// missingUsers compares all users and tokens with what was acknowledged.
func (l *promises) missingUsers(ctx context.Context, db *sql.DB, line int) (lost []string, err error) {
	found := make(map[string]*stored)
	rows, err := db.QueryContext(ctx, `
		SELECT u.username, u.password_hash, u.active, coalesce(lower(hex(t.digest)), '')
		FROM users u LEFT JOIN tokens t ON t.user_id = u.id ORDER BY 1`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var name, hash, digest string
		var active bool
		if err := rows.Scan(&name, &hash, &active, &digest); err != nil {
			return nil, err
		}
		if found[name] == nil {
			found[name] = &stored{hash: hash, disabled: !active}
		}
		if digest != "" {
			found[name].digests = append(found[name].digests, digest)
		}
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	registered := 0
	for _, name := range slices.Sorted(maps.Keys(l.users)) {
		last, next := l.possible(l.users[name], line)
		if last != nil && l.users[name][0].Act == "register" {
			registered++
		}
		if l.same(found[name], last) || next != nil && l.same(found[name], next) {
			continue
		}
		lost = append(lost, fmt.Sprintf("user %s: %+v is not what %+v has left", name, found[name], last))
	}
	recorded, err := column(ctx, db, `SELECT DISTINCT username FROM audit WHERE act = 'register'`)
	if len(recorded) < registered {
		lost = append(lost, fmt.Sprintf("the audit record has %d of %d registrations", len(recorded), registered))
	}
	return lost, err
}

// same reports whether a user is as an operation has left it; nil is none.
func (l *promises) same(s *stored, o *operation) bool {
	if s == nil || o == nil {
		return s == nil && o == nil
	}
	digests := make([]string, 0, len(o.After.Tokens))
	for _, token := range o.After.Tokens {
		digests = append(digests, fmt.Sprintf("%x", []byte(core.Presented(token).SHA256())))
	}
	slices.Sort(digests)
	slices.Sort(s.digests)
	if !slices.Equal(digests, s.digests) || s.disabled != o.After.Disabled {
		return false
	}
	key := s.hash + "\x00" + o.After.Password
	known, ok := l.verified.Load(key)
	if !ok {
		matches, err := password.Verify(s.hash, o.After.Password)
		known = matches && err == nil
		l.verified.Store(key, known)
	}
	return known.(bool)
}

// missingKeys compares the key file with what was acknowledged, and with the tokens that
// are sealed: the key of each has to be there.
func (l *promises) missingKeys(ctx context.Context, db *sql.DB, path string, line int) (lost []string, err error) {
	ids, err := readKeyIDs(path)
	if err != nil {
		return []string{"key file: " + err.Error()}, nil
	}
	last, next := l.possible(l.keys, line)
	if last != nil && !slices.Equal(ids, last.Keys) && (next == nil || !slices.Equal(ids, next.Keys)) {
		lost = append(lost, fmt.Sprintf("keys %v are not %v", ids, last.Keys))
	}
	sealed, err := column(ctx, db, `SELECT DISTINCT seal_key FROM tokens WHERE seal_key <> ''`)
	for _, id := range sealed {
		if !slices.Contains(ids, id) {
			lost = append(lost, "the key of sealed tokens: "+id)
		}
	}
	return lost, err
}

// putFiles writes the files of a power cut. The WAL-index may be anything.
func putFiles(folder string, files map[string][]byte, random *rand.Rand) error {
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(folder, name), content, 0o600); err != nil {
			return err
		}
	}
	index := make([]byte, 32768)
	switch random.IntN(4) {
	case 0:
		return nil
	case 1:
	default:
		for i := range index {
			index[i] = byte(random.Uint32())
		}
	}
	return os.WriteFile(filepath.Join(folder, "auth.db-shm"), index[:random.IntN(len(index)+1)], 0o600)
}
