//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/authcompat/authcompat/cmd/bench/process"
)

// mostCost is how much more a check may cost with the most tokens than with the
// fewest.
const mostCost = 1.3

// mostOfAny is how much more processor time a check may take with any of the tokens that the cache has room for than
// with any of a few.
const mostOfAny = 1.4

// stock is a store with so many tokens, and a server on it.
type stock struct {
	tokens int64
	server *process.Server
}

// sizes measures a check on stores of growing size: with the same tokens in use
// on each; with each token once, so that it comes from the database; and with any
// token as likely as any other, after each was asked for once.
func sizes(ctx context.Context, b *bench) (err error) {
	counts := []int64{10_000, 1_000_000, 10_000_000}
	if b.quick {
		counts = []int64{10_000, 100_000}
	}
	var stocks []stock
	defer func() {
		for _, s := range stocks {
			err = errors.Join(err, s.server.Stop())
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
	if err := b.sizesWith(ctx, "in use", fixed, stocks, func(rounds [][]sample) {
		for i := 1; i < len(stocks); i++ {
			b.atMost(slower(stocks[i], stocks[0], "in use"), ratios(rounds, sample.rate, 0, i), mostCost)
		}
	}); err != nil {
		return err
	}
	if err := b.sizesWith(ctx, "each once", inTurn, stocks, func(rounds [][]sample) {
		for i := 1; i < len(stocks); i++ { // from the database, beside from memory
			b.note(slower(stocks[i], stocks[0], "each once"), spread(ratios(rounds, sample.rate, 0, i), "%.3f"))
		}
		for i := 2; i < len(stocks); i++ {
			b.atMost(slower(stocks[i], stocks[1], "each once"), ratios(rounds, sample.rate, 1, i), mostCost)
		}
	}); err != nil {
		return err
	}
	kept := stocks[:2] // which have room in the cache
	for _, s := range kept {
		if err := b.visit(ctx, s); err != nil {
			return err
		}
	}
	return b.sizesWith(ctx, "any", uniform, kept, func(rounds [][]sample) {
		b.atMost("processor "+slower(kept[1], kept[0], "any"), ratios(rounds, sample.cost, 1, 0), mostOfAny)
	})
}

// slower names a ratio of times.
func slower(s, than stock, chosen string) string {
	return fmt.Sprintf("time of a check with %d tokens beside %d, %s", s.tokens, than.tokens, chosen)
}

// visit presents each token of a store once.
func (b *bench) visit(ctx context.Context, s stock) error {
	c, err := connect(s.server.Address, b.connections, inTurn(s.server.Address, s.tokens))
	if err != nil {
		return err
	}
	defer c.close()
	for done := int64(0); done < s.tokens; {
		t, err := c.run(ctx, time.Second)
		if err == nil && t.failed > 0 {
			err = fmt.Errorf("%d of %d requests failed", t.failed, t.failed+t.done)
		}
		if err != nil {
			return err
		}
		done += t.done
	}
	return nil
}

// sizesWith measures one way to choose tokens.
func (b *bench) sizesWith(ctx context.Context, chosen string, request func(string, int64) func(int) []byte, stocks []stock, compare func([][]sample)) error {
	sides := make([]side, len(stocks))
	for i, s := range stocks {
		c, err := connect(s.server.Address, b.connections, request(s.server.Address, s.tokens))
		if err != nil {
			return err
		}
		sides[i] = side{name: fmt.Sprintf("tokens=%d", s.tokens), server: s.server, client: c}
	}
	rounds, err := b.compare(ctx, "Size/chosen="+strings.ReplaceAll(chosen, " ", "-"), b.turn(), sides...)
	if err != nil {
		return err
	}
	for i, s := range stocks {
		b.note(fmt.Sprintf("check with %d tokens, %s: requests a second", s.tokens, chosen), spread(figures(rounds, sample.rate, i), "%.0f"))
		b.note("  server's processor time, µs", spread(figures(rounds, sample.cost, i), "%.1f"))
	}
	compare(rounds)
	return nil
}
