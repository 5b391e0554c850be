package core_test

import (
	"bytes"
	"slices"
	"testing"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/hashing"
	"github.com/authcompat/authcompat/core/sealing"
	"github.com/authcompat/authcompat/store/sqlite/sqlitetest"
)

// TestPseudonyms checks that the digests of names that nobody has are kept under keys that
// are not in the database, and are found again after a rotation.
func TestPseudonyms(t *testing.T) {
	passwords, err := hashing.NewDjangoHasher(1000)
	if err != nil {
		t.Fatal(err)
	}
	store := sqlitetest.MustOpen(t)
	database := make([]byte, core.DatabaseKeySize)
	process := func(keys ...byte) *core.Service {
		var all [][]byte
		for _, b := range keys {
			all = append(all, bytes.Repeat([]byte{b}, sealing.KeySize))
		}
		sealer, err := sealing.NewSealer(all...)
		if err != nil {
			t.Fatal(err)
		}
		return core.New(core.Config{Backend: core.Backend{Store: store, Auditor: store}, Hasher: passwords, Sealer: sealer, DatabaseKey: database})
	}
	attempt := func(s *core.Service) string {
		t.Helper()
		if _, err := s.Login(t.Context(), fixed, "hunter2", "x"); core.KindOf(err) != core.KindInvalidCredentials {
			t.Fatal(err)
		}
		newest, err := store.AuditEntries(t.Context(), core.AuditFilter{}, 1)
		if err != nil || len(newest) != 1 || newest[0].Username != "" || newest[0].UsernamePseudonym == "" {
			t.Fatalf("entries %+v, %v", newest, err)
		}
		return newest[0].UsernamePseudonym
	}
	first := attempt(process('a'))
	if rotated := attempt(process('b', 'a')); rotated != first {
		t.Error("a rotation changes the digest")
	}
	if pruned := attempt(process('b')); pruned == first {
		t.Error("the digest does not depend on the sealing key")
	}
	found, err := store.AuditEntries(t.Context(), core.AuditFilter{UsernamePseudonyms: process('b', 'a').Pseudonyms("hunter2")}, 10)
	if err != nil || len(found) != 3 {
		t.Errorf("found %d, %v", len(found), err)
	}
	database = bytes.Repeat([]byte{1}, core.DatabaseKeySize)
	if attempt(process('a')) == first {
		t.Error("databases with the same sealing key have the same digests")
	}

	// Without a sealing key, the key is a process's own.
	keyless := process()
	drawn := attempt(keyless)
	if attempt(keyless) != drawn {
		t.Error("a process changes its digests")
	}
	if other := process(); slices.Contains(other.Pseudonyms("hunter2"), drawn) {
		t.Error("another process can find a name without a key")
	}
}

// TestLimitsOfNodesWithoutKeys checks that nodes that have no sealing key limit the guesses
// at an account together, and that those at a name that nobody has are limited too.
func TestLimitsOfNodesWithoutKeys(t *testing.T) {
	g := newGuarded(t, few, many)
	nodes := make([]*core.Service, 3)
	for i := range nodes {
		nodes[i] = core.New(core.Config{
			Backend: core.Backend{Store: g.audit.(core.Store)}, Hasher: g.pool, DatabaseKey: make([]byte, core.DatabaseKeySize),
			Clock: func() time.Time { return g.now },
		})
		nodes[i].SetLoginLimits(&core.LoginLimits{Limiter: g.audit.(core.RateLimiter), PerUser: few, PerAddress: many})
	}
	guess := func(name string) func() {
		return func() {
			for range 5 {
				for _, s := range nodes {
					if _, err := s.Login(t.Context(), fixed, name, "wrong"); core.KindOf(err) != core.KindInvalidCredentials {
						t.Fatal(err)
					}
				}
			}
		}
	}
	if n := g.hashes(guess("john")); n != uint64(few.Burst) {
		t.Errorf("%d guesses at an account were checked, want %d", n, few.Burst)
	}
	if n := g.hashes(guess("nobody")); n != uint64(few.Burst*len(nodes)) {
		t.Errorf("%d guesses at nobody took time, want %d", n, few.Burst*len(nodes))
	}
}
