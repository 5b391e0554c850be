package transfertest

import (
	"bytes"
	"fmt"
	"slices"
	"testing"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/transfer"
	"github.com/authcompat/authcompat/store/storetest/internal/suite"
)

// largeBatches are batches of which a store may look up a part only, to guess the rest.
func largeBatches() []testCase {
	return []testCase{
		{"many users without an id", manyWithoutID},
		{"a name of many is taken", oneNameTaken},
		{"one of many users is refused", oneUserRefused},
		{"one of many users was deleted here", oneUserGone},
		{"one owner of many did not come from there", oneOwnerNative},
		{"one owner of many is gone", oneOwnerGone},
		{"one owner of many has another key", oneOwnerKeyed},
		{"a token of many is here", oneTokenHere},
		{"one of many tokens is over", oneTokenOver},
		{"users who have many more tokens", manyMoreTokens},
		{"one user who had twice as many tokens", hadTwiceAsMany},
		{"each column of a user changed at the source", eachColumnThere},
		{"each column of a user changed here", eachColumnHere},
		{"a user changed alike on both sides", changedAlike},
		{"the source has taken what a user has, who changed here", withdrawn},
		{"one of many tokens is missing or replaced", tokenMissing},
		{"one of many tokens came back", tokenBack},
		{"some of many users have changed", someUsersChanged},
		{"some of many tokens have changed", someTokensChanged},
	}
}

// large is a number of rows of which stores read two halves at a time.
const large = 1500

// people returns users whose IDs follow each other, far above those of native ones.
func people(n int) []core.Account {
	all := make([]core.Account, n)
	for i := range all {
		all[i] = account(int64(1001+i), fmt.Sprintf("user%05d", i))
	}
	return all
}

// wantAll compares the outcomes of rows: all are to be one, but that of the row other.
func wantAll(t *testing.T, what string, all transfer.ImportOutcome, got []transfer.ImportResult, other int, but transfer.ImportOutcome) {
	t.Helper()
	for i, r := range got {
		want := all
		if i == other {
			want = but
		}
		if r.Outcome != want {
			t.Fatalf("%s: outcome of row %d of %d is %d, want %d", what, i, len(got), r.Outcome, want)
		}
	}
}

func manyWithoutID(t *testing.T, m transferPair) {
	all := people(large)
	for i := range all {
		if i != 7 { // beside them, one with an id
			all[i].ID = 0
		}
	}
	place := m.begin(t)
	wantAll(t, "import", transfer.ImportAdded, m.users(t, place, all...), -1, 0)
	wantAll(t, "again", transfer.ImportUnchanged, m.users(t, place, all...), -1, 0)
	ids := map[int64]bool{}
	for _, u := range all {
		here, err := m.B.Account(t.Context(), u.Username)
		if err != nil {
			t.Fatal(err)
		}
		ids[here.ID] = true
	}
	suite.WantSame(t, "ids", large, len(ids))
	suite.WantAccount(t, m.B, all[7])
}

func oneNameTaken(t *testing.T, m transferPair) {
	all := people(2 * large)
	var natives []core.Account
	for _, i := range []int{1, large - 2, large + 1} {
		native := m.Add(t, suite.NewUser(all[i].Username))
		natives = append(natives, core.Account{User: native, PasswordHash: "hash of " + native.Username})
	}
	first, second, others := all[:large/2], all[large/2:large], all[large:]
	wantAll(t, "in the first half", transfer.ImportAdded, m.users(t, m.begin(t), first...), 1, transfer.ImportRefused)
	wantAll(t, "in the second half", transfer.ImportAdded, m.users(t, m.begin(t), second...), len(second)-2, transfer.ImportRefused)
	// Of this batch, half is here already.
	results := m.users(t, m.begin(t), slices.Concat(others, all[2:large-2])...)
	wantAll(t, "beside users who are here", transfer.ImportAdded, results[:large], 1, transfer.ImportRefused)
	wantAll(t, "users who are here", transfer.ImportUnchanged, results[large:], -1, 0)
	for _, native := range natives {
		suite.WantAccount(t, m.B, native)
	}
	suite.WantAccount(t, m.B, others[0])
}

func oneUserRefused(t *testing.T, m transferPair) {
	native := m.Add(t, suite.NewUser("native"))
	all := people(large)
	all[7].Username = ""
	wantAll(t, "without a name", transfer.ImportAdded, m.users(t, m.begin(t), all...), 7, transfer.ImportRefused)
	all = append(people(2 * large)[large:], account(5000, "user01501")) // a name of this batch
	more := people(3 * large)[2*large:]
	more[1].ID, more[1].Username = transfer.MaxUserID+2, native.Username // another id would not help
	wantAll(t, "a taken name and an impossible id", transfer.ImportAdded, m.users(t, m.begin(t), more...), 1, transfer.ImportRefused)
	wantAll(t, "a name twice", transfer.ImportAdded, m.users(t, m.begin(t), all...), large, transfer.ImportRefused)
}

func oneUserGone(t *testing.T, m transferPair) {
	place := m.begin(t)
	all := people(large)
	m.users(t, place, all[7])
	if err := m.A.(core.Admin).DeleteUser(t.Context(), all[7].ID, nil); err != nil {
		t.Fatal(err)
	}
	wantAll(t, "import", transfer.ImportAdded, m.users(t, place, all...), 7, transfer.ImportKept)
	suite.WantAccount(t, m.B, all[8])
}

