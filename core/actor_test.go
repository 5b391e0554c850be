package core_test

import (
	"net/netip"
	"testing"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/hashing"
)

// TestActor records what an operator does as done where the context says, else on the command line.
func TestActor(t *testing.T) {
	s, log, admin := audited(t, hashing.PoolOptions{})
	for want, record := range map[string]func() error{
		core.Operator: func() error { return s.RecordOperation(t.Context(), core.ActionBackup) },
		core.Console:  func() error { return s.RecordOperation(core.WithActor(t.Context(), core.Console), core.ActionBackup) },
	} {
		if err := record(); err != nil {
			t.Fatal(err)
		}
		wantActor(t, log, want)
	}
	console := core.WithActor(t.Context(), core.Console)
	u, err := s.CreateUser(console, core.Policy{}, core.Registration{Username: "ann", Password: "x"})
	if err != nil {
		t.Fatal(err)
	}
	wantActor(t, log, core.Console)
	if err := s.SetActive(console, admin, u, false); err != nil {
		t.Fatal(err)
	}
	wantActor(t, log, core.Console)
	if _, err := s.ClearLimits(console, admin.(core.RateLimiter), "ann", netip.Addr{}); err != nil {
		t.Fatal(err)
	}
	wantActor(t, log, core.Console)
}

// wantActor fails unless the newest entry is of an actor.
func wantActor(t *testing.T, log core.Auditor, want string) {
	t.Helper()
	entries, err := log.AuditEntries(t.Context(), core.AuditFilter{}, 1)
	if err != nil || len(entries) != 1 {
		t.Fatalf("%v, %v", entries, err)
	}
	if e := entries[0]; e.Actor != want {
		t.Errorf("%s is by %q, want %q", e.Action, e.Actor, want)
	}
}
