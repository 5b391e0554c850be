package core_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/cutover"
	"github.com/authcompat/authcompat/store/sqlite/sqlitetest"
	"github.com/google/go-cmp/cmp"
)

// countedCutover is a CutoverStore that counts its changes, and before each calls another
// operator, if there is one.
type countedCutover struct {
	core.CutoverStore
	other  func()
	writes int
}

func (c *countedCutover) SetCutover(ctx context.Context, previous int64, s cutover.State, audit *core.AuditEntry) error {
	if c.other != nil {
		c.other()
	}
	c.writes++
	return c.CutoverStore.SetCutover(ctx, previous, s, audit)
}

// newCutover returns an engine on a store with a cutover, and what is between them.
func newCutover(t *testing.T) (*core.Service, *countedCutover, core.Auditor) {
	t.Helper()
	b := sqlitetest.MustOpen(t).Backend()
	counted := &countedCutover{CutoverStore: b.Cutover}
	b.Cutover = counted
	return core.New(core.Config{Backend: b, Clock: func() time.Time { return time.Unix(7, 0) }}), counted, b.Auditor
}

// recorded returns the audit log, the oldest entry first.
func recorded(t *testing.T, a core.Auditor) (all []string) {
	t.Helper()
	entries, err := a.AuditEntries(t.Context(), core.AuditFilter{}, 100)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		all = append([]string{fmt.Sprintf("%s by %s: %s", e.Action, e.Actor, e.Detail)}, all...)
	}
	return all
}

// at returns a change of an endpoint's share.
func at(endpoint string, share cutover.Share) func(*cutover.State) error {
	return func(s *cutover.State) error {
		r := s.Rule(endpoint)
		r.Share = share
		s.Set(r)
		return nil
	}
}

