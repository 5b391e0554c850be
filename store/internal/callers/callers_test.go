package callers_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/store/internal/callers"
	"github.com/authcompat/authcompat/store/sqlite/sqlitetest"
)

func calls(c core.Caller, requests int64) core.Calls {
	return core.Calls{Caller: c, Requests: requests}
}

// requests returns the requests by caller.
func requests(t *testing.T, s core.CallerStore) map[core.Caller]int64 {
	t.Helper()
	all, err := s.SumCalls(t.Context(), core.CallerFilter{}, core.ByAll)
	if err != nil {
		t.Fatal(err)
	}
	found := make(map[core.Caller]int64)
	for _, c := range all {
		found[c.Caller] = c.Requests
	}
	return found
}

// TestBatches adds batches again, as long as there are not many after them.
func TestBatches(t *testing.T) {
	s := sqlitetest.MustOpen(t).Backend().Callers
	ann := core.Caller{Profile: "p", User: "ann"}
	for batch := range 100 {
		for again := max(0, batch-20); again <= batch; again++ {
			if err := s.AddCalls(t.Context(), fmt.Sprintf("%016x", again), []core.Calls{calls(ann, 1), calls(ann, 1)}); err != nil {
				t.Fatal(err)
			}
		}
	}
	if diff := cmp.Diff(map[core.Caller]int64{ann: 200}, requests(t, s)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestRoom has no room for anonymous callers where half of it is taken by such, and none at all where
// all of it is.
func TestRoom(t *testing.T) {
	s := sqlitetest.MustOpen(t).Backend().Callers
	add := func(batch string, from, to int, caller func(i int) core.Caller) {
		t.Helper()
		var all []core.Calls
		for i := from; i < to; i++ {
			all = append(all, calls(caller(i), 1))
		}
		if err := s.AddCalls(t.Context(), batch, all); err != nil {
			t.Fatal(err)
		}
	}
	anonymous := func(i int) core.Caller { return core.Caller{Endpoint: "x", Client: fmt.Sprint(i)} }
	user := func(i int) core.Caller { return core.Caller{Endpoint: "x", User: fmt.Sprint(i)} }
	other := core.Caller{Endpoint: "x", Other: true}
	add("1", 0, core.MaxCallers/2, anonymous)
	add("2", core.MaxCallers/2-1, core.MaxCallers/2+1, anonymous)
	if got := requests(t, s); got[other] != 1 || len(got) != core.MaxCallers/2+1 {
		t.Errorf("%d callers, others called %d times", len(got), got[other])
	}
	add("3", 0, core.MaxCallers/2+2, user)
	add("4", 0, 1, user)
	if got := requests(t, s); got[other] != 3 || len(got) != core.MaxCallers+1 {
		t.Errorf("%d callers, others called %d times", len(got), got[other])
	}
}

var errUnencodable = errors.New("not in this encoding")

// TestTextsThatNoEncodingHas writes what a database's encoding doesn't have in other characters,
// instead of trying for ever.
func TestTextsThatNoEncodingHas(t *testing.T) {
	a := sqlitetest.MustOpen(t).Backend().Callers.(*callers.Store).Access
	write, tries := a.Write, 0
	a.Write = func(ctx context.Context, do func(context.Context, *sql.Tx) error) error {
		if tries++; tries == 1 {
			return fmt.Errorf("add calls: %w", errUnencodable)
		}
		return write(ctx, do)
	}
	a.Unencodable = errUnencodable
	s := callers.New(a)
	given := []core.Calls{calls(core.Caller{Endpoint: "/ä/", User: "ä", Agent: "\"日本\"\u202e"}, 1)}
	if err := s.AddCalls(t.Context(), "1", given); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[core.Caller]int64{{Endpoint: `/\u00e4/`, User: "ä", Agent: `"\u65e5\u672c"\u202e`}: 1}, requests(t, s)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if given[0].Endpoint != "/ä/" {
		t.Error("the calls that were given are others now")
	}
}

// TestPositionalParameters numbers the parameters.
func TestPositionalParameters(t *testing.T) {
	for statement, want := range map[string]string{"": "", "a": "a", "a = ?": "a = $1", "(?, ?) ?": "($1, $2) $3"} {
		if got := callers.PositionalParameters(statement); got != want {
			t.Errorf("%s: %s", statement, got)
		}
	}
}
