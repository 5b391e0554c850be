package transfer

import (
	"testing"
	"time"

	"github.com/authcompat/authcompat/core"
)

// account is that of a user with an id, a name and a password.
func account(id int64, name, password string) core.Account {
	return core.Account{User: core.User{ID: id, Username: name, Active: true}, PasswordHash: password}
}

// imported is the link of an account as it came.
func imported(a core.Account, rehashed string) *UserLink {
	l := &UserLink{UserID: a.ID, Source: 1, Key: "1", Fingerprint: UserFingerprint(a)}
	if rehashed != "" {
		l.Rehashed = PasswordFingerprint(rehashed)
	}
	return l
}

// TestMergeUser has a case for each way in which a user at the source and here can have
// changed since the last run.
func TestMergeUser(t *testing.T) {
	t.Parallel()
	was := account(1, "ann", "old")
	renamed := account(1, "anna", "old")
	for _, test := range []struct {
		name     string
		in       core.Account
		here     *core.Account
		holder   *core.Account
		link     *UserLink
		want     ImportOutcome
		write    bool
		password string // that is written
		username string // likewise
	}{
		{name: "new", in: was, want: ImportAdded, write: true, password: "old", username: "ann"},
		{name: "deleted here", in: was, link: imported(was, ""), want: ImportKept},
		{name: "the name of another", in: was, holder: new(account(2, "ann", "x")), want: ImportRefused},
		{name: "its id is another's", in: was, here: new(account(1, "bob", "x")), want: ImportIDTaken},
		{name: "a namesake who came from elsewhere", in: was, here: new(account(1, "ann", "other")), want: ImportRefused},
		{name: "the same", in: was, here: new(was), want: ImportUnchanged},
		{name: "nothing new", in: was, here: new(was), link: imported(was, ""), want: ImportUnchanged},
		{name: "a new password there", in: account(1, "ann", "new"), here: new(was), link: imported(was, ""), want: ImportUpdated, write: true, password: "new", username: "ann"},
		{name: "a new password here", in: was, here: new(account(1, "ann", "ours")), link: imported(was, ""), want: ImportKept},
		{name: "a new password on both sides", in: account(1, "ann", "new"), here: new(account(1, "ann", "ours")), link: imported(was, ""), want: ImportKept},
		{name: "hashed again here", in: was, here: new(account(1, "ann", "again")), link: imported(was, "again"), want: ImportUnchanged},
		{name: "hashed again here, and new there", in: account(1, "ann", "new"), here: new(account(1, "ann", "again")), link: imported(was, "again"), want: ImportUpdated, write: true, password: "new", username: "ann"},
		{name: "a new name there", in: renamed, here: new(was), link: imported(was, ""), want: ImportUpdated, write: true, password: "old", username: "anna"},
		{name: "a new name here", in: was, here: new(renamed), link: imported(was, ""), want: ImportKept},
		{name: "a new name there, a new password here", in: renamed, here: new(account(1, "ann", "ours")), link: imported(was, ""), want: ImportUpdated, write: true, password: "ours", username: "anna"},
		{name: "an id that leaves no room", in: account(MaxUserID+1, "ann", "old"), want: ImportIDTaken},
		{name: "an id below zero", in: account(-1, "ann", "old"), want: ImportRefused},
		{name: "no name", in: account(1, "", "old"), want: ImportRefused},
		{name: "a name that is no text", in: account(1, "a\x00", "old"), want: ImportRefused},
		{name: "a password that is no text", in: account(1, "ann", "\xff"), want: ImportRefused},
	} {
		m := MergeUser(ImportedUser{Key: "1", Account: test.in}, UserState{Existing: test.here, NameOwner: test.holder, Link: test.link})
		if m.Result.Outcome != test.want || m.Write != test.write || m.Insert != (test.want == ImportAdded) {
			t.Errorf("%s: %+v, write %t, insert %t", test.name, m.Result, m.Write, m.Insert)
		}
		if m.Write && (m.PasswordHash != test.password || m.Username != test.username || m.ID != 1) {
			t.Errorf("%s: writes %+v", test.name, m.Account)
		}
	}
}

