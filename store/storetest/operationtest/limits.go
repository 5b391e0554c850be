package operationtest

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/store/storetest/internal/suite"
)

func limits() []testCase {
	return []testCase{
		{"a key has room for so many guesses, and gains more", limitFades},
		{"if one key has no room, none is counted", limitAllOrNone},
		{"a refund gives room back", limitRefund},
		{"a clock that was ahead locks nobody out", limitAfterLeap},
		{"keys that are full again are forgotten", limitForgotten},
		{"keys that are cleared are full again", limitCleared},
		{"guesses at once: no more than there is room for", limitRace},
	}
}

func guess(key string, most int, window time.Duration) core.LimitKey {
	return core.LimitKey{Key: []byte(key), Limit: core.Limit{Burst: most, Window: window}}
}

// reserve counts guesses and checks the time to wait that it returns.
func (p operables) reserve(t *testing.T, at time.Time, want time.Duration, guesses ...core.LimitKey) {
	t.Helper()
	wait, err := p.a.Reserve(t.Context(), at, guesses...)
	if err != nil {
		t.Fatal(err)
	}
	suite.WantSame(t, "wait", want, wait)
}

func limitFades(t *testing.T, p operables) {
	ann, bob := guess("ann", 3, 3*time.Minute), guess("bob", 3, 3*time.Minute)
	at := suite.Noon()
	for range 3 {
		p.reserve(t, at, 0, ann)
	}
	p.a, p.b = p.b, p.a
	p.reserve(t, at, time.Minute, ann)
	p.reserve(t, at, 0, bob)
	at = at.Add(20 * time.Second)
	p.reserve(t, at, 40*time.Second, ann)
	at = at.Add(40 * time.Second)
	p.reserve(t, at, 0, ann)
	p.reserve(t, at, time.Minute, ann)
	at = at.Add(24 * time.Hour)
	for range 3 {
		p.reserve(t, at, 0, ann)
	}
	p.reserve(t, at, time.Minute, ann)
}

