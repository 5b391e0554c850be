package operationtest

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/callers"
	"github.com/authcompat/authcompat/store/storetest/internal/suite"
)

func callerCounts() []testCase {
	return []testCase{
		{"nothing was counted", callersNone},
		{"counts add up, by each dimension", callersSums},
		{"a batch is added once", callersBatches},
		{"no more callers than there is room for", callersBound},
		{"concurrent batches are all added", callersRaces},
		{"days removed", callersPurge},
	}
}

// callerStores returns the stores of callers of both handles.
func callerStores(p operables) (a, b callers.Store) {
	of := func(s any) callers.Store { return s.(interface{ Backend() core.Backend }).Backend().Callers }
	return of(p.a), of(p.b)
}

// called returns calls at noon of a day.
func called(day int, c callers.Caller, requests, refused int64) callers.Calls {
	at := suite.Noon().AddDate(0, 0, day)
	return callers.Calls{Caller: c, Day: callers.DayOf(at), Requests: requests, Refused: refused, First: at, Last: at.Add(time.Duration(requests) * time.Second)}
}

func caller(endpoint, user, client, agent string) callers.Caller {
	return callers.Caller{Profile: suite.Issuer, Endpoint: endpoint, User: user, Client: client, Agent: agent}
}

func mustAdd(t *testing.T, s callers.Store, batch string, calls ...callers.Calls) {
	t.Helper()
	if err := s.AddCalls(t.Context(), batch, calls); err != nil {
		t.Fatalf("add calls: %v", err)
	}
}

// sum returns the sums.
func sum(t *testing.T, s callers.Store, f callers.Filter, by callers.Dimension) []callers.Calls {
	t.Helper()
	all, err := s.SumCalls(t.Context(), f, by)
	if err != nil {
		t.Fatalf("sum calls by %s: %v", by, err)
	}
	return all
}

// sums returns who called, and how often, in order.
func sums(t *testing.T, s callers.Store, f callers.Filter, by callers.Dimension) (lines []string) {
	t.Helper()
	for _, c := range sum(t, s, f, by) {
		lines = append(lines, fmt.Sprintf("%s|%s|%s|%s|%s|%t %d/%d", c.Profile, c.Endpoint, c.User, c.Client, c.Agent, c.Other, c.Requests, c.Refused))
	}
	return sorted(lines)
}

func sorted(lines []string) []string {
	slices.Sort(lines)
	return lines
}

func callersNone(t *testing.T, p operables) {
	a, b := callerStores(p)
	if all := sums(t, a, callers.Filter{}, callers.ByAll); len(all) > 0 {
		t.Errorf("%v", all)
	}
	if n, err := b.PurgeCalls(t.Context(), callers.DayOf(suite.Noon()), 10); n != 0 || err != nil {
		t.Errorf("purged %d, %v", n, err)
	}
	mustAdd(t, a, "none")
}

func callersSums(t *testing.T, p operables) {
	a, b := callerStores(p)
	const odd = `curl/8 "it's" 日本 ?; --`
	ann, bob, nobody := caller("login", "ann", "192.0.2.1", "curl/8"), caller("account", "bob", "2001:db8::/64", odd), caller("login", "", "192.0.2.1", "curl/8")
	elsewhere := ann
	elsewhere.Profile = "other-api"
	mustAdd(t, a, "1", called(0, ann, 2, 0), called(0, nobody, 5, 5), called(1, ann, 3, 1), called(1, bob, 1, 0))
	mustAdd(t, b, "2", called(0, ann, 10, 2), called(2, elsewhere, 4, 0), called(0, ann, 1, 0), called(2, ann.AsOther(), 7, 7))
	for by, want := range map[callers.Dimension][]string{
		callers.ByEndpoint: {"other-api|login||||false 4/0", "some-api|account||||false 1/0", "some-api|login||||false 28/15"},
		callers.ByUser:     {"other-api||ann|||false 4/0", "some-api|||||false 5/5", "some-api|||||true 7/7", "some-api||ann|||false 16/3", "some-api||bob|||false 1/0"},
		callers.ByClient:   {"other-api|||192.0.2.1||false 4/0", "some-api|||||true 7/7", "some-api|||192.0.2.1||false 21/8", "some-api|||2001:db8::/64||false 1/0"},
		callers.ByAgent:    {"other-api||||curl/8|false 4/0", "some-api|||||true 7/7", "some-api||||curl/8|false 21/8", "some-api||||" + odd + "|false 1/0"},
		callers.ByAll: {
			"other-api|login|ann|192.0.2.1|curl/8|false 4/0", "some-api|account|bob|2001:db8::/64|" + odd + "|false 1/0",
			"some-api|login||192.0.2.1|curl/8|false 5/5", "some-api|login||||true 7/7", "some-api|login|ann|192.0.2.1|curl/8|false 16/3",
		},
	} {
		suite.WantSame(t, string(by), sorted(want), sums(t, b, callers.Filter{}, by))
	}
	var most []string
	for _, c := range sum(t, a, callers.Filter{Limit: 3}, callers.ByUser) {
		most = append(most, fmt.Sprintf("%s %s %t %d", c.Profile, c.User, c.Other, c.Requests))
	}
	suite.WantSame(t, "those with the most requests", []string{"some-api ann false 16", "some-api  true 7", "some-api  false 5"}, most)
	day := callers.DayOf(suite.Noon())
	suite.WantSame(t, "since a day", sorted([]string{"other-api||ann|||false 4/0", "some-api|||||true 7/7", "some-api||ann|||false 3/1", "some-api||bob|||false 1/0"}), sums(t, a, callers.Filter{Since: day + 1}, callers.ByUser))
	all := sum(t, a, callers.Filter{Since: day, Profile: suite.Issuer}, callers.ByClient)
	i := slices.IndexFunc(all, func(c callers.Calls) bool { return c.Client == "192.0.2.1" })
	if i < 0 || len(all) != 3 {
		t.Fatalf("of a profile: %v", all)
	}
	suite.WantSame(t, "first", suite.Noon(), all[i].First)
	suite.WantSame(t, "last", suite.Noon().AddDate(0, 0, 1).Add(3*time.Second), all[i].Last)
}

