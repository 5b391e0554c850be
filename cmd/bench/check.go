package main

import (
	"context"
	"errors"
)

// checkTokens is how many tokens the store of a plain check has.
const checkTokens = 10_000

// leastShare is how much of the other side's throughput a check must reach.
const leastShare = 0.80

// checks measures a token check on both kinds of store.
func checks(ctx context.Context, b *bench) error {
	return errors.Join(checkSQLite(ctx, b), checkPostgres(ctx, b))
}

func checkSQLite(ctx context.Context, b *bench) (err error) {
	dsn, err := b.filled(ctx, "check.db", checkTokens, fifteenDays())
	if err != nil {
		return err
	}
	server, err := b.serve(ctx, dsn, profile)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, server.stop()) }()
	raw, err := exchange(server.address, fixed(server.address, checkTokens)(0))
	if err != nil {
		return err
	}
	bare, err := b.bare(ctx, raw, "bare")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, bare.stop()) }()
	rounds, err := b.versus(ctx, "Check/store=sqlite", server, bare)
	if err != nil {
		return err
	}
	b.atLeast("token check on SQLite, throughput beside a bare handler", ratios(rounds, sample.rate, 0, 1), leastShare)
	b.note("  requests a second", spread(figures(rounds, sample.rate, 0), "%.0f"))
	b.note("  bare handler's", spread(figures(rounds, sample.rate, 1), "%.0f"))
	b.note("  server's processor time for a check, µs", spread(figures(rounds, sample.cost, 0), "%.1f"))
	b.note("  bare handler's, µs", spread(figures(rounds, sample.cost, 1), "%.1f"))
	return nil
}

// versus lets authcompat and a bare handler take turns under the same client.
func (b *bench) versus(ctx context.Context, subject string, server, bare *process) ([][]sample, error) {
	sides := []side{{name: "server=authcompat", server: server}, {name: "server=bare", server: bare}}
	for i := range sides {
		address := sides[i].server.address
		c, err := connect(address, b.connections, fixed(address, checkTokens))
		if err != nil {
			return nil, err
		}
		sides[i].client = c
	}
	return b.compare(ctx, subject, b.turn(), sides...)
}
