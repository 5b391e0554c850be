package hashing

import (
	"fmt"
	"testing"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/password"
)

// mixOf are accounts of two costs.
func mixOf() []core.PasswordFormatCount {
	return []core.PasswordFormatCount{
		{Example: "pbkdf2_sha256$1000$salt$xxx", Accounts: 50}, {Example: "pbkdf2_sha256$3000$salt$xxx", Accounts: 50},
	}
}

// TestUnknownNamesCostWhatAccountsDo checks that a name that nobody has, or whose password
// can't be checked, costs what some account's does, and not what a new hash would.
func TestUnknownNamesCostWhatAccountsDo(t *testing.T) {
	h, err := NewDjangoHasher(2000)
	if err != nil {
		t.Fatal(err)
	}
	if got := h.cost("nobody", ""); got != h.hasher.Cost() {
		t.Errorf("without accounts: %s", got)
	}
	h.SetDummyCosts(NewDummyCosts(make([]byte, core.DatabaseKeySize), mixOf()))
	seen := make(map[password.Cost]int)
	for i := range 100 {
		name := fmt.Sprint("nobody ", i)
		first := h.cost(name, "")
		seen[first]++
		if again := h.cost(name, "!unusable"); again != first {
			t.Errorf("%s costs %s, and %s with a password that is unusable", name, first, again)
		}
	}
	if len(seen) != 2 || seen[h.hasher.Cost()] != 0 {
		t.Errorf("costs %v, want those of the two kinds of accounts", seen)
	}
}

// TestUnknownNamesHaveAKey checks that nobody without the key can tell what a name costs.
func TestUnknownNamesHaveAKey(t *testing.T) {
	one, other := NewDummyCosts([]byte("one"), mixOf()), NewDummyCosts([]byte("other"), mixOf())
	same := 0
	for i := range 100 {
		name := fmt.Sprint("nobody ", i)
		a, _ := one.cost(name)
		if b, _ := other.cost(name); a == b {
			same++
		}
	}
	if same > 80 {
		t.Errorf("%d of 100 names cost the same with another key", same)
	}
}

// TestUncheckablePasswordsAreHashed measures that an account without a usable password
// costs a hash, as any name does that nobody has. A million iterations take longer than
// the bound on any machine, and no hash takes microseconds.
func TestUncheckablePasswordsAreHashed(t *testing.T) {
	const bound = 20 * time.Millisecond
	h, err := NewDjangoHasher(1_000_000)
	if err != nil {
		t.Fatal(err)
	}
	for _, encoded := range []string{"!unusable", "", "no format", "pbkdf2_sha256$99999999$salt$xxx"} {
		began := time.Now()
		ok, rehash, err := h.Check(t.Context(), "john", encoded, "a password")
		if took := time.Since(began); ok || rehash || err != nil || took < bound {
			t.Errorf("%q: matches %t, %t, %v, after %v", encoded, ok, rehash, err, took)
		}
	}
	began := time.Now()
	if err := h.HashDummy(t.Context(), "nobody", "a password"); err != nil || time.Since(began) < bound {
		t.Errorf("a dummy hash: %v, after %v", err, time.Since(began))
	}
}
