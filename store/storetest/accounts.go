package storetest

import (
	"testing"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/store/storetest/internal/suite"
)

func accounts() []testCase {
	return []testCase{
		{"an account is found by its id", byID},
		{"accounts are found by name and by address", byText},
		{"users are listed page by page", listedUsers},
		{"a user is updated as given", updated},
		{"an update of what has changed is refused", updateConflict},
		{"names and addresses that have to be distinct", distinctUsers},
		{"a user is removed with the tokens", removed},
		{"a password is changed, and tokens end", passwordChanged},
		{"what is done is recorded with it, what is not is not", accountsAudited},
	}
}

// accountsOf returns the store's part under test.
func accountsOf(s core.Store) core.AccountStore { return s.(core.AccountStore) }

// update returns the user with other texts.
func update(u core.User, username, email string, attributes map[string]string) core.User {
	u.Username, u.Email, u.Attributes = username, email, attributes
	return u
}

func byID(t *testing.T, p suite.Pair) {
	ann, bob := p.Add(t, suite.NewUser("ann")), p.Add(t, suite.NewUser("bob"))
	for _, u := range []core.User{ann, bob} {
		account, err := accountsOf(p.B).AccountByID(t.Context(), u.ID)
		if err != nil {
			t.Fatal(err)
		}
		suite.WantSame(t, "account", core.Account{User: u, PasswordHash: "hash of " + u.Username}, account)
	}
	for _, id := range []int64{0, -1, bob.ID + 1} {
		_, err := accountsOf(p.B).AccountByID(t.Context(), id)
		suite.WantError(t, "account", err, core.ErrNotFound)
	}
}

func byText(t *testing.T, p suite.Pair) {
	for _, u := range []core.NewUser{
		{Username: "Ann", Email: "ann@example.org"}, {Username: "ann", Email: "Ann@Example.org"}, {Username: "ANN%", Email: "a_n@example.org"},
		{Username: "Zoë", Email: "ann@example.org"}, {Username: "ZOË", Email: ""},
	} {
		u.PasswordHash, u.CreatedAt = "hash", suite.Noon()
		p.Add(t, u)
	}
	tests := []struct {
		name      string
		by        core.Identifier
		text      string
		caseBlind bool
		limit     int
		want      []string
	}{
		{"exact name", core.ByUsername, "ann", false, 9, []string{"ann"}},
		{"name in any case", core.ByUsername, "aNN", true, 9, []string{"Ann", "ann"}},
		{"no more than asked for", core.ByUsername, "aNN", true, 1, []string{"Ann"}},
		{"no pattern", core.ByUsername, "an%", true, 9, nil},
		{"a name that looks like one", core.ByUsername, "ann%", true, 9, []string{"ANN%"}},
		{"other letters keep their case", core.ByUsername, "zoë", true, 9, []string{"Zoë"}},
		{"exact address", core.ByEmail, "ann@example.org", false, 9, []string{"Ann", "Zoë"}},
		{"address in any case", core.ByEmail, "ANN@example.ORG", true, 9, []string{"Ann", "ann", "Zoë"}},
		{"an address is no pattern", core.ByEmail, "a_n@example.org", true, 9, []string{"ANN%"}},
		{"a name is no address", core.ByEmail, "ann", true, 9, nil},
		{"no address", core.ByEmail, "", false, 9, nil},
		{"no address in any case", core.ByEmail, "", true, 9, nil},
		{"no name", core.ByUsername, "", true, 9, nil},
		{"no text of SQL", core.ByUsername, "ann\x00", true, 9, nil},
		{"no UTF-8", core.ByEmail, "\xff", true, 9, nil},
	}
	for _, test := range tests {
		found, err := accountsOf(p.B).FindAccounts(t.Context(), test.by, test.text, test.caseBlind, test.limit)
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
		}
		var names []string
		for _, a := range found {
			names = append(names, a.Username)
			if a.PasswordHash != "hash" || a.ID == 0 {
				t.Errorf("%s: %+v", test.name, a)
			}
		}
		suite.WantSame(t, test.name, test.want, names)
	}
}

