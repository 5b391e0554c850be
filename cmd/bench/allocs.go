//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"regexp"
	"strconv"

	"github.com/authcompat/authcompat/cmd/bench/process"
)

// mostAllocations is how many allocations a check may have above a bare
// handler.
const mostAllocations = 25

// allocations runs the benchmark that counts a check's allocations.
func allocations(ctx context.Context, b *bench) error {
	out, err := process.Output(ctx, "go", "test", "-run", "^$", "-bench", "^BenchmarkCheck$", "-benchmem", module+"/cmd/authcompat/internal/server")
	if err != nil {
		return err
	}
	fmt.Fprint(os.Stdout, out)
	above, err := allocationsAbove(out)
	if err != nil {
		return fmt.Errorf("%w; go test says: %s", err, out)
	}
	b.require("allocations of a check above a bare handler's", strconv.Itoa(above), fmt.Sprintf("at most %d", mostAllocations), above <= mostAllocations)
	return nil
}

// allocationsAbove reads in the output of BenchmarkCheck how many allocations the check has
// that has the most, above the bare handler.
func allocationsAbove(out string) (above int, err error) {
	bare, checks := -1, 0
	most := 0
	for _, m := range regexp.MustCompile(`(?m)^BenchmarkCheck/(\w+)\S*\s.*?(\d+) allocs/op$`).FindAllStringSubmatch(out, -1) {
		n, err := strconv.Atoi(m[2])
		if err != nil {
			return 0, err
		}
		if m[1] == "bare" {
			bare = n
			continue
		}
		checks, most = checks+1, max(most, n)
	}
	if bare < 0 || checks == 0 {
		return 0, errors.New("the benchmark of checks has no bare handler, or no check")
	}
	return most - bare, nil
}
