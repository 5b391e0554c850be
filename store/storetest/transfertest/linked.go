package transfertest

import (
	"crypto/sha256"
	"slices"
	"testing"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/transfer"
	"github.com/authcompat/authcompat/store/storetest/internal/suite"
)

// Linked is what a store of schema 13 has of a source "old", whose third run was
// interrupted in its table "t". In that schema, links of tokens are rows of their own.
type Linked struct {
	Users  map[int64]string
	Tokens []core.Token
	// Links are links of existing tokens, by digest or by twin, and of deleted ones.
	Links []transfer.TokenLink
}

func digestOf(text string) core.Digest {
	sum := sha256.Sum256([]byte(text))
	return sum[:]
}

// NewLinked returns two users with a token each, and two deleted tokens: one was
// revoked here, one was not seen by a run.
func NewLinked() Linked {
	return Linked{
		Users: map[int64]string{1: "ann", 2: "bob"},
		Tokens: []core.Token{
			{UserID: 1, Digest: digestOf("came")},
			{UserID: 2, Digest: digestOf("issued here"), Legacy: core.Legacy{Digest: digestOf("handed over")}},
		},
		Links: []transfer.TokenLink{
			{Digest: digestOf("came")}, {Digest: digestOf("handed over")},
			{Digest: digestOf("ended here")}, {Digest: digestOf("not seen"), Absent: true},
		},
	}
}

// LinkedStore is a store whose links are checked.
type LinkedStore interface {
	transfer.Importer
	transfer.Exporter
}

// Check runs an import in a store whose schema was upgraded: it begins at the first
// row, finds what was imported before, and revokes what it does not see.
func (Linked) Check(t *testing.T, s LinkedStore) {
	t.Helper()
	place, err := s.BeginImport(t.Context(), "old", "options")
	if err != nil {
		t.Fatal(err)
	}
	suite.WantSame(t, "place", transfer.Checkpoint{Source: place.Source, Run: 4, Options: "options", Tables: []string{"t"}}, place)
	handed := []core.Digest{digestOf("came"), digestOf("handed over"), digestOf("ended here"), digestOf("not seen")}
	ended, err := s.RevokedAmong(t.Context(), handed, suite.Noon())
	if err != nil {
		t.Fatal(err)
	}
	suite.WantSame(t, "ended here", []core.Digest{digestOf("ended here")}, ended)

	place.Stage, place.Now = "t", suite.Noon()
	var tokens []transfer.ImportedToken
	for _, text := range []string{"came", "ended here", "not seen"} {
		tokens = append(tokens, transfer.ImportedToken{Owner: "1", Token: core.Token{
			UserID: 1, Digest: digestOf(text), Realm: "default", Issuer: "api", CreatedAt: suite.Noon().Add(-time.Hour),
		}})
	}
	results, err := s.ImportTokens(t.Context(), place, tokens)
	if err != nil {
		t.Fatal(err)
	}
	outcomes := make([]transfer.ImportOutcome, len(results))
	for i, r := range results {
		outcomes[i] = r.Outcome
	}
	if want := []transfer.ImportOutcome{transfer.ImportUnchanged, transfer.ImportKept, transfer.ImportAdded}; !slices.Equal(outcomes, want) {
		t.Errorf("outcomes %v, want %v", outcomes, want)
	}
	here, unseen, err := s.CountImported(t.Context(), place, []string{"t"})
	if err != nil || here != 3 || unseen != 1 {
		t.Errorf("%d of %d were not seen, want 1 of 3; error %v", unseen, here, err)
	}
	gone, err := s.FinishImport(t.Context(), place, []string{"t"})
	if err != nil || gone != 1 {
		t.Errorf("%d ended, want 1; error %v", gone, err)
	}
}
