//go:build linux

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// scenario is one subject of measurement.
type scenario struct {
	name string
	run  func(context.Context, *bench) error
}

// scenarios are run in this order.
func scenarios() []scenario {
	return []scenario{
		{"check", checks}, {"login", logins}, {"size", sizes}, {"resources", resources},
		{"allocs", allocations}, {"genuine", genuine}, {"revocation", revocations},
		{"moving", movings}, {"exchanges", exchanges},
	}
}

// bench is what all scenarios share.
type bench struct {
	report
	rounds      int
	quick       bool
	connections int
	folder      string // of databases, which are kept for the next run if -dir names it
	binary      string // authcompat
	beside      string // another one; empty: none
	self        string // this program
}

func main() {
	if len(os.Args) > 1 {
		if role, ok := roles()[os.Args[1]]; ok {
			fail(role(os.Args[2:]))
			return
		}
	}
	fail(run())
}

// fail ends the program with an error, if there is one.
func fail(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run() (err error) {
	b := &bench{}
	names := flag.String("scenario", "", "scenarios to run, with commas: check, login, size, resources, allocs, genuine, revocation, moving, exchanges (default all)")
	flag.IntVar(&b.rounds, "rounds", 5, "rounds of each comparison")
	flag.BoolVar(&b.quick, "quick", false, "shorter turns, fewer tokens, logouts and imported rows")
	flag.IntVar(&b.connections, "connections", 32, "connections of the client")
	flag.StringVar(&b.folder, "dir", "", "folder for the databases; those that are there are used again (default a temporary one)")
	flag.StringVar(&b.binary, "authcompat", "", "the program to measure (default: built from the source)")
	flag.StringVar(&b.beside, "beside", "", "another authcompat, as of an earlier commit, whose exchanges are timed in turns with the program's")
	flag.Parse()
	if flag.NArg() > 0 || b.rounds < 1 || b.connections < 1 || b.connections > maxConnections {
		return fmt.Errorf("no arguments, at least one round, and 1 to %d connections; see -help", maxConnections)
	}
	chosen, err := choose(*names)
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if b.self, err = os.Executable(); err != nil {
		return err
	}
	if err := registerDigest(); err != nil {
		return err
	}
	if b.folder == "" {
		if b.folder, err = os.MkdirTemp("", "authcompat-bench-"); err != nil {
			return err
		}
		defer os.RemoveAll(b.folder)
	} else if err := os.MkdirAll(b.folder, 0o700); err != nil {
		return err
	}
	if b.binary == "" {
		if b.binary, err = build(ctx, b.folder); err != nil {
			return err
		}
	}
	fmt.Printf("goos: %s\ngoarch: %s\npkg: %s\ncores: %d\n", runtime.GOOS, runtime.GOARCH, module, runtime.NumCPU())
	var errs []error
	for _, s := range chosen {
		began := time.Now()
		if err := s.run(ctx, b); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", s.name, err))
		}
		fmt.Printf("# %s took %v\n", s.name, time.Since(began).Round(time.Second))
	}
	return errors.Join(append(errs, b.print(os.Stdout))...)
}

// choose finds scenarios by name; none is all.
func choose(names string) (chosen []scenario, err error) {
	if names == "" {
		return scenarios(), nil
	}
	for name := range strings.SplitSeq(names, ",") {
		n := len(chosen)
		for _, s := range scenarios() {
			if s.name == name {
				chosen = append(chosen, s)
			}
		}
		if len(chosen) == n {
			return nil, fmt.Errorf("there is no scenario %q", name)
		}
	}
	return chosen, nil
}

// roles are what this program does when it starts itself.
func roles() map[string]func([]string) error {
	return map[string]func([]string) error{
		"bare": bareRole, "bare-lookup": lookupRole, "hash": hashRole, "import": importRole, "copy": copyRole,
	}
}
