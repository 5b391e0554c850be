package transfertest

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/transfer"
	"github.com/authcompat/authcompat/store/storetest/internal/suite"
)

func importedUsers() []testCase {
	return []testCase{
		{"users come with their ids", usersWithIDs},
		{"ids of new users are above", idsAbove},
		{"a second run changes nothing", secondRunUsers},
		{"what changed at the source comes over", changedAtSource},
		{"names that pass from one to the next", passedNames},
		{"users told twice in a batch", toldTwice},
		{"what changed here stays", changedHere},
		{"the later of two last logins counts", lastLogins},
		{"who comes to an address at the source comes after all who have it", movedAddresses},
		{"a taken name, a taken id, an impossible row", usersRefused},
		{"users without ids", usersWithoutIDs},
		{"a key that somebody else has now", keyUsedAgain},
		{"what is known of a batch has nobody twice", knownOnce},
		{"the id of a user who was deleted here", idOfADeletedUser},
	}
}

func usersWithIDs(t *testing.T, m transferPair) {
	ann, bob := account(7, "ann"), account(3, "bob")
	ann.Attributes = map[string]string{"first_name": "Ann"}
	bob.Active, bob.Email, bob.PasswordHash = false, "", ""
	wantOutcomes(t, "import", m.users(t, m.begin(t), ann, bob, ann), transfer.ImportAdded, transfer.ImportAdded, transfer.ImportUnchanged)
	suite.WantAccount(t, m.B, ann)
	suite.WantAccount(t, m.B, bob)
}

func idsAbove(t *testing.T, m transferPair) {
	m.users(t, m.begin(t), account(1_000_000, "ann"))
	if bob := m.Add(t, suite.NewUser("bob")); bob.ID <= 1_000_000 {
		t.Errorf("id %d after 1000000", bob.ID)
	}
	// After the last id that there is, nobody could be added any more.
	m.users(t, m.begin(t), account(transfer.MaxUserID, "cid"))
	if dan := m.Add(t, suite.NewUser("dan")); dan.ID <= transfer.MaxUserID {
		t.Errorf("id %d after %d", dan.ID, int64(transfer.MaxUserID))
	}
	wantOutcomes(t, "import", m.users(t, m.begin(t), account(math.MaxInt64, "eve"), account(transfer.MaxUserID+2, "fay")), transfer.ImportIDTaken, transfer.ImportIDTaken)
}

func secondRunUsers(t *testing.T, m transferPair) {
	for _, want := range []transfer.ImportOutcome{transfer.ImportAdded, transfer.ImportUnchanged, transfer.ImportUnchanged} {
		place := m.begin(t)
		wantOutcomes(t, "import", m.users(t, place, account(1, "ann"), account(2, "bob")), want, want)
		m.finish(t, place)
	}
	suite.WantAccount(t, m.B, account(1, "ann"))
}

func changedAtSource(t *testing.T, m transferPair) {
	m.users(t, m.begin(t), account(1, "ann"), account(2, "bob"), account(3, "cid"))
	ann, bob, cid := account(1, "ann"), account(2, "robert"), account(3, "cid")
	ann.PasswordHash, cid.Active = "new hash", false
	wantOutcomes(t, "import", m.users(t, m.begin(t), ann, bob, cid), transfer.ImportUpdated, transfer.ImportUpdated, transfer.ImportUpdated)
	for _, a := range []core.Account{ann, {User: bob.User, PasswordHash: "hash of robert"}, cid} {
		suite.WantAccount(t, m.B, a)
	}
	suite.WantNobody(t, m.Pair, "bob")
}

func changedHere(t *testing.T, m transferPair) {
	m.users(t, m.begin(t), account(1, "ann"), account(2, "bob"))
	for _, id := range []int64{1, 2} {
		name := map[int64]string{1: "ann", 2: "bob"}[id]
		if err := m.A.UpdatePassword(t.Context(), id, "hash of "+name, "ours", false, nil); err != nil {
			t.Fatal(err)
		}
	}
	bob := account(2, "bob")
	bob.PasswordHash = "theirs"
	wantOutcomes(t, "import", m.users(t, m.begin(t), account(1, "ann"), bob), transfer.ImportKept, transfer.ImportKept)
	suite.WantAccount(t, m.B, core.Account{User: account(1, "ann").User, PasswordHash: "ours"})
	suite.WantAccount(t, m.B, core.Account{User: bob.User, PasswordHash: "ours"})
	// When the source catches up, both are equal again.
	bob.PasswordHash = "ours"
	wantOutcomes(t, "import", m.users(t, m.begin(t), bob), transfer.ImportUnchanged)
}

