package core_test

import (
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/hashing"
)

// TestAdoptTimeOfOrdinaryQuestions does not let a client choose by a long password how long others
// wait, nor by sending one that nobody has.
func TestAdoptTimeOfOrdinaryQuestions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _, _ := audited(t, hashing.PoolOptions{})
		s.SetLoginLimits(nil)
		if _, err := s.CreateUser(t.Context(), core.Policy{}, core.Registration{Username: "own", Password: "secret"}); err != nil {
			t.Fatal(err)
		}
		r := &referee{takes: time.Second}
		login := func(name, plain string) time.Duration {
			began := time.Now()
			_, _, err := s.LoginOrAdopt(t.Context(), fixed, name, plain, r)
			wantKind(t, err, core.KindInvalidCredentials)
			return time.Since(began).Truncate(core.MaxBlur)
		}
		login("nobody", "wrong")
		r.takes = 10 * time.Second
		for range 20 {
			login("nobody", strings.Repeat("x", 300))
		}
		if took := login("own", "wrong"); took != time.Second {
			t.Errorf("held up by others: %v", took)
		}
		asked := len(r.asked)
		if took := login("nobody", strings.Repeat("x", 5000)); took != time.Second || len(r.asked) != asked {
			t.Errorf("a password that nobody has: %v, asked %d more", took, len(r.asked)-asked)
		}
	})
}

// TestAdoptCountsSpellings gives all spellings of a name, which the referee may take for one, the
// guesses of one.
func TestAdoptCountsSpellings(t *testing.T) {
	s, _, store := audited(t, hashing.PoolOptions{})
	r := &referee{}
	names := []string{"Stra\u00dfe", "STRASSE", " strasse", "\uff53trasse\t", "strasse"}
	for range few.Burst {
		for _, name := range names {
			_, _, err := s.LoginOrAdopt(t.Context(), fixed, name, "wrong", r)
			wantKind(t, err, core.KindInvalidCredentials)
		}
	}
	if len(r.asked) != few.Burst {
		t.Errorf("asked %d times, want %d: %q", len(r.asked), few.Burst, r.asked)
	}
	if n, err := s.ClearLimits(t.Context(), store.(core.RateLimiter), "StrassE", netip.Addr{}); err != nil || n != 1 {
		t.Errorf("cleared %d, %v", n, err)
	}
	_, _, err := s.LoginOrAdopt(t.Context(), fixed, "sTrasse", "wrong", r)
	wantKind(t, err, core.KindInvalidCredentials)
	if len(r.asked) != few.Burst+1 {
		t.Errorf("after the limit was cleared: asked %q", r.asked)
	}
}

// TestAdoptNoSpellingOfTheRefused asks about no spelling of a user who is disabled here or has no
// password, and keeps none that the referee shows.
func TestAdoptNoSpellingOfTheRefused(t *testing.T) {
	s, _, _ := audited(t, hashing.PoolOptions{})
	s.SetLoginLimits(nil)
	for _, u := range []core.Registration{{Username: "off", Password: "secret", Inactive: true}, {Username: "without", NoPassword: true}} {
		if _, err := s.CreateUser(t.Context(), core.Policy{}, u); err != nil {
			t.Fatal(err)
		}
	}
	r := &referee{knows: map[string]string{}, shows: map[string]string{"mail": "OFF"}}
	names := []string{"off", "OFF", " Off", "off\n", "\uff4fff", "\uff2fFF", "without", "Without"}
	for _, name := range append(names, "mail") {
		r.knows[name] = "old"
	}
	for _, name := range names {
		_, _, err := s.LoginOrAdopt(t.Context(), fixed, name, "old", r)
		wantKind(t, err, core.KindInvalidCredentials)
	}
	if len(r.asked) > 0 {
		t.Errorf("asked %q", r.asked)
	}
	_, _, err := s.LoginOrAdopt(t.Context(), fixed, "mail", "old", r)
	wantKind(t, err, core.KindInvalidCredentials)
	if _, err := s.User(t.Context(), "OFF"); core.KindOf(err) != core.KindUserUnknown {
		t.Errorf("kept: %v", err)
	}
}
