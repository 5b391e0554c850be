//go:build linux

package main

import (
	"context"
	"fmt"
	"time"

	"github.com/authcompat/authcompat/cmd/bench/process"
)

// side is one of those that are compared.
type side struct {
	name   string
	server *process.Server
	client *client
}

// sample is what a side did in one round.
type sample struct {
	tally
	cpu time.Duration // of the server
}

// rate is requests a second.
func (s sample) rate() float64 { return float64(s.done) / s.elapsed.Seconds() }

// cost is the server's processor time for a request, in microseconds.
func (s sample) cost() float64 { return float64(s.cpu.Microseconds()) / float64(s.done) }

// turns is how often each side has its turn in a round.
const turns = 10

// turn is how long one turn is.
func (b *bench) turn() time.Duration {
	if b.quick {
		return 50 * time.Millisecond
	}
	return 300 * time.Millisecond
}

// compare lets the sides take turns and gives their samples by round and side.
// No request may fail.
func (b *bench) compare(ctx context.Context, subject string, turn time.Duration, sides ...side) ([][]sample, error) {
	defer func() {
		for _, s := range sides {
			s.client.close()
		}
	}()
	for _, s := range sides { // connections are opened, caches filled
		if _, err := s.client.run(ctx, turn); err != nil {
			return nil, fmt.Errorf("%s: %w", s.name, err)
		}
	}
	rounds := make([][]sample, b.rounds)
	for i := range rounds {
		samples, err := b.round(ctx, turn, sides)
		if err != nil {
			return nil, err
		}
		for j, s := range samples {
			if s.failed > 0 || s.done == 0 {
				return nil, fmt.Errorf("%s: %d of %d requests failed", sides[j].name, s.failed, s.failed+s.done)
			}
			line(subject+"/"+sides[j].name, int(s.done), unit{1e9 / s.rate(), "ns/op"}, unit{s.rate(), "req/s"}, unit{s.cost(), "cpu-us/op"})
		}
		rounds[i] = samples
	}
	return rounds, nil
}

// round gives each side its turns, in an order that changes, so that none always
// comes after the same other.
func (b *bench) round(ctx context.Context, turn time.Duration, sides []side) ([]sample, error) {
	samples := make([]sample, len(sides))
	for i, s := range sides {
		spent, err := s.server.CPU()
		if err != nil {
			return nil, err
		}
		samples[i].cpu = -spent
	}
	for i := range turns {
		for j := range sides {
			k := j
			if i%2 == 1 {
				k = len(sides) - 1 - j
			}
			t, err := sides[k].client.run(ctx, turn)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", sides[k].name, err)
			}
			samples[k].done += t.done
			samples[k].failed += t.failed
			samples[k].elapsed += t.elapsed
		}
	}
	for i, s := range sides {
		spent, err := s.server.CPU()
		if err != nil {
			return nil, err
		}
		samples[i].cpu += spent
	}
	return samples, nil
}

// ratios gives, by round, what a figure of one side is divided by that of
// another.
func ratios(rounds [][]sample, figure func(sample) float64, one, other int) []float64 {
	all := make([]float64, len(rounds))
	for i, samples := range rounds {
		all[i] = figure(samples[one]) / figure(samples[other])
	}
	return all
}

// figures gives a figure of one side by round.
func figures(rounds [][]sample, figure func(sample) float64, one int) []float64 {
	all := make([]float64, len(rounds))
	for i, samples := range rounds {
		all[i] = figure(samples[one])
	}
	return all
}