// tokensOf returns a token of each user, sorted by digest.
func tokensOf(users []core.Account) []core.Token {
	all := make([]core.Token, len(users))
	for i, u := range users {
		all[i] = suite.TokenOf(u.User, "token of "+u.Username)
	}
	slices.SortFunc(all, func(a, b core.Token) int { return bytes.Compare(a.Digest, b.Digest) })
	return all
}

func oneOwnerNative(t *testing.T, m transferPair) {
	place := m.begin(t)
	native := m.Add(t, suite.NewUser("native"))
	all := people(large)
	m.users(t, place, all...)
	tokens := append(tokensOf(all), suite.TokenOf(native, "token of native"))
	wantAll(t, "import", transfer.ImportAdded, m.tokens(t, place, tokens...), large, transfer.ImportRefused)
}

func oneOwnerGone(t *testing.T, m transferPair) {
	place := m.begin(t)
	all := people(large)
	m.users(t, place, all...)
	tokens := tokensOf(all)
	if err := m.A.(core.Admin).DeleteUser(t.Context(), tokens[7].UserID, nil); err != nil {
		t.Fatal(err)
	}
	wantAll(t, "import", transfer.ImportAdded, m.tokens(t, place, tokens...), 7, transfer.ImportRefused)
}

func oneOwnerKeyed(t *testing.T, m transferPair) {
	place := m.begin(t)
	all := people(large)
	users := imported(all...)
	users[7].Key, users[8].Key = users[8].Key, "elsewhere"
	place.Stage = "users"
	if _, err := m.from.ImportUsers(t.Context(), place, users); err != nil {
		t.Fatal(err)
	}
	tokens := []core.Token{suite.TokenOf(all[8].User, "token of another")}
	for _, u := range all {
		tokens = append(tokens, suite.TokenOf(u.User, "token of "+u.Username))
	}
	outcomes := m.tokens(t, place, append(tokens[:8:8], tokens[10:]...)...) // without those of the two
	wantAll(t, "import", transfer.ImportAdded, outcomes, 0, transfer.ImportRefused)
}

func oneTokenHere(t *testing.T, m transferPair) {
	all := people(large)
	place := m.begin(t)
	m.users(t, place, all...)
	tokens := tokensOf(all)
	native := m.Add(t, suite.NewUser("native"))
	here := tokens[1]
	here.UserID = native.ID
	m.Issue(t, here)
	wantAll(t, "import", transfer.ImportAdded, m.tokens(t, place, tokens...), 1, transfer.ImportRefused)
	wantAll(t, "again", transfer.ImportUnchanged, m.tokens(t, place, tokens...), 1, transfer.ImportRefused)
}

func oneTokenOver(t *testing.T, m transferPair) {
	all := people(2 * large)
	place := m.begin(t)
	m.users(t, place, all...)
	for _, c := range []struct {
		users []core.Account
		here  bool
		want  transfer.ImportOutcome
	}{{all[:large], false, transfer.ImportExpired}, {all[large:], true, transfer.ImportUnchanged}} {
		tokens := tokensOf(c.users)
		tokens[1].ExpiresAt = suite.Noon()
		if place.Now = suite.Noon().Add(-1); c.here {
			m.tokens(t, place, tokens[1])
		}
		place.Now = suite.Noon().Add(1)
		wantAll(t, fmt.Sprint("here: ", c.here), transfer.ImportAdded, m.tokens(t, place, tokens...), 1, c.want)
	}
}

func manyMoreTokens(t *testing.T, m transferPair) {
	users := people(large / 10)
	place := m.begin(t)
	m.users(t, place, users...)
	var tokens []core.Token
	for _, u := range users {
		for i := range 10 {
			tokens = append(tokens, suite.TokenOf(u.User, fmt.Sprint(i, " of ", u.Username)))
		}
	}
	m.tokens(t, place, tokens...)
	m.finish(t, place)
	place = m.begin(t)
	wantAll(t, "all", transfer.ImportUnchanged, m.tokens(t, place, tokens...), -1, 0)
	var first []core.Token
	for i := 0; i < len(tokens); i += 10 {
		first = append(first, tokens[i])
	}
	wantAll(t, "one of each user", transfer.ImportUnchanged, m.tokens(t, place, first...), -1, 0)
	// A token that is here belongs to none of the users of its batch.
	moved := tokens[len(tokens)-1]
	moved.UserID = users[0].ID
	last := len(first) - 1
	wantAll(t, "a token of somebody else", transfer.ImportUnchanged, m.tokens(t, place, append(first[:last:last], moved)...), last, transfer.ImportRefused)
	suite.WantSame(t, "ended", 0, m.finish(t, place))
}

// hadTwiceAsMany has a batch that is all of one user's tokens, of which an earlier run saw as many again.
func hadTwiceAsMany(t *testing.T, m transferPair) {
	ann := account(1001, "ann")
	place := m.begin(t)
	m.users(t, place, ann)
	tokens := make([]core.Token, 2*large)
	for i := range tokens {
		tokens[i] = suite.TokenOf(ann.User, fmt.Sprint(i))
	}
	m.tokens(t, place, tokens...)
	m.finish(t, place)
	place = m.begin(t)
	wantAll(t, "again", transfer.ImportUnchanged, m.tokens(t, place, tokens[:large]...), -1, 0)
	suite.WantSame(t, "ended", large, m.finish(t, place))
	suite.WantGone(t, m.B, fmt.Sprint(large))
	suite.WantFound(t, m.B, fmt.Sprint(large-1), tokens[large-1], ann.User)
}
