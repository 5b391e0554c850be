package sqlite_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/store/sqlite"
	"github.com/authcompat/authcompat/store/sqlite/sqlitetest"
)

// benchmarkTokens is the number of tokens in a benchmark's store.
const benchmarkTokens = 1000

// mustFill returns a store with benchmarkTokens tokens, named "user 0" and so on.
func mustFill(b *testing.B) *sqlite.Store {
	b.Helper()
	s := sqlitetest.MustOpen(b)
	for i := range benchmarkTokens {
		if err := register(b.Context(), s, fmt.Sprintf("user %d", i)); err != nil {
			b.Fatal(err)
		}
	}
	return s
}

// BenchmarkFindToken measures look-ups: of a live token, of an unknown one, and on all
// cores at once.
func BenchmarkFindToken(b *testing.B) {
	s := mustFill(b)
	keys := make([]core.Presented, benchmarkTokens)
	for i := range keys {
		keys[i] = core.Presented(fmt.Sprintf("user %d", i))
	}
	b.Run("hit", func(b *testing.B) {
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			if _, _, err := s.FindToken(b.Context(), "default", keys[i%len(keys)]); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("miss", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, _, err := s.FindToken(b.Context(), "default", "nobody's"); !errors.Is(err, core.ErrNotFound) {
				b.Fatal(err)
			}
		}
	})
	b.Run("parallel", func(b *testing.B) {
		b.ReportAllocs()
		b.RunParallel(func(pb *testing.PB) {
			for i := 0; pb.Next(); i++ {
				if _, _, err := s.FindToken(b.Context(), "default", keys[i%len(keys)]); err != nil {
					b.Error(err)
				}
			}
		})
	})
}

func BenchmarkAccount(b *testing.B) {
	s := mustFill(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Account(b.Context(), "user 7"); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkIssueToken measures a durable write.
func BenchmarkIssueToken(b *testing.B) {
	s := sqlitetest.MustOpen(b)
	user, err := s.CreateUser(b.Context(), core.NewUser{Username: "ann"}, nil, nil)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		token := core.Token{Digest: core.Presented(fmt.Sprint(i)).SHA256(), UserID: user.ID, Realm: "default"}
		if err := s.IssueToken(b.Context(), token, "", 0, nil); err != nil {
			b.Fatal(err)
		}
	}
}