func usersRefused(t *testing.T, m transferPair) {
	native := m.Add(t, suite.NewUser("native"))
	results := m.users(t, m.begin(t), account(native.ID, "other"), account(native.ID+1, "native"), account(8, ""), account(9, "a\x00"), account(-1, "minus"), account(10, "good"), account(11, "good"))
	wantOutcomes(t, "import", results, transfer.ImportIDTaken, transfer.ImportRefused, transfer.ImportRefused, transfer.ImportRefused, transfer.ImportRefused, transfer.ImportAdded, transfer.ImportRefused)
	suite.WantAccount(t, m.B, core.Account{User: native, PasswordHash: "hash of native"})
	suite.WantAccount(t, m.B, account(10, "good"))
	for _, name := range []string{"other", "minus"} {
		suite.WantNobody(t, m.Pair, name)
	}
	// A user who is here already may be recognized.
	same := core.Account{User: native, PasswordHash: "hash of native"}
	wantOutcomes(t, "import", m.users(t, m.begin(t), same), transfer.ImportUnchanged)
	// A user with the same ID in the source gets another one, and keeps it.
	other := transfer.ImportedUser{Key: "another key", Account: account(0, "another")}
	for _, want := range []transfer.ImportOutcome{transfer.ImportAdded, transfer.ImportUnchanged} {
		results, err := m.from.ImportUsers(t.Context(), m.begin(t), []transfer.ImportedUser{other})
		if err != nil {
			t.Fatal(err)
		}
		wantOutcomes(t, "import", results, want)
	}
	suite.WantAccount(t, m.B, core.Account{User: native, PasswordHash: "hash of native"})
}

func usersWithoutIDs(t *testing.T, m transferPair) {
	ann := account(0, "ann")
	wantOutcomes(t, "import", m.users(t, m.begin(t), ann), transfer.ImportAdded)
	got, err := m.B.Account(t.Context(), "ann")
	if err != nil {
		t.Fatal(err)
	}
	ann.PasswordHash = "new"
	wantOutcomes(t, "import", m.users(t, m.begin(t), ann), transfer.ImportUpdated)
	ann.ID = got.ID
	suite.WantAccount(t, m.B, ann)
	owned := []transfer.ImportedToken{{Owner: transfer.NaturalKey("ann"), Token: suite.TokenOf(ann.User, "key")}}
	results, err := m.from.ImportTokens(t.Context(), m.begin(t), owned)
	if err != nil {
		t.Fatal(err)
	}
	wantOutcomes(t, "tokens", results, transfer.ImportAdded)
}

func importedTokens() []testCase {
	return []testCase{
		{"tokens come with all they have", tokensCome},
		{"a second run changes nothing", secondRunTokens},
		{"a token that was logged out here stays gone", tokensStayGone},
		{"a later end at the source moves ours", tokensMove},
		{"a token that is over is not added", tokensOver},
		{"tokens of users who did not come are refused", tokensOfOthers},
		{"one reusable token a user", tokensReusable},
		{"a token that was issued here is known", tokensIssuedHere},
	}
}

func tokensCome(t *testing.T, m transferPair) {
	place := m.begin(t)
	ann := account(1, "ann").User
	ann.Active = false
	m.users(t, place, core.Account{User: ann})
	tokens := []core.Token{suite.ReusableOf(ann, "everything", time.Hour), suite.TokenOf(ann, "plain")}
	for i, g := range generations() {
		tokens = append(tokens, olderOf(t, ann, g, hexToken(i)))
	}
	m.tokens(t, place, tokens...)
	for i, key := range []string{"everything", "plain", hexToken(0), hexToken(1), hexToken(2)} {
		suite.WantFound(t, m.B, key, bare(tokens[i]), ann)
	}
}

func secondRunTokens(t *testing.T, m transferPair) {
	ann := account(1, "ann")
	for _, want := range []transfer.ImportOutcome{transfer.ImportAdded, transfer.ImportUnchanged} {
		place := m.begin(t)
		m.users(t, place, ann)
		wantOutcomes(t, "import", m.tokens(t, place, suite.ReusableOf(ann.User, "key", time.Hour), olderOf(t, ann.User, core.Knox42, hexToken(1))), want, want)
		suite.WantSame(t, "ended", 0, m.finish(t, place))
	}
	suite.WantFound(t, m.B, "key", suite.ReusableOf(ann.User, "key", time.Hour), ann.User)
}

func tokensStayGone(t *testing.T, m transferPair) {
	ann := account(1, "ann")
	place := m.begin(t)
	m.users(t, place, ann)
	m.tokens(t, place, suite.TokenOf(ann.User, "key"))
	m.finish(t, place)
	if err := m.A.DeleteToken(t.Context(), suite.TokenOf(ann.User, "key").Digest, nil); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		place = m.begin(t)
		wantOutcomes(t, "import", m.tokens(t, place, suite.TokenOf(ann.User, "key")), transfer.ImportKept)
		m.finish(t, place)
		suite.WantGone(t, m.B, "key")
	}
}

