package transfer_test

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/hashing"
	"github.com/authcompat/authcompat/core/sealing"
	"github.com/authcompat/authcompat/store/postgres"
	"github.com/authcompat/authcompat/store/postgres/postgrestest"
	"github.com/authcompat/authcompat/store/sqlite"
)

// Environment variables that select the generated cases to run.
const (
	casesVariable = "AUTHCOMPAT_MOVING_CASES"
	seedVariable  = "AUTHCOMPAT_MOVING_SEED"
	fromVariable  = "AUTHCOMPAT_MOVING_FROM"
)

// Time limit of a case, and the addition for each of its users; a case that takes
// longer hangs.
const (
	caseTime   = time.Minute
	personTime = 100 * time.Millisecond
)

// genCase is a generated case being run.
type genCase struct {
	*world
	ctx        context.Context
	folder     string
	dsn, other string // of databases reserved for this case
	empty      []byte // a store without rows
	sources    []string
	policy     core.Policy
	sealer     sealing.Sealer
	store      base
	service    *core.Service
	opened     int
	endTokens  bool
	newcomers  []string // names of users who registered here in the place of deleted users
	wrong      []string
}

// errGivenUp ends a case that can't continue.
var errGivenUp = errors.New("given up")

func (c *genCase) errorf(format string, args ...any) {
	if len(c.wrong) < 10 {
		c.wrong = append(c.wrong, fmt.Sprintf(format, args...))
	}
}

func (c *genCase) fatalf(format string, args ...any) {
	c.errorf(format, args...)
	panic(errGivenUp)
}

func (c *genCase) must(err error) {
	if err != nil {
		c.fatalf("%v\n%s", err, caller())
	}
}

// caller returns the lines of the tests that led here.
func caller() string {
	var lines []string
	for n := 2; n < 12; n++ {
		if _, file, line, ok := runtime.Caller(n); ok && strings.HasSuffix(file, "_test.go") {
			lines = append(lines, fmt.Sprintf("%s:%d", filepath.Base(file), line))
		}
	}
	return strings.Join(lines, " ")
}

// number returns the number in an environment variable.
func number(t *testing.T, variable string, otherwise uint64) uint64 {
	t.Helper()
	text := os.Getenv(variable)
	if text == "" {
		return otherwise
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		t.Fatal(fmt.Errorf("%s: %w", variable, err))
	}
	return n
}

// TestGenerated imports from, exports to and attaches to user bases of many shapes,
// each drawn from a seed and its number, and compares the results with what is known
// about them.
func TestGenerated(t *testing.T) {
	seed, cases, from := number(t, seedVariable, 1), number(t, casesVariable, generated), number(t, fromVariable, 0)
	t.Logf("%s=%d, cases %d to %d", seedVariable, seed, from, from+cases-1)
	empty := emptyStore(t)
	var next, done, failed atomic.Uint64
	next.Store(from)
	var workers sync.WaitGroup
	var mu sync.Mutex
	kinds := map[string]int{}
	began := time.Now()
	for worker := range 2 {
		dsn, other := ownDatabase(t, fmt.Sprint("generated_", worker)), ownDatabase(t, fmt.Sprint("target_", worker))
		workers.Go(func() {
			for {
				n := next.Add(1) - 1
				if n >= from+cases || failed.Load() >= 20 {
					return
				}
				kind, wrong := runCase(t.Context(), seed, n, [2]string{dsn, other}, empty)
				mu.Lock()
				kinds[kind]++
				if len(wrong) > 0 {
					failed.Add(1)
					t.Errorf("%s=%d %s=%d %s=1 (%s):\n%s", seedVariable, seed, fromVariable, n, casesVariable, kind, strings.Join(wrong, "\n"))
				}
				if d := done.Add(1); d%max(cases/10, 1) == 0 {
					t.Logf("%d cases, up to number %d, %d failed, %.1f a second", d, n, failed.Load(), float64(d)/time.Since(began).Seconds())
				}
				mu.Unlock()
			}
		})
	}
	workers.Wait()
	t.Logf("%d cases, %d failed: %v", done.Load(), failed.Load(), kinds)
}