func listedUsers(t *testing.T, p suite.Pair) {
	var all []core.User
	for _, name := range []string{"ann", "bob", "cid"} {
		u := suite.NewUser(name)
		u.Inactive = name == "bob"
		all = append(all, p.Add(t, u))
	}
	for _, test := range []struct {
		f     core.UserFilter
		limit int
		want  []core.User
	}{
		{core.UserFilter{}, 9, all},
		{core.UserFilter{}, 2, all[:2]},
		{core.UserFilter{After: all[1].ID}, 2, all[2:]},
		{core.UserFilter{After: all[2].ID}, 2, nil},
		{core.UserFilter{Inactive: true}, 9, all[1:2]},
		{core.UserFilter{IDs: []int64{all[2].ID, all[2].ID + 1, all[1].ID}}, 9, all[1:]},
		{core.UserFilter{IDs: []int64{}}, 9, nil},
	} {
		users, err := accountsOf(p.B).Users(t.Context(), test.f, test.limit)
		if err != nil {
			t.Fatal(err)
		}
		suite.WantSame(t, "page", test.want, users)
	}
}

func updated(t *testing.T, p suite.Pair) {
	u := suite.NewUser("ann")
	u.Attributes = map[string]string{"first_name": "Ann", "followers": "17", "vip": "true"}
	was, bob := p.Add(t, u), p.Add(t, suite.NewUser("bob"))
	p.Issue(t, suite.TokenOf(was, "key"))
	for _, to := range []core.User{
		update(was, "ann", "Zoë@example.org", was.Attributes),
		update(was, "zoë", "Zoë@example.org", map[string]string{"first_name": "Zoë", "followers": "18", "vip": "false"}),
		update(was, "zoë", "", map[string]string{"followers": "18"}),
		update(was, "ann", "", nil),
		update(was, "Ann", "ann@example.org", map[string]string{"first_name": "Ann"}),
	} {
		got, err := accountsOf(p.A).UpdateUser(t.Context(), core.UserChange{Was: was, To: to, Distinct: core.Distinct{}}, nil)
		if err != nil {
			t.Fatalf("update to %+v: %v", to, err)
		}
		suite.WantSame(t, "updated user", to, got)
		suite.WantAccount(t, p.B, core.Account{User: to, PasswordHash: "hash of ann"})
		suite.WantFound(t, p.B, "key", suite.TokenOf(to, "key"), to)
		was = to
	}
	suite.WantAccount(t, p.B, core.Account{User: bob, PasswordHash: "hash of bob"})
	_, err := p.B.Account(t.Context(), "zoë")
	suite.WantError(t, "account with the former name", err, core.ErrNotFound)
}

func updateConflict(t *testing.T, p suite.Pair) {
	u := suite.NewUser("ann")
	u.Attributes = map[string]string{"followers": "17"}
	ann, bob := p.Add(t, u), p.Add(t, suite.NewUser("bob"))
	to := update(ann, "new", "new@example.org", nil)
	for name, was := range map[string]core.User{
		"another name":       update(ann, "anna", ann.Email, ann.Attributes),
		"another address":    update(ann, "ann", "", ann.Attributes),
		"another attribute":  update(ann, "ann", ann.Email, map[string]string{"followers": "18"}),
		"one attribute more": update(ann, "ann", ann.Email, map[string]string{"followers": "17", "vip": "true"}),
		"no attribute":       update(ann, "ann", ann.Email, nil),
	} {
		_, err := accountsOf(p.A).UpdateUser(t.Context(), core.UserChange{Was: was, To: to, Distinct: core.Distinct{}}, nil)
		suite.WantError(t, name, err, core.ErrConflict)
	}
	_, err := accountsOf(p.A).UpdateUser(t.Context(), core.UserChange{Was: ann, To: update(ann, "bob", ann.Email, nil), Distinct: core.Distinct{}}, nil)
	suite.WantError(t, "update to a taken name", err, core.ErrUsernameTaken)
	gone := bob
	gone.ID++
	_, err = accountsOf(p.A).UpdateUser(t.Context(), core.UserChange{Was: gone, To: update(gone, "new", "", nil), Distinct: core.Distinct{}}, nil)
	suite.WantError(t, "update of nobody", err, core.ErrNotFound)
	suite.WantAccount(t, p.B, core.Account{User: ann, PasswordHash: "hash of ann"})
	suite.WantAccount(t, p.B, core.Account{User: bob, PasswordHash: "hash of bob"})
}

