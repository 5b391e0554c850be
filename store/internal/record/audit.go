package record

import (
	"strings"

	"github.com/authcompat/authcompat/core"
)

// AuditSubject returns the condition on the columns username and unknown that selects the
// entries about whom f names, with ? for each argument; empty if f names nobody.
func AuditSubject(f core.AuditFilter) (condition string, args []any) {
	var either []string
	if f.Username != "" {
		// SQLite uses an index WHERE username <> '' for a condition that has just that.
		either, args = append(either, "username <> '' AND username = ?"), append(args, f.Username)
	}
	if n := len(f.UsernamePseudonyms); n > 0 {
		either = append(either, "unknown IN (?"+strings.Repeat(", ?", n-1)+")")
		for _, p := range f.UsernamePseudonyms {
			args = append(args, p)
		}
	}
	if len(either) == 0 {
		return "", nil
	}
	return "(" + strings.Join(either, " OR ") + ")", args
}
