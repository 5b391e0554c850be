package callers_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/authcompat/authcompat/core/callers"
	callerstore "github.com/authcompat/authcompat/store/internal/callers"
	"github.com/authcompat/authcompat/store/sqlite/sqlitetest"
)

func calls(c callers.Caller, requests int64) callers.Calls {
	return callers.Calls{Caller: c, Requests: requests}
}

// requests returns the requests by caller.
func requests(t *testing.T, s callers.Store) map[callers.Caller]int64 {
	t.Helper()
	all, err := s.SumCalls(t.Context(), callers.Filter{}, callers.ByAll)
	if err != nil {
		t.Fatal(err)
	}
	found := make(map[callers.Caller]int64)
	for _, c := range all {
		found[c.Caller] = c.Requests
	}
	return found
}

// TestBatches adds batches again, as long as there are not many after them.
func TestBatches(t *testing.T) {
	s := sqlitetest.MustOpen(t).Backend().Callers
	ann := callers.Caller{Profile: "p", User: "ann"}
	for batch := range 100 {
		for again := max(0, batch-20); again <= batch; again++ {
			if err := s.AddCalls(t.Context(), fmt.Sprintf("%016x", again), []callers.Calls{calls(ann, 1), calls(ann, 1)}); err != nil {
				t.Fatal(err)
			}
		}
	}
	if diff := cmp.Diff(map[callers.Caller]int64{ann: 200}, requests(t, s)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestRoom has no room for anonymous callers where half of it is taken by such, and none at all where
// all of it is.
func TestRoom(t *testing.T) {
	s := sqlitetest.MustOpen(t).Backend().Callers
	add := func(batch string, from, to int, caller func(i int) callers.Caller) {
		t.Helper()
		var all []callers.Calls
		for i := from; i < to; i++ {
			all = append(all, calls(caller(i), 1))
		}
		if err := s.AddCalls(t.Context(), batch, all); err != nil {
			t.Fatal(err)
		}
	}
	anonymous := func(i int) callers.Caller { return callers.Caller{Endpoint: "x", Client: fmt.Sprint(i)} }
	user := func(i int) callers.Caller { return callers.Caller{Endpoint: "x", User: fmt.Sprint(i)} }
	other := callers.Caller{Endpoint: "x", Other: true}
	add("1", 0, callers.Max/2, anonymous)
	add("2", callers.Max/2-1, callers.Max/2+1, anonymous)
	if got := requests(t, s); got[other] != 1 || len(got) != callers.Max/2+1 {
		t.Errorf("%d callers, others called %d times", len(got), got[other])
	}
	add("3", 0, callers.Max/2+2, user)
	add("4", 0, 1, user)
	if got := requests(t, s); got[other] != 3 || len(got) != callers.Max+1 {
		t.Errorf("%d callers, others called %d times", len(got), got[other])
	}
}

var errUnencodable = errors.New("not in this encoding")

// TestTextsThatNoEncodingHas writes what a database's encoding doesn't have in other characters,
// instead of trying for ever.
func TestTextsThatNoEncodingHas(t *testing.T) {
	a := sqlitetest.MustOpen(t).Backend().Callers.(*callerstore.Store).Access
	write, tries := a.Write, 0
	a.Write = func(ctx context.Context, do func(context.Context, *sql.Tx) error) error {
		if tries++; tries == 1 {
			return fmt.Errorf("add calls: %w", errUnencodable)
		}
		return write(ctx, do)
	}
	a.Unencodable = errUnencodable
	s := callerstore.New(a)
	given := []callers.Calls{calls(callers.Caller{Endpoint: "/ä/", User: "ä", Agent: "\"日本\"\u202e"}, 1)}
	if err := s.AddCalls(t.Context(), "1", given); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[callers.Caller]int64{{Endpoint: `/\u00e4/`, User: "ä", Agent: `"\u65e5\u672c"\u202e`}: 1}, requests(t, s)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if given[0].Endpoint != "/ä/" {
		t.Error("the calls that were given are others now")
	}
}

// TestPositionalParameters numbers the parameters.
func TestPositionalParameters(t *testing.T) {
	for statement, want := range map[string]string{"": "", "a": "a", "a = ?": "a = $1", "(?, ?) ?": "($1, $2) $3"} {
		if got := callerstore.PositionalParameters(statement); got != want {
			t.Errorf("%s: %s", statement, got)
		}
	}
}
