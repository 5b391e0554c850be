package operationtest

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/store/storetest/internal/suite"
)

func audits() []testCase {
	return []testCase{
		{"a record by itself", auditAlone},
		{"what is done is recorded with it, what is not is not", auditWith},
		{"filters and pages", auditFilters},
		{"oldest entries removed", auditPurge},
	}
}

// line returns an entry without the fields that the cases do not look at.
func line(act core.Action, outcome, name string) core.AuditEntry {
	return core.AuditEntry{At: suite.Noon(), Action: act, Outcome: outcome, Username: name}
}

func (p operables) entries(t *testing.T, f core.AuditFilter) []core.AuditEntry {
	t.Helper()
	got, err := p.b.AuditEntries(t.Context(), f, 100)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func auditAlone(t *testing.T, p operables) {
	e := core.AuditEntry{
		At: suite.Noon(), Action: core.ActionLogin, Outcome: "invalid_credentials", UserID: 7, Username: "ann", UsernamePseudonym: "0a",
		Profile: suite.Issuer, Actor: core.Operator, Address: "192.0.2.1", Request: "id-1", Token: "0123456789abcdef", Detail: "login=10% users=2",
	}
	for range 2 {
		if err := p.a.Record(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
	got := p.entries(t, core.AuditFilter{})
	if len(got) != 2 || got[0].ID <= got[1].ID {
		t.Fatalf("entries %+v, want two, the newest first", got)
	}
	e.ID = got[1].ID
	suite.WantSame(t, "entry", e, got[1])
}

// auditWith makes each change that is audited, and each once more so that it fails.
func auditWith(t *testing.T, p operables) {
	var ann core.User
	absent := core.User{ID: 1 << 40}
	ctx := t.Context()
	do := func(act core.Action, good, bad func(*core.AuditEntry) error) {
		t.Helper()
		want := line(act, core.OK, "ann")
		if err := bad(&want); err == nil {
			t.Errorf("%s: did not fail", act)
		}
		if got := p.entries(t, core.AuditFilter{Action: act}); len(got) != 0 {
			t.Errorf("%s: recorded although it failed: %+v", act, got)
		}
		if err := good(&want); err != nil {
			t.Errorf("%s: %v", act, err)
		}
		got := p.entries(t, core.AuditFilter{Action: act})
		if len(got) != 1 {
			t.Errorf("%s: %d entries, want 1", act, len(got))
			return
		}
		want.ID = got[0].ID
		suite.WantSame(t, string(act), want, got[0])
	}
	refused := errors.New("refused")
	do(core.ActionRegister, func(e *core.AuditEntry) (err error) {
		ann, err = p.a.CreateUser(ctx, suite.NewUser("ann"), nil, e)
		if e.UserID != ann.ID {
			t.Errorf("entry of user %d, want %d", e.UserID, ann.ID)
		}
		return err
	}, func(e *core.AuditEntry) error {
		_, err := p.a.CreateUser(ctx, suite.NewUser("ann"), func(core.User) (core.Token, error) { return core.Token{}, refused }, e)
		return err
	})
	do(core.ActionLogin,
		func(e *core.AuditEntry) error {
			return p.a.IssueToken(ctx, suite.TokenOf(ann, "key"), "", 0, e)
		},
		func(e *core.AuditEntry) error {
			return p.a.IssueToken(ctx, suite.TokenOf(absent, "key"), "", 0, e)
		})
	first, again := suite.ReusableOf(ann, "first", time.Hour), suite.ReusableOf(ann, "again", time.Hour)
	p.Issue(t, first)
	do("reuse", func(e *core.AuditEntry) error {
		_, err := p.a.ReuseToken(ctx, again, "", suite.Noon(), e)
		if e.Token != core.TokenID(first.Digest) {
			t.Errorf("entry of token %q, want the one that is shown again", e.Token)
		}
		return err
	}, func(e *core.AuditEntry) error {
		_, err := p.a.ReuseToken(ctx, suite.ReusableOf(absent, "x", time.Hour), "", suite.Noon(), e)
		return err
	})
	do(core.ActionLogout,
		func(e *core.AuditEntry) error { return p.a.DeleteToken(ctx, suite.TokenOf(ann, "key").Digest, e) },
		func(e *core.AuditEntry) error { return p.a.DeleteToken(ctx, suite.TokenOf(ann, "none").Digest, e) })
	do(core.ActionSetPassword,
		func(e *core.AuditEntry) error { return p.a.UpdatePassword(ctx, ann.ID, "hash of ann", "new", false, e) },
		func(e *core.AuditEntry) error { return p.a.UpdatePassword(ctx, ann.ID, "other", "new", false, e) })
	do(core.ActionDisableUser,
		func(e *core.AuditEntry) error { return p.a.SetActive(ctx, ann.ID, false, e) },
		func(e *core.AuditEntry) error { return p.a.SetActive(ctx, absent.ID, false, e) })
	do(core.ActionLogoutAll, func(e *core.AuditEntry) error {
		_, err := p.a.DeleteUserTokens(ctx, ann.ID, suite.Realm, e)
		return err
	}, func(e *core.AuditEntry) error {
		over, cancel := context.WithCancel(ctx)
		cancel()
		_, err := p.a.DeleteUserTokens(over, ann.ID, suite.Realm, e)
		return err
	})
	do(core.ActionDeleteUser,
		func(e *core.AuditEntry) error { return p.a.DeleteUser(ctx, ann.ID, e) },
		func(e *core.AuditEntry) error { return p.a.DeleteUser(ctx, absent.ID, e) })
}

// auditPurge deletes the beginning of the record in batches, and nothing else.
func auditPurge(t *testing.T, p operables) {
	const old, all, batch = 7, 10, 3
	for i := all - 1; i >= 0; i-- { // not in order, as after a clock was wrong
		e := line(core.ActionLogin, core.OK, "ann")
		e.At, e.Request = suite.Noon().Add(time.Duration(i)*time.Hour), fmt.Sprint(i)
		if err := p.a.Record(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
	var gone []int
	for range 5 {
		n, err := p.b.PurgeAudit(t.Context(), suite.Noon().Add(old*time.Hour), batch)
		if err != nil {
			t.Fatal(err)
		}
		gone = append(gone, n)
	}
	suite.WantSame(t, "removed", []int{3, 3, 1, 0, 0}, gone)
	left := ""
	for _, e := range p.entries(t, core.AuditFilter{}) {
		left += e.Request
	}
	suite.WantSame(t, "left", "789", left)
	if n, err := p.a.PurgeAudit(t.Context(), suite.Noon(), batch); n != 0 || err != nil {
		t.Errorf("an earlier moment removes %d, %v", n, err)
	}
}

func auditFilters(t *testing.T, p operables) {
	for i, e := range []core.AuditEntry{
		line(core.ActionLogin, core.OK, "ann"),
		line(core.ActionLogin, "invalid_credentials", "bob"),
		{Action: core.ActionLogin, Outcome: "invalid_credentials", UsernamePseudonym: "0a"},
		line(core.ActionLogout, core.OK, "ann"),
	} {
		e.At = suite.Noon().Add(time.Duration(i) * time.Hour)
		e.Request = fmt.Sprint(i)
		if err := p.a.Record(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
	all := p.entries(t, core.AuditFilter{})
	for _, test := range []struct {
		name   string
		filter core.AuditFilter
		want   string
	}{
		{"all", core.AuditFilter{}, "3210"},
		{"name", core.AuditFilter{Username: "ann"}, "30"},
		{"name or digest", core.AuditFilter{Username: "ann", UsernamePseudonyms: []string{"ff", "0a"}}, "320"},
		{"digest", core.AuditFilter{UsernamePseudonyms: []string{"0a"}}, "2"},
		{"act", core.AuditFilter{Action: core.ActionLogout}, "3"},
		{"failed", core.AuditFilter{Failed: true}, "21"},
		{"since", core.AuditFilter{Since: suite.Noon().Add(time.Hour)}, "321"},
		{"until", core.AuditFilter{Until: suite.Noon().Add(time.Hour)}, "0"},
		{"before", core.AuditFilter{Before: all[1].ID}, "10"},
		{"together", core.AuditFilter{Username: "ann", Action: core.ActionLogin}, "0"},
		{"none", core.AuditFilter{Username: "nobody"}, ""},
	} {
		got := ""
		for _, e := range p.entries(t, test.filter) {
			got += e.Request
		}
		suite.WantSame(t, test.name, test.want, got)
	}
	first, err := p.b.AuditEntries(t.Context(), core.AuditFilter{}, 1)
	if err != nil || len(first) != 1 || first[0].ID != all[0].ID {
		t.Errorf("page of one: %+v, %v", first, err)
	}
}