func tokensMove(t *testing.T, m transferPair) {
	ann := account(1, "ann")
	place := m.begin(t)
	m.users(t, place, ann)
	for i, ttl := range []time.Duration{time.Hour, 2 * time.Hour, time.Hour} {
		want := []transfer.ImportOutcome{transfer.ImportAdded, transfer.ImportUpdated, transfer.ImportUnchanged}[i]
		wantOutcomes(t, fmt.Sprint("ttl ", ttl), m.tokens(t, place, suite.SlidingOf(ann.User, "key", ttl)), want)
	}
	token := suite.SlidingOf(ann.User, "key", time.Hour)
	token.ExpiresAt = suite.Noon().Add(2 * time.Hour)
	suite.WantFound(t, m.B, "key", token, ann.User)
}

func tokensOver(t *testing.T, m transferPair) {
	ann := account(1, "ann")
	place := m.begin(t)
	m.users(t, place, ann)
	token := suite.SlidingOf(ann.User, "key", time.Hour)
	place.Now = token.ExpiresAt
	wantOutcomes(t, "import", m.tokens(t, place, token), transfer.ImportExpired)
	suite.WantGone(t, m.B, "key")
	place.Now = suite.Noon()
	m.tokens(t, place, token)
	m.finish(t, place)
	// It was extended here since: that it has expired at the source does not matter.
	moved := token
	moved.ExpiresAt = token.ExpiresAt.Add(time.Hour)
	m.Extend(t, token.Digest, moved.ExpiresAt, suite.Noon())
	place = m.begin(t)
	place.Now = token.ExpiresAt
	wantOutcomes(t, "import", m.tokens(t, place, token), transfer.ImportUnchanged)
	suite.WantSame(t, "ended", 0, m.finish(t, place))
	suite.WantFound(t, m.B, "key", moved, ann.User)
}

func tokensOfOthers(t *testing.T, m transferPair) {
	native := m.Add(t, suite.NewUser("native"))
	results := m.tokens(t, m.begin(t), suite.TokenOf(native, "key"), suite.TokenOf(core.User{ID: 99}, "nobody's"))
	wantOutcomes(t, "import", results, transfer.ImportRefused, transfer.ImportRefused)
	suite.WantGone(t, m.B, "key")
}

func tokensReusable(t *testing.T, m transferPair) {
	ann := account(1, "ann")
	place := m.begin(t)
	m.users(t, place, ann)
	first, second := suite.ReusableOf(ann.User, "first", time.Hour), suite.ReusableOf(ann.User, "second", time.Hour)
	m.tokens(t, place, first, second)
	third := suite.ReusableOf(ann.User, "third", time.Hour)
	m.tokens(t, place, third)
	second.Reusable, third.Reusable = false, false
	for key, token := range map[string]core.Token{"first": first, "second": second, "third": third} {
		suite.WantFound(t, m.B, key, token, ann.User)
	}
	suite.WantSame(t, "token shown again", first, m.Reuse(t, suite.ReusableOf(ann.User, "fresh", time.Hour), suite.Noon()))
}

func tokensIssuedHere(t *testing.T, m transferPair) {
	ann := account(1, "ann")
	place := m.begin(t)
	m.users(t, place, ann)
	token := suite.SlidingOf(ann.User, hexToken(1), time.Hour)
	var err error
	if token.Legacy, err = core.NewLegacy(core.Knox42, zeros{}, hexToken(1)); err != nil {
		t.Fatal(err)
	}
	m.Issue(t, token)
	exported := olderOf(t, ann.User, core.Knox42, hexToken(1))
	wantOutcomes(t, "import", m.tokens(t, place, exported), transfer.ImportUnchanged)
	if err := m.A.DeleteToken(t.Context(), token.Digest, nil); err != nil {
		t.Fatal(err)
	}
	suite.WantGone(t, m.B, hexToken(1))
	wantOutcomes(t, "import", m.tokens(t, m.begin(t), exported), transfer.ImportKept)
	suite.WantGone(t, m.B, hexToken(1))
}

func importedKeys() []testCase {
	return []testCase{
		{"users whose keys are no ids get ids", keysGiveIDs},
		{"a token goes to nobody but its owner", tokenOfItsOwner},
		{"a password made anew at a login is no change", rehashNoChange},
		{"what was known before there were keys", keysOfNames},
	}
}

