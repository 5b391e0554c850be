package record

import (
	"database/sql"
	"fmt"
	"strings"

	"github.com/authcompat/authcompat/core"
)

// AuditWhere returns the condition on the columns of an audit record that selects the entries f wants, with ? for each
// argument. at is the column of their times, in microseconds.
func AuditWhere(f core.AuditFilter, at string) (condition string, args []any) {
	var conditions []string
	where := func(wanted bool, condition string, values ...any) {
		if wanted {
			conditions, args = append(conditions, condition), append(args, values...)
		}
	}
	subject, values := auditSubject(f)
	where(subject != "", subject, values...)
	where(f.Action != "", "act = ?", string(f.Action))
	where(f.Failed, "outcome <> ?", core.OK)
	where(!f.Since.IsZero(), at+" >= ?", f.Since.UnixMicro())
	where(!f.Until.IsZero(), at+" < ?", f.Until.UnixMicro())
	where(f.Before != 0, "id < ?", f.Before)
	if len(conditions) == 0 {
		return "1 = 1", nil
	}
	return strings.Join(conditions, " AND "), args
}

// auditSubject returns the condition on the columns username and unknown that selects the
// entries about whom f names; empty if f names nobody.
func auditSubject(f core.AuditFilter) (condition string, args []any) {
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

// AuditEntries reads entries, whose columns are the fields of [core.AuditEntry] in their order, and closes rows.
func AuditEntries(rows *sql.Rows, err error) (entries []core.AuditEntry, _ error) {
	if err != nil {
		return nil, fmt.Errorf("select audit: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var e core.AuditEntry
		var at int64
		if err := rows.Scan(&e.ID, &at, &e.Action, &e.Outcome, &e.UserID, &e.Username, &e.UsernamePseudonym, &e.Profile,
			&e.Actor, &e.Address, &e.Request, &e.Token, &e.Detail); err != nil {
			return nil, fmt.Errorf("select audit: %w", err)
		}
		e.At = Time(at)
		entries = append(entries, e)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("select audit: %w", err)
	}
	return entries, nil
}
