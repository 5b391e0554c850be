//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/authcompat/authcompat/cmd/bench/process"
)

// The bounds of a server at rest.
const (
	mostIdle     = 40                     // MB of resident memory
	mostStart    = 150 * time.Millisecond // from start to the first answer
	resourceName = "check.db"
)

// resources measures start-up, memory and the size of the binary.
func resources(ctx context.Context, b *bench) (err error) {
	info, err := os.Stat(b.binary)
	if err != nil {
		return err
	}
	b.note("size of the binary, MB", fmt.Sprintf("%.1f", float64(info.Size())/1e6))
	dsn, err := b.filled(ctx, resourceName, checkTokens, fifteenDays())
	if err != nil {
		return err
	}
	if err := b.startUp(ctx, dsn); err != nil {
		return err
	}
	server, err := b.serve(ctx, dsn, profile)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, server.Stop()) }()
	// What a start leaves behind is given back within seconds, or not at all.
	time.Sleep(2 * time.Second)
	idle, err := server.Memory("Rss")
	if err != nil {
		return err
	}
	line("Idle", 1, unit{idle * 1e6, "rss-B"})
	b.require("resident memory at rest, MB", fmt.Sprintf("%.1f", idle), fmt.Sprintf("at most %d", mostIdle), idle <= mostIdle)
	return b.loaded(ctx, server)
}

// startUp measures the time to the first answer, with as many starts as there are
// turns in a round.
func (b *bench) startUp(ctx context.Context, dsn string) error {
	var times []float64
	for range b.rounds * turns / 2 {
		took, err := b.firstAnswer(ctx, dsn)
		if err != nil {
			return err
		}
		line("Start", 1, unit{float64(took.Nanoseconds()), "ns/op"})
		times = append(times, float64(took.Microseconds())/1000)
	}
	b.require("start to first answer, ms", spread(times, "%.1f"), fmt.Sprintf("at most %d", mostStart.Milliseconds()),
		median(times) <= float64(mostStart.Milliseconds()))
	return nil
}

// firstAnswer starts a server and asks until it answers.
func (b *bench) firstAnswer(ctx context.Context, dsn string) (took time.Duration, err error) {
	address, err := process.FreeAddress()
	if err != nil {
		return 0, err
	}
	command := b.command("serve", "--store", dsn, "--profile", profile, "--listen", address)
	began := time.Now()
	server, err := process.Start(address, command)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, server.Stop()) }()
	if err := server.Listening(ctx); err != nil {
		return 0, err
	}
	if _, err := connect(address, 1, fixed(address, checkTokens)); err != nil {
		return 0, err
	}
	return time.Since(began), nil
}

// loaded measures the memory after a million checks.
func (b *bench) loaded(ctx context.Context, server *process.Server) error {
	c, err := connect(server.Address, b.connections, fixed(server.Address, checkTokens))
	if err != nil {
		return err
	}
	defer c.close()
	goal := int64(1_000_000)
	if b.quick {
		goal = 50_000
	}
	for done := int64(0); done < goal; {
		t, err := c.run(ctx, time.Second)
		if err != nil {
			return err
		}
		if t.failed > 0 {
			return fmt.Errorf("%d requests failed", t.failed)
		}
		done += t.done
	}
	after, err := server.Memory("Rss")
	if err != nil {
		return err
	}
	line("Loaded", 1, unit{after * 1e6, "rss-B"})
	b.note(fmt.Sprintf("resident memory after %d checks, MB", goal), fmt.Sprintf("%.1f", after))
	return nil
}