func mustState(t *testing.T, c core.CutoverStore) cutover.State {
	t.Helper()
	s, err := c.CutoverState(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestCutover declares endpoints, switches and rolls back: what changes nothing writes
// nothing, and the key is drawn once.
func TestCutover(t *testing.T) {
	service, store, audit := newCutover(t)
	step := func(what string, err error, writes int, version int64) cutover.State {
		t.Helper()
		s := mustState(t, store)
		if err != nil || store.writes != writes || s.Version != version {
			t.Errorf("%s: %v, %d writes, version %d; want %d and %d", what, err, store.writes, s.Version, writes, version)
		}
		return s
	}
	_, is, err := service.RollBackCutover(t.Context())
	step("rollback of nothing", err, 0, is.Version)
	step("declare nothing", service.DeclareEndpoints(t.Context()), 0, 0)
	first := step("declare", service.DeclareEndpoints(t.Context(), "logout", "login"), 1, 1)
	if len(first.Key) != cutover.KeySize || bytes.Equal(first.Key, make([]byte, cutover.KeySize)) || !first.ChangedAt.Equal(time.Unix(7, 0)) {
		t.Errorf("first state %+v", first)
	}
	step("declare again", service.DeclareEndpoints(t.Context(), "login", "logout"), 1, 1)
	was, is, err := service.ChangeCutover(t.Context(), at("login", 1000))
	if s := step("switch", err, 2, 2); was.Version != 1 || !cmp.Equal(is, s) {
		t.Errorf("from %+v to %+v, want %+v", was, is, s)
	}
	_, _, err = service.ChangeCutover(t.Context(), at("login", 1000))
	step("switch again", err, 2, 2)
	if s := step("declare more", service.DeclareEndpoints(t.Context(), "login", "/private/"), 3, 3); s.Rule("login").Share != 1000 {
		t.Errorf("declared anew: %+v", s.Rules)
	}
	_, _, err = service.ChangeCutover(t.Context(), func(s *cutover.State) error {
		s.Set(cutover.Rule{Endpoint: "logout", Share: 25, Users: []string{"ann", "bob"}, Headers: []cutover.Header{{Name: "X-Canary", Value: "s3cret"}}})
		return nil
	})
	step("lists", err, 4, 4)
	_, _, err = service.RollBackCutover(t.Context())
	last := step("rollback", err, 5, 5)
	for _, r := range last.Rules {
		if side, settled := r.Settled(); side != cutover.Old || !settled {
			t.Errorf("after the rollback %+v", r)
		}
	}
	if len(last.Rules) != 3 || !bytes.Equal(last.Key, first.Key) {
		t.Errorf("after the rollback %+v", last)
	}
	_, _, err = service.RollBackCutover(t.Context())
	step("rollback again", err, 5, 5)
	if diff := cmp.Diff([]string{
		"cutover by server: declared login=0% logout=0%", "cutover by operator: login=10%", "cutover by server: declared /private/=0%",
		"cutover by operator: logout=0.25% users=2 headers=1", "rollback by operator: login=0% logout=0%",
	}, recorded(t, audit)); diff != "" {
		t.Errorf("audit log (-want +got):\n%s", diff)
	}
}

// TestCutoverOfTwo has another operator who is faster: both changes are there in the end, each
// recorded once, and only an endless race fails.
func TestCutoverOfTwo(t *testing.T) {
	service, store, audit := newCutover(t)
	other := core.New(core.Config{Backend: core.Backend{Cutover: store.CutoverStore}})
	race := func(share cutover.Share, times int) {
		store.other = func() {
			if times--; times >= 0 {
				share++
				if _, _, err := other.ChangeCutover(t.Context(), at("logout", share)); err != nil {
					t.Error(err)
				}
			}
		}
	}
	race(10, 3)
	if err := service.DeclareEndpoints(t.Context(), "login", "logout"); err != nil {
		t.Fatal(err)
	}
	race(20, 3)
	if _, _, err := service.ChangeCutover(t.Context(), at("login", 1000)); err != nil {
		t.Fatal(err)
	}
	if s := mustState(t, store); s.Rule("login").Share != 1000 || s.Rule("logout").Share != 23 {
		t.Errorf("rules %+v", s.Rules)
	}
	race(30, 3)
	was, is, err := service.RollBackCutover(t.Context())
	if err != nil || was.Rule("logout").Share != 33 || is.Rule("logout").Share != 0 || is.Rule("login").Share != 0 {
		t.Errorf("rolled back from %+v to %+v, %v", was, is, err)
	}
	race(40, 1<<20)
	_, _, err = service.ChangeCutover(t.Context(), at("login", 1))
	if wantKind(t, err, core.KindUnavailable); !errors.Is(err, core.ErrConflict) {
		t.Errorf("error %v", err)
	}
	if got := recorded(t, audit); len(got) != 3 || got[1] != "cutover by operator: login=10%" {
		t.Errorf("recorded %q", got)
	}
}

// TestCutoverOfManyServers starts servers at once that declare overlapping endpoints.
func TestCutoverOfManyServers(t *testing.T) {
	service, store, audit := newCutover(t)
	var done sync.WaitGroup
	for i := range 8 {
		done.Go(func() {
			engine := core.New(core.Config{Backend: core.Backend{Cutover: store.CutoverStore}})
			if err := engine.DeclareEndpoints(t.Context(), "login", fmt.Sprint("path ", i/2)); err != nil {
				t.Error(err)
			}
		})
	}
	done.Wait()
	if s := mustState(t, store); len(s.Rules) != 5 {
		t.Errorf("rules %+v", s.Rules)
	}
	if err := service.DeclareEndpoints(t.Context(), "login"); err != nil || len(recorded(t, audit)) != 0 {
		t.Errorf("declared again: %v", err)
	}
}

// TestCutoverThatCannotBe has changes that are refused: nothing is written.
func TestCutoverThatCannotBe(t *testing.T) {
	service, store, audit := newCutover(t)
	refusal := errors.New("refused")
	users := make([]string, cutover.MaxUsers+1)
	for i := range users {
		users[i] = fmt.Sprint(i)
	}
	for want, r := range map[string]cutover.Rule{
		"login: a share is 0% to 100%":                            {Endpoint: "login", Share: cutover.All + 1},
		"login: 1001 users: a list has at most 1000":              {Endpoint: "login", Users: users},
		"login: 21 headers: a list has at most 20":                {Endpoint: "login", Headers: make21()},
		"login: names and values have 1 to 1024 bytes of UTF-8":   {Endpoint: "login", Users: []string{"\xff"}},
		"other: names and values have 1 to 1024 bytes of UTF-8":   {Endpoint: "other", Users: []string{""}},
		"another: names and values have 1 to 1024 bytes of UTF-8": {Endpoint: "another", Headers: []cutover.Header{{Name: "X", Value: strings.Repeat("x", 1025)}}},
		"refused": {},
	} {
		_, _, err := service.ChangeCutover(t.Context(), func(s *cutover.State) error {
			if r.Endpoint == "" {
				return refusal
			}
			s.Set(r)
			return nil
		})
		if err == nil || err.Error() != want {
			t.Errorf("error %v, want %s", err, want)
		}
	}
	if err := service.DeclareEndpoints(t.Context(), "/\xff"); err == nil {
		t.Error("a name that is no text was declared")
	}
	if got := recorded(t, audit); store.writes != 0 || len(got) != 0 {
		t.Errorf("%d writes, recorded %q", store.writes, got)
	}
	none := core.New(core.Config{Backend: core.Backend{}})
	if err := none.DeclareEndpoints(t.Context(), "login"); !errors.Is(err, core.ErrNoCutover) {
		t.Errorf("without a store: %v", err)
	}
}

func make21() []cutover.Header {
	headers := make([]cutover.Header, cutover.MaxHeaders+1)
	for i := range headers {
		headers[i].Name = fmt.Sprint("X-", i)
	}
	return headers
}

// TestCutoverDetailIsShort switches many endpoints with long names at once.
func TestCutoverDetailIsShort(t *testing.T) {
	service, _, audit := newCutover(t)
	var names []string
	for i := range 50 {
		names = append(names, fmt.Sprintf("/%02d/%s/", i, strings.Repeat("x", 20)))
	}
	if err := service.DeclareEndpoints(t.Context(), names...); err != nil {
		t.Fatal(err)
	}
	got := recorded(t, audit)
	if len(got) != 1 || len(got[0]) > 400 || !strings.HasPrefix(got[0], "cutover by server: declared "+names[0]+"=0% "+names[1]) || !strings.HasSuffix(got[0], "=0% and 40 more") {
		t.Errorf("recorded %q", got)
	}
}