func callersBatches(t *testing.T, p operables) {
	a, b := callerStores(p)
	ann := caller("login", "ann", "192.0.2.1", "curl/8")
	for _, s := range []callers.Store{a, b, a} {
		mustAdd(t, s, "0123456789abcdef", called(0, ann, 2, 0), called(1, ann, 3, 0))
	}
	mustAdd(t, b, "another", called(1, ann, 10, 0))
	mustAdd(t, a, "0123456789abcdef", called(0, ann, 2, 0), called(1, ann, 3, 0))
	suite.WantSame(t, "sums", []string{"some-api||ann|||false 15/0"}, sums(t, b, callers.Filter{}, callers.ByUser))
}

// callersBound fills a day from both handles at once. Who is known goes on being counted, and other
// days have room of their own.
func callersBound(t *testing.T, p operables) {
	a, b := callerStores(p)
	ann := caller("login", "ann", "192.0.2.1", "curl/8")
	mustAdd(t, a, "first", called(0, ann, 1, 0))
	const each = 500
	fill := func(user bool, batches int) {
		suite.Together(2, func(handle int) {
			for batch := range batches {
				var calls []callers.Calls
				for i := range each {
					c := caller("login", "", "192.0.2.1", fmt.Sprintf("agent %d %d %d", handle, batch, i))
					if user {
						c.User = c.Agent
					}
					calls = append(calls, called(0, c, 1, 1))
				}
				mustAdd(t, []callers.Store{a, b}[handle], fmt.Sprint(user, handle, batch), calls...)
			}
		})
	}
	count := func() (anonymous, users, other int64) {
		for _, c := range sum(t, b, callers.Filter{}, callers.ByAll) {
			switch {
			case c.Other:
				other += c.Requests
			case c.User == "":
				anonymous++
			default:
				users++
			}
		}
		return anonymous, users, other
	}
	fill(false, 6)
	if anonymous, users, other := count(); anonymous != callers.Max/2 || users != 1 || other != 6000-anonymous {
		t.Errorf("without users: %d anonymous, %d users, others called %d times", anonymous, users, other)
	}
	fill(true, 6)
	if anonymous, users, other := count(); anonymous+users != callers.Max || other != 12_001-callers.Max {
		t.Errorf("full: %d anonymous, %d users, others called %d times", anonymous, users, other)
	}
	mustAdd(t, b, "last", called(0, ann, 1, 0), called(1, caller("login", "zoe", "", ""), 1, 0))
	got := sum(t, a, callers.Filter{}, callers.ByUser)
	for name, want := range map[string]int64{"ann": 2, "zoe": 1} {
		if i := slices.IndexFunc(got, func(c callers.Calls) bool { return c.User == name }); i < 0 || got[i].Requests != want {
			t.Errorf("%s called: want %d", name, want)
		}
	}
}

func callersRaces(t *testing.T, p operables) {
	a, b := callerStores(p)
	const writers, batches = 8, 10
	suite.Together(writers, func(i int) {
		for batch := range batches {
			calls := []callers.Calls{called(1, caller("login", "ann", "", ""), 2, 1), called(0, caller("login", "ann", "", ""), 1, 0), called(0, caller("login", fmt.Sprint(i), "", ""), 1, 0)}
			if err := []callers.Store{a, b}[i%2].AddCalls(t.Context(), fmt.Sprint(i, "-", batch), calls); err != nil {
				t.Error(err)
			}
		}
	})
	total := callers.Calls{}
	for _, c := range sum(t, a, callers.Filter{}, callers.ByUser) {
		total.Add(c)
	}
	suite.WantSame(t, "requests and refused", []int64{writers * batches * 4, writers * batches}, []int64{total.Requests, total.Refused})
}

func callersPurge(t *testing.T, p operables) {
	a, b := callerStores(p)
	for day := range 3 {
		for i := range 5 {
			mustAdd(t, a, fmt.Sprint(day, i), called(day, caller("login", fmt.Sprint(i), "", ""), 1, 0))
		}
	}
	var gone []int
	for range 5 {
		n, err := b.PurgeCalls(t.Context(), callers.DayOf(suite.Noon())+2, 5)
		if err != nil {
			t.Fatal(err)
		}
		gone = append(gone, n)
	}
	if gone[0] != 5 || gone[4] != 0 {
		t.Errorf("removed %v", gone)
	}
	if left := sum(t, a, callers.Filter{}, callers.ByUser); len(left) != 5 || left[0].First.Before(suite.Noon().AddDate(0, 0, 2)) {
		t.Errorf("left %v", left)
	}
}
