package main

import (
	"context"
	"errors"
	"fmt"
)

// mostCost is how much more a check may cost with the most tokens than with the
// fewest.
const mostCost = 1.3

// stock is a store with so many tokens, and a server on it.
type stock struct {
	tokens int64
	server *process
}

// sizes measures a check on stores of growing size: with the same tokens in use
// on each, and with any token as likely as any other, which on a large store is
// nearly always one that was not asked for lately.
func sizes(ctx context.Context, b *bench) (err error) {
	counts := []int64{10_000, 1_000_000, 10_000_000}
	if b.quick {
		counts = []int64{10_000, 100_000}
	}
	var stocks []stock
	defer func() {
		for _, s := range stocks {
			err = errors.Join(err, s.server.stop())
		}
	}()
	for _, n := range counts {
		dsn, err := b.filled(ctx, fmt.Sprintf("size-%d.db", n), n, forever())
		if err != nil {
			return err
		}
		server, err := b.serve(ctx, dsn, profile)
		if err != nil {
			return err
		}
		stocks = append(stocks, stock{n, server})
	}
	if err := b.sizesWith(ctx, "in use", fixed, stocks, true); err != nil {
		return err
	}
	return b.sizesWith(ctx, "any", uniform, stocks, false)
}

// sizesWith measures one way to choose tokens.
func (b *bench) sizesWith(ctx context.Context, chosen string, request func(string, int64) func(int) []byte, stocks []stock, bounded bool) error {
	sides := make([]side, len(stocks))
	for i, s := range stocks {
		c, err := connect(s.server.address, b.connections, request(s.server.address, s.tokens))
		if err != nil {
			return err
		}
		sides[i] = side{name: fmt.Sprintf("tokens=%d", s.tokens), server: s.server, client: c}
	}
	subject := "Size/chosen=used"
	if !bounded {
		subject = "Size/chosen=any"
	}
	rounds, err := b.compare(ctx, subject, b.turn(), sides...)
	if err != nil {
		return err
	}
	for i, s := range stocks {
		b.note(fmt.Sprintf("check with %d tokens, %s: requests a second", s.tokens, chosen), spread(figures(rounds, sample.rate, i), "%.0f"))
		b.note("  server's processor time, µs", spread(figures(rounds, sample.cost, i), "%.1f"))
	}
	slower := func(i, than int) (what string, ratio []float64) {
		what = fmt.Sprintf("time of a check with %d tokens beside %d, %s", stocks[i].tokens, stocks[than].tokens, chosen)
		return what, ratios(rounds, sample.rate, than, i)
	}
	for i := 1; i < len(stocks); i++ {
		what, ratio := slower(i, 0)
		if bounded {
			b.atMost(what, ratio, mostCost)
			continue
		}
		// From memory beside from the database, and then both from the database.
		b.note(what, spread(ratio, "%.3f"))
		if i > 1 {
			what, ratio = slower(i, 1)
			b.atMost(what, ratio, mostCost)
		}
	}
	return nil
}