func keysGiveIDs(t *testing.T, m transferPair) {
	place := m.begin(t)
	place.Stage = "users"
	ann, bob := transfer.ImportedUser{Key: "uuid-a", Account: account(0, "ann")}, transfer.ImportedUser{Key: "uuid-b", Account: account(0, "bob")}
	for _, want := range []transfer.ImportOutcome{transfer.ImportAdded, transfer.ImportUnchanged} {
		results, err := m.from.ImportUsers(t.Context(), place, []transfer.ImportedUser{ann, bob})
		if err != nil {
			t.Fatal(err)
		}
		wantOutcomes(t, "import", results, want, want)
	}
	byKey, byName, err := m.to.ImportOwners(t.Context(), place.Source, []string{"uuid-b", "uuid-c"}, []string{"ann", "cid"})
	if err != nil {
		t.Fatal(err)
	}
	if byKey["uuid-b"].Username != "bob" || byName["ann"].Key != "uuid-a" || byKey["uuid-c"].ID != 0 || byName["cid"].ID != 0 {
		t.Errorf("owners are %v and %v", byKey, byName)
	}
	// Renamed at the source: the key identifies the user, and another one may take the
	// name.
	renamed, other := ann, transfer.ImportedUser{Key: "uuid-c", Account: account(0, "ann")}
	renamed.Username = "anna"
	results, err := m.from.ImportUsers(t.Context(), place, []transfer.ImportedUser{renamed, other})
	if err != nil {
		t.Fatal(err)
	}
	wantOutcomes(t, "import", results, transfer.ImportUpdated, transfer.ImportAdded)
	// Until the rename is imported, the name belongs to another user of the source.
	results, err = m.from.ImportUsers(t.Context(), place, []transfer.ImportedUser{{Key: "uuid-d", Account: account(0, "anna")}})
	if err != nil {
		t.Fatal(err)
	}
	wantOutcomes(t, "import", results, transfer.ImportRefused)
}

func tokenOfItsOwner(t *testing.T, m transferPair) {
	place := m.begin(t)
	place.Stage = "users"
	m.users(t, place, account(7, "ann"), account(8, "bob"))
	native := m.Add(t, suite.NewUser("native"))
	tokens := []transfer.ImportedToken{
		{Owner: "8", Token: suite.TokenOf(account(7, "ann").User, "a")},
		{Owner: "natural:ann", Token: suite.TokenOf(account(7, "ann").User, "b")},
		{Owner: fmt.Sprint(native.ID), Token: suite.TokenOf(native, "c")},
		{Owner: "7", Token: suite.TokenOf(account(7, "ann").User, "d")},
	}
	results, err := m.from.ImportTokens(t.Context(), place, tokens)
	if err != nil {
		t.Fatal(err)
	}
	wantOutcomes(t, "import", results, transfer.ImportRefused, transfer.ImportRefused, transfer.ImportRefused, transfer.ImportAdded)
	for _, key := range []string{"a", "b", "c"} {
		suite.WantGone(t, m.B, key)
	}
}

func rehashNoChange(t *testing.T, m transferPair) {
	ann := account(1, "ann")
	m.users(t, m.begin(t), ann)
	rehash := func(old, encoded string) {
		t.Helper()
		if err := m.A.UpdatePassword(t.Context(), 1, old, encoded, true, nil); err != nil {
			t.Fatal(err)
		}
	}
	rehash("hash of ann", "stronger")
	rehash("stronger", "stronger still")
	wantOutcomes(t, "same at the source", m.users(t, m.begin(t), ann), transfer.ImportUnchanged)
	suite.WantAccount(t, m.B, core.Account{User: ann.User, PasswordHash: "stronger still"})
	ann.PasswordHash = "changed there"
	wantOutcomes(t, "changed there", m.users(t, m.begin(t), ann), transfer.ImportUpdated)
	suite.WantAccount(t, m.B, ann)
	// A real change here, rehashed later, is newer than the source's.
	if err := m.A.UpdatePassword(t.Context(), 1, "changed there", "changed here", false, nil); err != nil {
		t.Fatal(err)
	}
	rehash("changed here", "changed here, stronger")
	ann.PasswordHash = "changed there again"
	wantOutcomes(t, "changed in both", m.users(t, m.begin(t), ann), transfer.ImportKept)
	suite.WantAccount(t, m.B, core.Account{User: ann.User, PasswordHash: "changed here, stronger"})
}

func keysOfNames(t *testing.T, m transferPair) {
	ann := account(5, "ann")
	m.users(t, m.begin(t), ann)
	place := m.begin(t)
	place.Stage = "users"
	byName := ann
	byName.ID, byName.PasswordHash = 0, "new"
	results, err := m.from.ImportUsers(t.Context(), place, []transfer.ImportedUser{{Key: transfer.NaturalKey("ann"), Account: byName}})
	if err != nil {
		t.Fatal(err)
	}
	wantOutcomes(t, "import", results, transfer.ImportUpdated)
}
