package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"runtime"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	ok, err := run(ctx, os.Stdout, os.Args[1:])
	if err != nil {
		fmt.Fprintln(os.Stderr, "mutants:", err)
	}
	if err != nil || !ok {
		stop()
		os.Exit(1)
	}
}

// run plants bugs as the arguments say, and reports whether all were caught.
func run(ctx context.Context, w io.Writer, args []string) (ok bool, err error) {
	flags := flag.NewFlagSet("mutants", flag.ExitOnError)
	only := flags.String("only", "", "plant the bugs whose name matches this `pattern`; with -draw, try those of the drawn")
	jobs := flags.Int("j", max(1, runtime.NumCPU()/2), "`number` of test runs at a time")
	timeout := flags.Duration("timeout", 4*time.Minute, "for the tests of one package: who hangs is not caught")
	drawn := flags.Int("draw", 0, "draw that `number` of mutations instead of planting bugs; some do not compile")
	seed := flags.Uint64("seed", 0, "of the draw; 0: take one from the clock")
	skip := flags.Int("skip", 0, "leave out the first `number` of the draw, to go on with a run that was cut off")
	list := flags.Bool("list", false, "list, and run nothing")
	if err := flags.Parse(args); err != nil {
		return false, err
	}
	switch {
	case *drawn < 0 || *skip < 0 || *jobs < 1:
		return false, errors.New("-draw and -skip take a number of mutations, -j one of test runs")
	case *drawn == 0 && flags.NArg() > 0:
		return false, fmt.Errorf("%s: packages are for -draw; -only PATTERN plants some of the bugs", flags.Arg(0))
	}
	pattern, err := regexp.Compile(*only)
	if err != nil {
		return false, err
	}
	module, err := moduleFolder(ctx)
	if err != nil {
		return false, err
	}
	dir, err := os.MkdirTemp("", "mutants")
	if err != nil {
		return false, err
	}
	defer os.RemoveAll(dir)
	s := session{runner: runner{module: module, timeout: *timeout}, w: w, dir: dir, jobs: *jobs, list: *list}
	if *drawn == 0 {
		return s.planted(ctx, pattern)
	}
	if *seed == 0 {
		*seed = uint64(time.Now().UnixNano())
	}
	packages := flags.Args()
	if len(packages) == 0 {
		packages = defaultPackages
	}
	return s.drawn(ctx, draw{number: *drawn, skip: *skip, seed: *seed, packages: packages, only: pattern})
}

// moduleFolder returns the folder of the module that the working directory is in.
func moduleFolder(ctx context.Context) (string, error) {
	out, err := exec.CommandContext(ctx, "go", "env", "GOMOD").Output()
	if err != nil {
		return "", fmt.Errorf("go env GOMOD: %w", err)
	}
	return filepath.Dir(string(bytes.TrimSpace(out))), nil
}
