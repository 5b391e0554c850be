//go:build linux

package main

import (
	"context"
	"errors"

	"github.com/authcompat/authcompat/cmd/bench/process"
)

// checkTokens is how many tokens the store of a plain check has.
const checkTokens = 10_000

// leastShare is how large the bare handler's processor time must be beside that of a check. The bound is not on the
// throughput: that has the client's and the network's costs in it, and what else the machine does.
const leastShare = 0.90

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
	defer func() { err = errors.Join(err, server.Stop()) }()
	raw, err := exchange(server.Address, fixed(server.Address, checkTokens)(0))
	if err != nil {
		return err
	}
	bare, err := b.bare(ctx, raw, "bare")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, bare.Stop()) }()
	others := []side{{name: "server=bare", server: bare}}
	limit, err := b.nginx(ctx, raw)
	switch {
	case err == nil:
		defer func() { err = errors.Join(err, limit.Stop()) }()
		others = append(others, side{name: "server=nginx", server: limit})
	case !errors.Is(err, errNoNginx):
		return err
	}
	rounds, err := b.versus(ctx, "Check/store=sqlite", server, others...)
	if err != nil {
		return err
	}
	b.besideBare("token check on SQLite", "a bare handler", rounds)
	if limit == nil {
		b.note("  nginx's", "not measured: it is not installed")
		return nil
	}
	b.note("  requests a second of nginx, which gives the same reply", spread(figures(rounds, sample.rate, 2), "%.0f"))
	b.note("  nginx's processor time, µs", spread(figures(rounds, sample.cost, 2), "%.1f"))
	return nil
}

// besideBare adds the figures of authcompat, the first side, and a bare handler, the second.
func (b *bench) besideBare(what, bare string, rounds [][]sample) {
	b.atLeast(what+", processor time of "+bare+" beside it", ratios(rounds, sample.cost, 1, 0), leastShare)
	b.note("  server's processor time for a check, µs", spread(figures(rounds, sample.cost, 0), "%.1f"))
	b.note("  bare handler's, µs", spread(figures(rounds, sample.cost, 1), "%.1f"))
	b.note("  throughput beside it", spread(ratios(rounds, sample.rate, 0, 1), "%.3f"))
	b.note("  requests a second", spread(figures(rounds, sample.rate, 0), "%.0f"))
	b.note("  bare handler's", spread(figures(rounds, sample.rate, 1), "%.0f"))
}

// versus lets authcompat and others take turns under the same client.
func (b *bench) versus(ctx context.Context, subject string, server *process.Server, others ...side) ([][]sample, error) {
	sides := append([]side{{name: "server=authcompat", server: server}}, others...)
	for i := range sides {
		address := sides[i].server.Address
		c, err := connect(address, b.connections, fixed(address, checkTokens))
		if err != nil {
			return nil, err
		}
		sides[i].client = c
	}
	return b.compare(ctx, subject, b.turn(), sides...)
}