func limitAllOrNone(t *testing.T, p operables) {
	account, address := guess("ann", 1, time.Hour), guess("192.0.2.1", 2, 2*time.Hour)
	p.reserve(t, suite.Noon(), 0, account, address)
	p.reserve(t, suite.Noon(), time.Hour, account, address)
	p.reserve(t, suite.Noon(), time.Hour, address, account)
	waits, err := p.b.WaitTimes(t.Context(), suite.Noon(), address, account, guess("nobody", 1, time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	suite.WantSame(t, "wait times", []time.Duration{0, time.Hour, 0}, waits)
	p.reserve(t, suite.Noon(), 0, address)
	p.reserve(t, suite.Noon(), time.Hour, address)
}

func limitRefund(t *testing.T, p operables) {
	ann := guess("ann", 2, time.Hour)
	for range 5 {
		p.reserve(t, suite.Noon(), 0, ann)
		if err := p.b.Refund(t.Context(), suite.Noon(), ann); err != nil {
			t.Fatal(err)
		}
	}
	p.reserve(t, suite.Noon(), 0, ann)
	p.reserve(t, suite.Noon(), 0, ann)
	p.reserve(t, suite.Noon(), 30*time.Minute, ann)
	if err := p.b.Refund(t.Context(), suite.Noon(), ann); err != nil {
		t.Fatal(err)
	}
	p.reserve(t, suite.Noon(), 0, ann) // for one, and no more
	p.reserve(t, suite.Noon(), 30*time.Minute, ann)
	if err := p.a.Refund(t.Context(), suite.Noon(), guess("nobody", 2, time.Hour)); err != nil {
		t.Error(err)
	}
}

func limitAfterLeap(t *testing.T, p operables) {
	ann, address := guess("ann", 3, 3*time.Minute), guess("192.0.2.1", 100, 5*time.Minute)
	ahead := suite.Noon().Add(10 * 365 * 24 * time.Hour)
	for range 3 {
		p.reserve(t, ahead, 0, ann, address)
	}
	if err := p.a.Refund(t.Context(), ahead, ann, address); err != nil {
		t.Fatal(err)
	}
	p.reserve(t, suite.Noon(), 0, ann, address)
	p.a, p.b = p.b, p.a
	p.reserve(t, suite.Noon(), time.Minute, ann, address)
	p.reserve(t, suite.Noon().Add(time.Minute), 0, ann, address)
	p.reserve(t, suite.Noon().Add(time.Minute), time.Minute, ann, address)

	// A right login while the clock is ahead leaves nothing behind, wherever the clock goes.
	for _, ahead := range []time.Duration{2 * time.Minute, 3 * time.Minute, time.Hour} {
		carol := guess("carol", 1, 3*time.Minute)
		p.reserve(t, suite.Noon().Add(ahead), 0, carol)
		if err := p.b.Refund(t.Context(), suite.Noon().Add(ahead), carol); err != nil {
			t.Fatal(err)
		}
		p.reserve(t, suite.Noon(), 0, carol)
		if err := p.b.Refund(t.Context(), suite.Noon(), carol); err != nil {
			t.Fatal(err)
		}
	}

	// Of clocks that are a little apart, the limits hold.
	bob := guess("bob", 2, 2*time.Minute)
	for range 2 {
		p.reserve(t, suite.Noon().Add(core.ClockLeap), 0, bob)
	}
	p.reserve(t, suite.Noon(), time.Minute+core.ClockLeap, bob)
}

func limitForgotten(t *testing.T, p operables) {
	for _, key := range []string{"1", "2", "3"} {
		p.reserve(t, suite.Noon(), 0, guess(key, 2, 2*time.Hour))
	}
	p.reserve(t, suite.Noon(), 0, guess("3", 2, 2*time.Hour))
	at := suite.Noon().Add(time.Hour)
	for i, want := range []int{1, 1, 0} {
		n, err := p.b.PruneLimits(t.Context(), at, 1)
		if err != nil || n != want {
			t.Errorf("round %d: forgot %d, %v, want %d", i, n, err, want)
		}
	}
	p.reserve(t, at, 0, guess("3", 2, 2*time.Hour))
	p.reserve(t, at, time.Hour, guess("3", 2, 2*time.Hour))
}

func limitCleared(t *testing.T, p operables) {
	ann, address, bob := guess("ann", 1, time.Hour), guess("192.0.2.1", 2, 2*time.Hour), guess("bob", 1, time.Hour)
	p.reserve(t, suite.Noon(), 0, ann, address)
	p.reserve(t, suite.Noon(), 0, bob)
	p.reserve(t, suite.Noon(), time.Hour, ann)
	n, err := p.b.ClearLimits(t.Context(), &core.AuditEntry{At: suite.Noon(), Action: core.ActionClearLimits, Outcome: core.OK, Username: "ann"}, ann.Key, address.Key, []byte("nobody"))
	if err != nil || n != 2 {
		t.Errorf("cleared %d, %v, want 2", n, err)
	}
	for range 2 {
		p.reserve(t, suite.Noon(), 0, address)
	}
	p.reserve(t, suite.Noon(), time.Hour, address)
	p.reserve(t, suite.Noon(), 0, ann)
	p.reserve(t, suite.Noon(), time.Hour, bob)
	entries, err := p.a.AuditEntries(t.Context(), core.AuditFilter{}, 10)
	if err != nil || len(entries) != 1 || entries[0].Action != core.ActionClearLimits || entries[0].Username != "ann" {
		t.Errorf("audit entries %+v, %v", entries, err)
	}
}

func limitRace(t *testing.T, p operables) {
	const guesses, most = 200, 10
	ann, address := guess("ann", most, time.Hour), guess("192.0.2.1", guesses, time.Hour)
	var counted atomic.Int32
	suite.Together(guesses, func(i int) {
		wait, err := p.of(i).Reserve(t.Context(), suite.Noon(), ann, address)
		if err != nil {
			t.Error(err)
		} else if wait == 0 {
			counted.Add(1)
		}
	})
	if n := counted.Load(); n != most {
		t.Errorf("%d of %d guesses were counted, want %d", n, guesses, most)
	}
}
