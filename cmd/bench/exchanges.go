//go:build linux

package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"time"
)

// replayed is what a run of all built-in exchanges took.
type replayed struct {
	exchanges    int
	elapsed, cpu time.Duration
}

// time is that of one exchange, in milliseconds.
func (r replayed) time() float64 { return 1000 * r.elapsed.Seconds() / float64(r.exchanges) }

// cost is the processor time of one exchange, in milliseconds.
func (r replayed) cost() float64 { return 1000 * r.cpu.Seconds() / float64(r.exchanges) }

// exchanges measures what an exchange of `conformance run` costs, each at a server and a store of its own: of the
// program, and in turns of another one, such as that of an earlier commit, if there is one.
func exchanges(ctx context.Context, b *bench) error {
	programs := []string{b.binary}
	if b.beside != "" {
		programs = append(programs, b.beside)
	}
	for _, program := range programs { // into the kernel's memory
		if _, err := replay(ctx, program); err != nil {
			return err
		}
	}
	names := []string{"this", "beside"}
	runs := make([][]replayed, len(programs))
	for range b.rounds {
		for i, program := range programs {
			r, err := replay(ctx, program)
			if err != nil {
				return err
			}
			line("Exchange/program="+names[i], r.exchanges, unit{r.time() * 1e6, "ns/op"}, unit{r.cost() * 1000, "cpu-us/op"})
			runs[i] = append(runs[i], r)
		}
	}
	each := func(program int, figure func(replayed) float64) []float64 {
		all := make([]float64, b.rounds)
		for i, r := range runs[program] {
			all[i] = figure(r)
		}
		return all
	}
	for i, whose := range []string{"", " of the other program"}[:len(programs)] {
		b.note(fmt.Sprintf("conformance run: exchange%s, of %d, ms", whose, runs[i][0].exchanges), spread(each(i, replayed.time), "%.1f"))
		b.note("  processor time, ms", spread(each(i, replayed.cost), "%.1f"))
	}
	if b.beside == "" {
		return nil
	}
	beside := func(figure func(replayed) float64) string {
		ratio := each(0, figure)
		for i, other := range each(1, figure) {
			ratio[i] /= other
		}
		return spread(ratio, "%.3f")
	}
	b.note("time of an exchange beside the other program's", beside(replayed.time))
	b.note("  processor time", beside(replayed.cost))
	return nil
}

// replay runs all built-in exchanges, all of which must pass.
func replay(ctx context.Context, program string) (r replayed, err error) {
	command := exec.CommandContext(ctx, program, "conformance", "run", "--profile", "all")
	command.Stderr = os.Stderr
	began := time.Now()
	out, err := command.Output()
	if err != nil {
		return r, fmt.Errorf("conformance run: %w: %.500s", err, bytes.TrimSpace(out))
	}
	r.elapsed = time.Since(began)
	r.cpu = command.ProcessState.UserTime() + command.ProcessState.SystemTime()
	last := out[bytes.LastIndexByte(bytes.TrimSpace(out), '\n')+1:]
	if _, err := fmt.Sscanf(string(last), "all: %d passed", &r.exchanges); err != nil || r.exchanges == 0 {
		return r, fmt.Errorf("conformance run ends with %q", last)
	}
	return r, nil
}