func distinctUsers(t *testing.T, p suite.Pair) {
	ann := p.Add(t, suite.NewUser("Ann"))
	nobody := suite.NewUser("nobody")
	nobody.Email = ""
	p.Add(t, nobody)
	both := core.Distinct{Username: true, Email: true}
	for name, test := range map[string]struct {
		username, email string
		d               core.Distinct
		want            error
	}{
		"a name in another case":          {"aNN", "other@example.org", core.Distinct{Username: true}, core.ErrUsernameTaken},
		"an address in another case":      {"bob", "ANN@example.org", core.Distinct{Email: true}, core.ErrEmailTaken},
		"the same address":                {"bob", "Ann@example.org", both, core.ErrEmailTaken},
		"an address that need not differ": {"cid", "Ann@example.org", core.Distinct{Username: true}, nil},
		"a name that need not differ":     {"anN", "cid@example.org", core.Distinct{Email: true}, nil},
		"no address":                      {"dan", "", both, nil},
		"neither":                         {"eve", "eve@example.org", both, nil},
	} {
		u := suite.NewUser(test.username)
		u.Email, u.Distinct = test.email, test.d
		if _, err := p.A.CreateUser(t.Context(), u, nil, nil); test.want != nil {
			suite.WantError(t, "create "+name, err, test.want)
		} else if err != nil {
			t.Errorf("create %s: %v", name, err)
		}
	}
	for name, test := range map[string]struct {
		username, email string
		want            error
	}{
		"a name in another case":     {"EVE", ann.Email, core.ErrUsernameTaken},
		"an address in another case": {"new", "EVE@example.org", core.ErrEmailTaken},
	} {
		_, err := accountsOf(p.A).UpdateUser(t.Context(), core.UserChange{Was: ann, To: update(ann, test.username, test.email, nil), Distinct: both}, nil)
		suite.WantError(t, "update to "+name, err, test.want)
	}
	to := update(ann, "Ann", "ann+new@example.org", nil)
	if _, err := accountsOf(p.A).UpdateUser(t.Context(), core.UserChange{Was: ann, To: to, Distinct: both}, nil); err != nil {
		t.Errorf("update of what is the user's own, beside a name in another case: %v", err)
	}
	back := update(to, "Ann", "ANN+NEW@example.org", nil)
	if _, err := accountsOf(p.A).UpdateUser(t.Context(), core.UserChange{Was: to, To: back, Distinct: both}, nil); err != nil {
		t.Errorf("update to the own address in another case: %v", err)
	}
}

func removed(t *testing.T, p suite.Pair) {
	ann, bob := p.Add(t, suite.NewUser("ann")), p.Add(t, suite.NewUser("bob"))
	p.Issue(t, suite.TokenOf(ann, "key"))
	p.Issue(t, suite.TokenOf(bob, "of another"))
	suite.WantError(t, "remove with another password", accountsOf(p.A).RemoveUser(t.Context(), ann.ID, "hash of bob", nil), core.ErrPasswordChanged)
	suite.WantFound(t, p.B, "key", suite.TokenOf(ann, "key"), ann)
	if err := accountsOf(p.A).RemoveUser(t.Context(), ann.ID, "hash of ann", nil); err != nil {
		t.Fatal(err)
	}
	suite.WantGone(t, p.B, "key")
	suite.WantError(t, "remove again", accountsOf(p.A).RemoveUser(t.Context(), ann.ID, "hash of ann", nil), core.ErrNotFound)
	suite.WantFound(t, p.B, "of another", suite.TokenOf(bob, "of another"), bob)
	suite.WantNobody(t, p, "ann")
}

