package record

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"testing"

	"github.com/jmoiron/sqlx"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/transfer"
)

// querier is one of two connections.
type querier struct {
	sqlx.QueryerContext
	name string
}

func (querier) QueryContext(context.Context, string, ...any) (*sql.Rows, error) { return nil, nil }

// TestInHalves reads batches of several sizes: each row once, the first half through one
// connection and the second through the other.
func TestInHalves(t *testing.T) {
	t.Parallel()
	read := func(q sqlx.QueryerContext, from, to int) (facts transfer.ImportFacts, err error) {
		for i := from; i < to; i++ {
			facts.Users = append(facts.Users, core.Account{User: core.User{ID: int64(i), Username: q.(querier).name}})
		}
		return facts, nil
	}
	for _, n := range []int{0, 1, 2, 5, 100} {
		facts, err := InHalves(n, querier{name: "first"}, querier{name: "second"}, read)
		if err != nil || len(facts.Users) != n {
			t.Errorf("%d rows: %d, %v", n, len(facts.Users), err)
		}
		for i, u := range facts.Users {
			want := "first"
			if i >= n/2 {
				want = "second"
			}
			if u.ID != int64(i) || u.Username != want {
				t.Errorf("%d rows: row %d is %d, through the %s", n, i, u.ID, u.Username)
			}
		}
	}
	for _, failing := range []string{"first", "second"} {
		failure := errors.New("lost")
		_, err := InHalves(10, querier{name: "first"}, querier{name: "second"}, func(q sqlx.QueryerContext, from, to int) (transfer.ImportFacts, error) {
			if q.(querier).name == failing {
				return transfer.ImportFacts{}, failure
			}
			return read(q, from, to)
		})
		if !errors.Is(err, failure) {
			t.Errorf("the %s fails: %v", failing, err)
		}
	}
}

// TestDigests lists each digest of a batch once, in order.
func TestDigests(t *testing.T) {
	t.Parallel()
	var tokens []transfer.ImportedToken
	for _, d := range []string{"b", "a", "b", "ab", "a", ""} {
		tokens = append(tokens, transfer.ImportedToken{Token: core.Token{Digest: core.Digest(d)}})
	}
	var got []string
	for _, d := range Digests(tokens) {
		got = append(got, string(d))
	}
	if want := []string{"", "a", "ab", "b"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}
