// Package transfertest is the suite of a store's imports and exports.
package transfertest

import (
	"fmt"
	"testing"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/transfer"
	"github.com/authcompat/authcompat/store/storetest/internal/suite"
)

// Store is a store that can import from another server, and export to it.
type Store interface {
	core.Store
	transfer.Importer
	transfer.Exporter
}

// Run runs the suite of [transfer.Importer] and [transfer.Exporter], and that
// of tokens in older servers' formats. The opener's stores have to be Stores.
func Run(t *testing.T, open suite.Opener) {
	suite.Run(t, open, []suite.Subject[testCase]{
		{Name: "older tokens", Cases: olderTokens()},
		{Name: "imported users", Cases: importedUsers()},
		{Name: "imported keys", Cases: importedKeys()},
		{Name: "imported tokens", Cases: importedTokens()},
		{Name: "large batches", Cases: largeBatches()},
		{Name: "runs", Cases: importRuns()},
		{Name: "export", Cases: exports()},
	}, func(p suite.Pair) transferPair {
		return transferPair{Pair: p, from: p.A.(Store), to: p.B.(Store)}
	}, nil)
}

// testCase checks one sentence of a contract.
type testCase struct {
	Name string
	Run  func(*testing.T, transferPair)
}

// transferPair is a pair of Stores: from writes, to reads.
type transferPair struct {
	suite.Pair
	from, to Store
}

// source is the source of the imports.
const source = "somewhere"

// account is a user of the source.
func account(id int64, name string) core.Account {
	return core.Account{
		User:         core.User{ID: id, Username: name, Email: name + "@example.org", Active: true, CreatedAt: suite.Noon()},
		PasswordHash: "hash of " + name,
	}
}

// begin begins or resumes a run.
func (m transferPair) begin(t *testing.T) transfer.Checkpoint {
	t.Helper()
	place, err := m.from.BeginImport(t.Context(), source, "options")
	if err != nil {
		t.Fatal(err)
	}
	return place
}

// imported returns accounts as the source has them: with an ID, or with a name only.
func imported(accounts ...core.Account) []transfer.ImportedUser {
	users := make([]transfer.ImportedUser, len(accounts))
	for i, a := range accounts {
		users[i] = transfer.ImportedUser{Key: fmt.Sprint(a.ID), Account: a}
		if a.ID == 0 {
			users[i].Key = transfer.NaturalKey(a.Username)
		}
	}
	return users
}

// users imports the accounts in the run and returns the outcomes.
func (m transferPair) users(t *testing.T, place transfer.Checkpoint, accounts ...core.Account) []transfer.ImportResult {
	t.Helper()
	place.Stage = "users"
	results, err := m.from.ImportUsers(t.Context(), place, imported(accounts...))
	if err != nil {
		t.Fatal(err)
	}
	return results
}

// tokens imports the tokens in the run and returns the outcomes.
func (m transferPair) tokens(t *testing.T, place transfer.Checkpoint, tokens ...core.Token) []transfer.ImportResult {
	t.Helper()
	place.Stage = "tokens"
	owned := make([]transfer.ImportedToken, len(tokens))
	for i, token := range tokens {
		owned[i] = transfer.ImportedToken{Owner: fmt.Sprint(token.UserID), Token: token}
	}
	results, err := m.from.ImportTokens(t.Context(), place, owned)
	if err != nil {
		t.Fatal(err)
	}
	return results
}

// finish finishes a complete run and returns the number of tokens that it revoked.
func (m transferPair) finish(t *testing.T, place transfer.Checkpoint) int {
	t.Helper()
	ended, err := m.from.FinishImport(t.Context(), place, []string{"tokens"})
	if err != nil {
		t.Fatal(err)
	}
	return ended
}

// wantOutcomes compares the outcomes of rows.
func wantOutcomes(t *testing.T, what string, got []transfer.ImportResult, want ...transfer.ImportOutcome) {
	t.Helper()
	outcomes := make([]transfer.ImportOutcome, len(got))
	for i, r := range got {
		outcomes[i] = r.Outcome
	}
	suite.WantSame(t, what+fmt.Sprint(got), want, outcomes)
}

// hexToken returns a token in knox's format: 64 hex digits.
func hexToken(n int) string { return fmt.Sprintf("%08x%056x", n, 0xabcdef) }

// olderOf returns a token in a legacy format that expires an hour after noon.
func olderOf(t *testing.T, u core.User, g core.LegacyFormat, text string) core.Token {
	t.Helper()
	older, err := core.NewLegacy(g, zeros{}, text)
	if err != nil {
		t.Fatal(err)
	}
	token := suite.SlidingOf(u, text, time.Hour)
	token.Digest, older.Digest = older.Digest, nil
	token.Legacy = older
	return token
}

// zeros replaces randomness.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// bare returns a token as look-ups return it.
func bare(t core.Token) core.Token {
	t.Legacy = core.Legacy{}
	return t
}