func passwordChanged(t *testing.T, p suite.Pair) {
	for name, test := range map[string]struct {
		end   bool
		realm string
		keep  string
		want  int
		left  []string
	}{
		"no token ends":                 {false, suite.Realm, "", 0, []string{"first", "second", "inner"}},
		"all end":                       {true, suite.Realm, "", 2, []string{"inner"}},
		"all but one end":               {true, suite.Realm, "second", 1, []string{"second", "inner"}},
		"all, but nobody's":             {true, suite.Realm, "of nobody", 2, []string{"inner"}},
		"those of the realm":            {true, suite.Realm, "inner", 2, []string{"inner"}},
		"all end in all realms":         {true, "", "", 3, nil},
		"all but one end in all realms": {true, "", "inner", 2, []string{"inner"}},
	} {
		ann := p.Add(t, suite.NewUser(name))
		issued := map[string]core.Token{"first": suite.TokenOf(ann, name+" first"), "second": suite.TokenOf(ann, name+" second"), "inner": suite.TokenOf(ann, name+" inner")}
		inner := issued["inner"]
		inner.Realm = "inner"
		issued["inner"] = inner
		for _, token := range issued {
			p.Issue(t, token)
		}
		change := core.PasswordChange{UserID: ann.ID, Old: "hash", New: "new hash", EndTokens: test.end, Realm: test.realm}
		if test.keep != "" {
			change.Keep = core.Presented(name + " " + test.keep).SHA256()
		}
		_, err := accountsOf(p.A).ChangePassword(t.Context(), change, nil)
		suite.WantError(t, name+": another password", err, core.ErrPasswordChanged)
		suite.WantFound(t, p.B, name+" first", issued["first"], ann)
		change.Old = "hash of " + name
		n, err := accountsOf(p.A).ChangePassword(t.Context(), change, nil)
		if n != test.want || err != nil {
			t.Errorf("%s: %d, %v, want %d", name, n, err, test.want)
		}
		suite.WantAccount(t, p.B, core.Account{User: ann, PasswordHash: "new hash"})
		left := make(map[string]bool)
		for _, key := range test.left {
			left[key] = true
		}
		for key, token := range issued {
			if left[key] {
				suite.WantFound(t, p.B, name+" "+key, token, ann)
			} else {
				suite.WantGone(t, p.B, name+" "+key)
			}
		}
	}
	_, err := accountsOf(p.A).ChangePassword(t.Context(), core.PasswordChange{UserID: 1 << 30, Old: "hash", New: "new"}, nil)
	suite.WantError(t, "nobody's password", err, core.ErrNotFound)
}

// accountsAudited makes each change, and before it the same so that it fails.
func accountsAudited(t *testing.T, p suite.Pair) {
	ann := p.Add(t, suite.NewUser("ann"))
	to := update(ann, "anna", "anna@example.org", nil)
	s := accountsOf(p.A)
	for _, c := range []struct {
		act       core.Action
		bad, good func(*core.AuditEntry) error
	}{
		{core.ActionUpdateUser, func(e *core.AuditEntry) error {
			_, err := s.UpdateUser(t.Context(), core.UserChange{Was: to, To: ann, Distinct: core.Distinct{}}, e)
			return err
		}, func(e *core.AuditEntry) error {
			_, err := s.UpdateUser(t.Context(), core.UserChange{Was: ann, To: to, Distinct: core.Distinct{}}, e)
			return err
		}},
		{core.ActionSetPassword, func(e *core.AuditEntry) error {
			_, err := s.ChangePassword(t.Context(), core.PasswordChange{UserID: ann.ID, Old: "x", New: "new"}, e)
			return err
		}, func(e *core.AuditEntry) error {
			_, err := s.ChangePassword(t.Context(), core.PasswordChange{UserID: ann.ID, Old: "hash of ann", New: "new"}, e)
			return err
		}},
		{core.ActionDeleteUser, func(e *core.AuditEntry) error { return s.RemoveUser(t.Context(), ann.ID, "x", e) },
			func(e *core.AuditEntry) error { return s.RemoveUser(t.Context(), ann.ID, "new", e) }},
	} {
		for want, do := range []func(*core.AuditEntry) error{c.bad, c.good} {
			e := core.AuditEntry{At: suite.Noon().Add(time.Hour), Action: c.act, Outcome: core.OK, UserID: ann.ID, Username: "ann"}
			if err := do(&e); (err == nil) != (want == 1) {
				t.Errorf("%s: %v", c.act, err)
			}
			got, err := p.B.(core.Auditor).AuditEntries(t.Context(), core.AuditFilter{Action: c.act}, 9)
			if err != nil || len(got) != want {
				t.Errorf("%s: %d entries, %v, want %d", c.act, len(got), err, want)
			}
		}
	}
}
