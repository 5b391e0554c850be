package transfertest

import (
	"testing"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/transfer"
	"github.com/authcompat/authcompat/store/storetest/internal/suite"
)

// change is what differs of one user between two runs, and nothing else of anybody.
type change struct {
	name string
	do   func(*core.Account)
}

// columnChanges has each column that an import decides about, with values that are missing or empty beside others.
func columnChanges() []change {
	return []change{
		{"username", func(a *core.Account) { a.Username += "x" }},
		{"address", func(a *core.Account) { a.Email = "x" + a.Email }},
		{"address emptied", func(a *core.Account) { a.Email = "" }},
		{"address set", func(a *core.Account) { a.Email = "set@example.org" }}, // that of the user before
		{"active", func(a *core.Account) { a.Active = !a.Active }},
		{"attribute", func(a *core.Account) { a.Attributes = map[string]string{"first_name": "Bob", "empty": ""} }},
		{"attribute empty", func(a *core.Account) { a.Attributes = map[string]string{"first_name": "", "empty": ""} }},
		{"attribute gone", func(a *core.Account) { a.Attributes = map[string]string{"first_name": "Ann"} }},
		{"attributes gone", func(a *core.Account) { a.Attributes = nil }},
		{"attributes come", func(a *core.Account) { a.Attributes = map[string]string{"empty": ""} }}, // to the user before
		{"password", func(a *core.Account) { a.PasswordHash += "x" }},
	}
}

// placeOf is the place among the users of the one whom a change is about: some are about the same user.
func placeOf(i int) int {
	switch columnChanges()[i].name {
	case "address set", "attributes come":
		i--
	}
	return 20 + 3*i
}

// withAttributes returns many users who have attributes.
func withAttributes() []core.Account {
	all := people(120)
	for i := range all {
		all[i].Attributes = map[string]string{"first_name": "Ann", "empty": ""}
	}
	return all
}

// nextRun imports all users in a run of their own, and compares the outcomes: all are to be unchanged but one.
func (m transferPair) nextRun(t *testing.T, what string, users []core.Account, i int, want transfer.ImportOutcome) {
	t.Helper()
	place := m.begin(t)
	wantAll(t, what, transfer.ImportUnchanged, m.users(t, place, users...), i, want)
	m.finish(t, place)
}

// eachColumnThere changes each column at the source, in a run of its own.
func eachColumnThere(t *testing.T, m transferPair) {
	all := withAttributes()
	place := m.begin(t)
	m.users(t, place, all...)
	m.finish(t, place)
	for i, c := range columnChanges() {
		at := placeOf(i)
		c.do(&all[at])
		m.nextRun(t, c.name, all, at, transfer.ImportUpdated)
		suite.WantAccount(t, m.B, all[at])
	}
	// Logins and the date of joining are no changes of a user; a later login is taken over.
	for _, login := range []time.Time{suite.Noon(), suite.Noon().Add(time.Microsecond)} {
		all[7].LastLogin = login
		m.nextRun(t, "login", all, 7, transfer.ImportUnchanged)
		suite.WantAccount(t, m.B, all[7])
	}
	here := all[8]
	all[8].CreatedAt = suite.Noon().Add(time.Hour)
	m.nextRun(t, "joined", all, 8, transfer.ImportUnchanged)
	suite.WantAccount(t, m.B, here)
}

// eachColumnHere changes each column here, as requests do between two runs, in a run of its own.
func eachColumnHere(t *testing.T, m transferPair) {
	all := withAttributes()
	place := m.begin(t)
	m.users(t, place, all...)
	m.finish(t, place)
	for i, c := range columnChanges() {
		at := placeOf(i)
		was := all[at]
		now := was
		c.do(&now)
		m.changeHere(t, was, now)
		m.nextRun(t, c.name, all, at, transfer.ImportKept)
		suite.WantAccount(t, m.B, now)
		// The source follows: from there on, all is the same again.
		all[at] = now
		m.nextRun(t, c.name+", at the source as well", all, at, transfer.ImportUnchanged)
	}
}

// changeHere changes a user here.
func (m transferPair) changeHere(t *testing.T, was, now core.Account) {
	t.Helper()
	var err error
	switch {
	case was.PasswordHash != now.PasswordHash:
		err = m.A.UpdatePassword(t.Context(), was.ID, was.PasswordHash, now.PasswordHash, false, nil)
	case was.Active != now.Active:
		err = m.A.(core.Admin).SetActive(t.Context(), was.ID, now.Active, nil)
	default:
		_, err = m.A.(core.AccountStore).UpdateUser(t.Context(), core.UserChange{Was: was.User, To: now.User, At: suite.Noon()}, nil)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// changedAlike has a user changed here, and then at the source in the same way: that is what the next change of the source is
// compared with.
func changedAlike(t *testing.T, m transferPair) {
	all := people(120)
	place := m.begin(t)
	m.users(t, place, all...)
	m.finish(t, place)
	was := all[7]
	all[7].Email = "alike@example.org"
	m.changeHere(t, was, all[7])
	m.nextRun(t, "alike", all, 7, transfer.ImportUnchanged)
	all[7].Email = "later@example.org"
	m.nextRun(t, "changed at the source", all, 7, transfer.ImportUpdated)
	suite.WantAccount(t, m.B, all[7])
}

// movedIn imports many users with a token each, in a run that is finished.
func (m transferPair) movedIn(t *testing.T) (users []core.Account, all []core.Token) {
	t.Helper()
	users = people(120)
	place := m.begin(t)
	m.users(t, place, users...)
	for _, u := range users {
		all = append(all, suite.TokenOf(u.User, "token of "+u.Username))
	}
	place.Now = suite.Noon()
	m.tokens(t, place, all...)
	m.finish(t, place)
	return users, all
}

// tokenMissing has a source where one of many tokens is missing, or another is there instead, and all others are as before.
func tokenMissing(t *testing.T, m transferPair) {
	users, all := m.movedIn(t)
	for _, missing := range []int{0, 60, 117} {
		all = append(all[:missing:missing], all[missing+1:]...)
		place := m.begin(t)
		place.Now = suite.Noon()
		wantAll(t, "all others", transfer.ImportUnchanged, m.tokens(t, place, all...), -1, 0)
		suite.WantSame(t, "ended", 1, m.finish(t, place))
	}
	// A user has another one instead.
	all[3] = suite.TokenOf(users[4].User, "another")
	place := m.begin(t)
	place.Now = suite.Noon()
	wantAll(t, "all but the new one", transfer.ImportUnchanged, m.tokens(t, place, all...), 3, transfer.ImportAdded)
	suite.WantSame(t, "ended", 1, m.finish(t, place))
	suite.WantGone(t, m.B, "token of "+users[0].Username)
	suite.WantGone(t, m.B, "token of "+users[4].Username)
	suite.WantFound(t, m.B, "token of "+users[1].Username, all[0], users[1].User)
	suite.WantFound(t, m.B, "another", all[3], users[4].User)
}

// tokenBack has a token here whose link says that it was ended: another login may have issued the same meanwhile.
func tokenBack(t *testing.T, m transferPair) {
	users, all := m.movedIn(t)
	if err := m.A.DeleteToken(t.Context(), all[7].Digest, nil); err != nil {
		t.Fatal(err)
	}
	m.Issue(t, all[7])
	place := m.begin(t)
	place.Now = suite.Noon()
	wantAll(t, "again", transfer.ImportUnchanged, m.tokens(t, place, all...), -1, 0)
	suite.WantSame(t, "ended", 0, m.finish(t, place))
	suite.WantFound(t, m.B, "token of "+users[7].Username, all[7], users[7].User)
}
