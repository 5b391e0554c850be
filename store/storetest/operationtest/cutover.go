package operationtest

import (
	"bytes"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/cutover"
	"github.com/authcompat/authcompat/store/storetest/internal/suite"
)

func cutovers() []testCase {
	return []testCase{
		{"nothing was ever set", cutoverEmpty},
		{"a state is kept as given", cutoverKept},
		{"another version than the stored one is refused", cutoverConflict},
		{"the key is that of the first state", cutoverKey},
		{"a change is recorded with it, what is refused is not", cutoverAudit},
		{"of two that set it at once, one does", cutoverRace},
		{"changes made anew are all there", cutoverLedger},
	}
}

// stateOf returns a state with endpoints at a share.
func stateOf(share cutover.Share, endpoints ...string) cutover.State {
	s := cutover.State{ChangedAt: suite.Noon(), Key: bytes.Repeat([]byte{7}, cutover.KeySize)}
	for _, name := range endpoints {
		s.Set(cutover.Rule{Endpoint: name, Share: share})
	}
	return s
}

func (p operables) state(t *testing.T) cutover.State {
	t.Helper()
	s, err := p.b.CutoverState(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func (p operables) set(t *testing.T, previous int64, s cutover.State) {
	t.Helper()
	if err := p.a.SetCutover(t.Context(), previous, s, nil); err != nil {
		t.Fatalf("set after version %d: %v", previous, err)
	}
}

func cutoverEmpty(t *testing.T, p operables) {
	suite.WantSame(t, "state", cutover.State{}, p.state(t))
	keyless := stateOf(0, "login")
	keyless.Key = nil
	if err := p.a.SetCutover(t.Context(), 0, keyless, nil); err == nil {
		t.Error("a state without a key was set")
	}
	suite.WantSame(t, "state", cutover.State{}, p.state(t))
}

func cutoverKept(t *testing.T, p operables) {
	s := stateOf(25, "login", "/private/<ü&>", cutover.Other)
	s.Set(cutover.Rule{
		Endpoint: "logout", Share: cutover.All, Users: []string{"ann", `"` + "\u2028"},
		Headers: []cutover.Header{{Name: "X-Canary"}, {Name: "X-Other", Value: "yes"}},
	})
	p.set(t, 0, s)
	s.Version = 1
	suite.WantSame(t, "first", s, p.state(t))
	s.Rollback()
	s.ChangedAt = suite.Noon().Add(time.Microsecond)
	p.set(t, 1, s)
	s.Version = 2
	suite.WantSame(t, "second", s, p.state(t))
}

func cutoverConflict(t *testing.T, p operables) {
	refused := func(previous int64) {
		t.Helper()
		suite.WantError(t, fmt.Sprint("after version ", previous), p.b.SetCutover(t.Context(), previous, stateOf(1, "other"), nil), core.ErrConflict)
	}
	refused(1)
	p.set(t, 0, stateOf(0, "login"))
	refused(0)
	refused(2)
	p.set(t, 1, stateOf(0, "login", "logout"))
	for _, previous := range []int64{-1, 0, 1, 3} {
		refused(previous)
	}
	want := stateOf(0, "login", "logout")
	want.Version = 2
	suite.WantSame(t, "state", want, p.state(t))
}

func cutoverKey(t *testing.T, p operables) {
	first := stateOf(0, "login")
	p.set(t, 0, first)
	second := stateOf(1, "login")
	second.Key = bytes.Repeat([]byte{8}, cutover.KeySize)
	p.set(t, 1, second)
	suite.WantSame(t, "key", first.Key, p.state(t).Key)
}

func cutoverAudit(t *testing.T, p operables) {
	set := func(previous int64, detail string) error {
		e := core.AuditEntry{At: suite.Noon(), Action: core.ActionCutover, Outcome: core.OK, Actor: core.Operator, Detail: detail}
		return p.a.SetCutover(t.Context(), previous, stateOf(0, "login"), &e)
	}
	for i, detail := range []string{"login=0%", "login=0% again"} {
		if err := set(int64(i), detail); err != nil {
			t.Fatal(err)
		}
		suite.WantError(t, "again", set(int64(i), "refused"), core.ErrConflict)
		got := p.entries(t, core.AuditFilter{Action: core.ActionCutover})
		if len(got) != i+1 || got[0].Detail != detail || got[0].Actor != core.Operator {
			t.Errorf("after %q: %+v", detail, got)
		}
	}
	// What can't be recorded is not done. Some stores can record any text.
	err := set(2, "no text: \x00")
	version, recorded := p.state(t).Version, len(p.entries(t, core.AuditFilter{}))
	if err == nil && (version != 3 || recorded != 3) || err != nil && (version != 2 || recorded != 2) {
		t.Errorf("version %d with %d entries, error %v", version, recorded, err)
	}
}

func cutoverRace(t *testing.T, p operables) {
	const rounds, actors = 10, 6
	for previous := range int64(rounds) {
		var won atomic.Int64
		suite.Together(actors, func(i int) {
			s := stateOf(cutover.Share(i), "login")
			e := line(core.ActionCutover, core.OK, "")
			switch err := p.of(i).SetCutover(t.Context(), previous, s, &e); {
			case err == nil:
				won.Add(1)
			case !errors.Is(err, core.ErrConflict):
				t.Error(err)
			}
		})
		if n := won.Load(); n != 1 {
			t.Fatalf("after version %d, %d were set, want 1", previous, n)
		}
	}
	suite.WantSame(t, "version", int64(rounds), p.state(t).Version)
	suite.WantSame(t, "entries", rounds, len(p.entries(t, core.AuditFilter{Action: core.ActionCutover})))
}

// cutoverLedger has operators who each add an endpoint to what the others have added.
func cutoverLedger(t *testing.T, p operables) {
	const actors = 12
	suite.Together(actors, func(i int) {
		for {
			s, err := p.of(i).CutoverState(t.Context())
			if err != nil {
				t.Error(err)
				return
			}
			if s.Version == 0 {
				s = stateOf(0)
			}
			s.Set(cutover.Rule{Endpoint: fmt.Sprint("endpoint ", i)})
			if err = p.of(i).SetCutover(t.Context(), s.Version, s, nil); err == nil {
				return
			}
			if !errors.Is(err, core.ErrConflict) {
				t.Error(err)
				return
			}
		}
	})
	s := p.state(t)
	if len(s.Rules) != actors || s.Version != actors {
		t.Errorf("version %d, %d endpoints, want %d: %+v", s.Version, len(s.Rules), actors, s.Rules)
	}
}
