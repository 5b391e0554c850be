package main

import (
	"context"
	"fmt"
	"os"
	"regexp"
	"strconv"
)

// mostAllocations is how many allocations a check may have above a bare
// handler.
const mostAllocations = 25

// allocations runs the benchmark that counts a check's allocations.
func allocations(ctx context.Context, b *bench) error {
	out, err := output(ctx, "go", "test", "-run", "^$", "-bench", "^BenchmarkCheck$", "-benchmem", module+"/cmd/authcompat/internal/server")
	if err != nil {
		return err
	}
	counts := make(map[string]int)
	for _, m := range regexp.MustCompile(`(?m)^BenchmarkCheck/(\w+)\S*\s.*?(\d+) allocs/op$`).FindAllStringSubmatch(out, -1) {
		fmt.Fprintln(os.Stdout, m[0])
		if counts[m[1]], err = strconv.Atoi(m[2]); err != nil {
			return err
		}
	}
	if len(counts) != 2 {
		return fmt.Errorf("go test says: %s", out)
	}
	above := counts["check"] - counts["bare"]
	b.require("allocations of a check above a bare handler's", strconv.Itoa(above), fmt.Sprintf("at most %d", mostAllocations), above <= mostAllocations)
	return nil
}
