package plainjson

import (
	"testing"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/dialects/internal/kindtest"
	"github.com/authcompat/authcompat/profiles"
)

func TestFailures(t *testing.T) {
	table := func(_ *profiles.Profile) map[core.Kind]failure { return failures() }
	kindtest.Run(t, "authtokens", table, func(f failure) []string {
		if f.login == "" {
			return []string{f.message}
		}
		return []string{f.message, f.login}
	})
}
