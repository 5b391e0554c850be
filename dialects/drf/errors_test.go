package drf

import (
	"testing"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/dialects/internal/kindtest"
	"github.com/authcompat/authcompat/profiles"
)

func TestFailures(t *testing.T) {
	table := func(p *profiles.Profile) map[core.Kind]failure { return failures(p.Rules) }
	kindtest.Run(t, "ocd-users", table, func(f failure) []string {
		if f.login == nil {
			return []string{f.message}
		}
		return []string{f.message, f.login.message}
	})
}