// runCase runs one case, and returns its kind and its failures.
func runCase(ctx context.Context, seed, n uint64, dsn [2]string, empty []byte) (kind string, wrong []string) {
	c := &genCase{world: newWorld(seed, n), dsn: dsn[0], other: dsn[1], empty: empty}
	most := caseTime + time.Duration(len(c.people))*personTime
	ctx, cancel := context.WithTimeout(ctx, most)
	defer cancel()
	c.ctx = ctx
	ended := make(chan string, 1)
	go func() {
		defer func() {
			if cause := recover(); cause != nil && cause != errGivenUp {
				ended <- fmt.Sprintf("panic: %v\n%s", cause, debug.Stack())
			}
			close(ended)
		}()
		c.all()
	}()
	select {
	case panicked, ok := <-ended:
		if ok {
			c.errorf("%s", panicked)
		}
	case <-time.After(most + 5*time.Second):
		stacks := make([]byte, 1<<20)
		return "hanging", []string{"it hangs", string(stacks[:runtime.Stack(stacks, true)])}
	}
	if len(c.wrong) > 0 {
		c.wrong = append(c.wrong, c.described())
	}
	return c.kind, c.wrong
}

// all creates the source and runs all checks on it.
func (c *genCase) all() {
	folder, err := os.MkdirTemp(memory(), "transfer")
	c.must(err)
	c.folder = folder
	defer os.RemoveAll(folder)
	c.policies()
	c.write()
	c.check()
}

// memory returns a directory in memory, if there is one.
func memory() string {
	if info, err := os.Stat("/dev/shm"); err == nil && info.IsDir() {
		return "/dev/shm"
	}
	return os.TempDir()
}

// policies draws the profile that serves the tokens.
func (c *genCase) policies() {
	key := make([]byte, sealing.KeySize)
	sealer, err := sealing.NewSealer(key)
	c.must(err)
	c.policy = core.Policy{Issuer: "old-api", Realm: core.DefaultRealm, TokenHex: 40}
	switch c.IntN(4) {
	case 0: // tokens are neither returned again nor sealed
	case 1:
		c.policy.Reuse, c.policy.TTL, c.policy.Sliding, c.sealer = true, 15*24*time.Hour, c.chance(50), sealer
	default:
		c.policy.Reuse, c.sealer = true, sealer
	}
}

// emptyStore returns the file of a store without rows.
func emptyStore(t *testing.T) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "empty.db")
	s, err := sqlite.Open(t.Context(), path, sqlite.Options{Unsynced: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// fresh opens an empty store, which the caller closes.
func (c *genCase) fresh() *sqlite.Store {
	c.opened++
	path := filepath.Join(c.folder, fmt.Sprintf("store%d.db", c.opened))
	c.must(os.WriteFile(path, c.empty, 0o600))
	s, err := sqlite.Open(c.ctx, path, sqlite.Options{Readers: 1, Unsynced: true})
	c.must(err)
	return s
}

// target opens the empty store to import into.
func (c *genCase) target() base {
	if !c.chance(6) {
		return c.fresh()
	}
	db, err := sql.Open("postgres", c.other)
	c.must(err)
	defer db.Close()
	c.run(db, `DROP SCHEMA public CASCADE; CREATE SCHEMA public`)
	s, err := postgres.Open(c.ctx, c.other)
	c.must(err)
	return s
}

// serving returns an engine.
func (c *genCase) serving(b core.Backend, keep bool) *core.Service {
	hasher, err := hashing.NewDjangoHasher(1)
	c.must(err)
	hasher.KeepHashes = keep
	return core.New(core.Config{Backend: b, Hasher: hasher, Sealer: c.sealer, Random: rand.Reader, Clock: func() time.Time { return genNow }})
}

// ownDatabase creates a database on the tests' cluster.
func ownDatabase(t *testing.T, name string) string {
	t.Helper()
	shared := postgrestest.DSN(t)
	db, err := sql.Open("postgres", shared)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, statement := range []string{`DROP DATABASE IF EXISTS ` + name, `CREATE DATABASE ` + name} {
		if _, err := db.Exec(statement); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() {
		db, err := sql.Open("postgres", shared)
		if err != nil {
			t.Error(err)
			return
		}
		defer db.Close()
		if _, err := db.Exec(`DROP DATABASE ` + name + ` WITH (FORCE)`); err != nil {
			t.Error(err)
		}
	})
	u, err := url.Parse(shared)
	if err != nil {
		t.Fatal(err)
	}
	u.Path = "/" + name
	return u.String()
}

// numbered matches numbers that a rehearsal can't know.
var numbered = regexp.MustCompile(`user \d+`)

// unnumbered returns problems without those numbers.
func unnumbered(of []string) []string {
	all := slices.Clone(of)
	for i := range all {
		all[i] = numbered.ReplaceAllString(all[i], "user N")
	}
	return all
}