// TestMergeWithdrawn has a source take from a user, who has changed something here, what the user keeps otherwise; an export takes
// nothing.
func TestMergeWithdrawn(t *testing.T) {
	t.Parallel()
	with := func(email string, active bool, rights string) core.Account {
		a := account(1, "ann", "pw")
		a.Email, a.Active, a.Attributes = email, active, map[string]string{"is_staff": rights, "is_superuser": rights, "first_name": "Ann"}
		return a
	}
	was := with("was", true, "true")
	for _, test := range []struct {
		name          string
		there, here   core.Account
		active        bool
		staff         string
		write, export bool
	}{
		{"disabled there", with("was", false, "true"), with("here", true, "true"), false, "true", true, false},
		{"rights lost there", with("was", true, "false"), with("here", true, "true"), true, "false", true, false},
		{"both", with("there", false, "0"), with("here", true, "1"), false, "0", true, false},
		{"disabled here", with("there", true, "true"), with("was", false, "true"), false, "true", false, false},
		{"rights lost here", with("there", true, "true"), with("was", true, "false"), true, "false", false, false},
		{"nothing told of rights", core.Account{User: core.User{ID: 1, Username: "ann", Email: "there", Active: true}, PasswordHash: "pw"}, with("here", true, "true"), true, "true", false, false},
		{"an export", with("was", false, "false"), with("here", true, "true"), true, "true", false, true},
	} {
		m := MergeUser(ImportedUser{Key: "1", Account: test.there}, UserState{Existing: &test.here, Link: imported(was, ""), Export: test.export})
		if m.Result.Outcome != ImportKept || m.Write != test.write || m.Active != test.active || m.Attributes["is_staff"] != test.staff || m.Email != test.here.Email {
			t.Errorf("%s: %+v, write %t, %+v", test.name, m.Result, m.Write, m.User)
		}
	}
}

// TestMergeToken has a case for each way in which a token at the source and here can have
// changed since the last run.
func TestMergeToken(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	in := func(user int64, end time.Time) ImportedToken {
		return ImportedToken{Owner: "1", Token: core.Token{Digest: core.Digest("d"), UserID: user, ExpiresAt: end, Reusable: true}}
	}
	here := func(user int64, end time.Time) *core.Token {
		return &core.Token{Digest: core.Digest("d"), UserID: user, ExpiresAt: end}
	}
	undated := func(t ImportedToken) ImportedToken {
		t.Undated = true
		return t
	}
	later, latest := now.Add(time.Hour), now.Add(2*time.Hour)
	for _, test := range []struct {
		name         string
		in           ImportedToken
		known        TokenState
		want         ImportOutcome
		insert, move bool
	}{
		{"new", in(1, later), TokenState{UserImported: true}, ImportAdded, true, false},
		{"that never ends", in(1, time.Time{}), TokenState{UserImported: true}, ImportAdded, true, false},
		{"of a user who did not come", in(1, later), TokenState{}, ImportRefused, false, false},
		{"expired", in(1, now), TokenState{UserImported: true}, ImportExpired, false, false},
		{"ended here", in(1, later), TokenState{UserImported: true, Seen: true}, ImportKept, false, false},
		{"ended because it was not seen", in(1, later), TokenState{UserImported: true, Seen: true, Absent: true}, ImportAdded, true, false},
		{"another user's here", in(1, latest), TokenState{UserImported: true, Existing: here(2, later)}, ImportRefused, false, false},
		{"another user's here, linked", in(1, latest), TokenState{UserImported: true, Existing: here(2, later), Linked: true}, ImportRefused, false, false},
		{"the same", in(1, later), TokenState{UserImported: true, Existing: here(1, later), Linked: true}, ImportUnchanged, false, false},
		{"lives longer there", in(1, latest), TokenState{UserImported: true, Existing: here(1, later), Linked: true}, ImportUpdated, false, true},
		{"seems to live longer there, reckoned from this run", undated(in(1, latest)), TokenState{UserImported: true, Existing: here(1, later), Linked: true}, ImportUnchanged, false, false},
		{"new, reckoned from this run", undated(in(1, later)), TokenState{UserImported: true}, ImportAdded, true, false},
		{"lives longer here", in(1, later), TokenState{UserImported: true, Existing: here(1, latest), Linked: true}, ImportUnchanged, false, false},
		{"never ends here", in(1, later), TokenState{UserImported: true, Existing: here(1, time.Time{}), Linked: true}, ImportUnchanged, false, false},
		{"never ends there", in(1, time.Time{}), TokenState{UserImported: true, Existing: here(1, later), Linked: true}, ImportUnchanged, false, false},
	} {
		test.known.Now = now
		m := MergeToken(test.in, test.known)
		if m.Result.Outcome != test.want || m.Insert != test.insert || m.Move != test.move {
			t.Errorf("%s: %+v, insert %t, move %t", test.name, m.Result, m.Insert, m.Move)
		}
		if m.Move && !m.ExpiresAt.Equal(latest) {
			t.Errorf("%s: moved to %v", test.name, m.ExpiresAt)
		}
	}
	if m := MergeToken(in(1, later), TokenState{UserImported: true, SlotTaken: true, Now: now}); !m.Insert || m.Reusable {
		t.Errorf("with another token that is shown again: %+v", m)
	}
	if m := MergeToken(in(1, later), TokenState{UserImported: true, Now: now}); !m.Reusable {
		t.Errorf("without one: %+v", m)
	}
}
