package transfer_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	coretransfer "github.com/authcompat/authcompat/core/transfer"
	"github.com/authcompat/authcompat/store/django/tables"
	"github.com/authcompat/authcompat/store/django/transfer"
)

// interruptedTarget is interrupted while it writes a batch of users, after some.
type interruptedTarget struct {
	transfer.Target
	after     int // batches
	interrupt func()
}

func (s *interruptedTarget) ImportUsers(ctx context.Context, place coretransfer.Checkpoint, users []coretransfer.ImportedUser) ([]coretransfer.ImportResult, error) {
	if s.after--; s.after < 0 {
		s.interrupt()
		return nil, errors.New("sql: statement is closed")
	}
	return s.Target.ImportUsers(ctx, place, users)
}

// overtakenTarget is one that another import writes into, after a batch of users.
type overtakenTarget struct {
	transfer.Target
	batches int
	other   func()
}

func (s *overtakenTarget) ImportUsers(ctx context.Context, place coretransfer.Checkpoint, users []coretransfer.ImportedUser) ([]coretransfer.ImportResult, error) {
	if s.batches++; s.batches == 2 {
		s.other()
	}
	return s.Target.ImportUsers(ctx, place, users)
}

// TestInterruptedImport checks what is said of an import that was interrupted: that it was,
// and how many users the next run does not read again.
func TestInterruptedImport(t *testing.T) {
	const left = 10
	one := strings.Replace(user("ann"), "'ann'", "'u' || i", 1)
	path := mustSQL(t, `CREATE TABLE auth_user (id integer PRIMARY KEY, `+columns+`)`,
		fmt.Sprintf(`INSERT INTO auth_user WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d)
			SELECT i, %s FROM n`, coretransfer.MaxImport+left, one))
	for _, test := range []struct{ after, resumable, again int }{
		{0, 0, coretransfer.MaxImport + left},
		{1, coretransfer.MaxImport, left},
	} {
		h := mustHouse(t)
		from, err := tables.Open(t.Context(), tables.Mapping{}, path)
		if err != nil {
			t.Fatal(err)
		}
		defer from.Close()
		o := transfer.Options{Policy: policy, Sealer: h.sealer, Random: fixed{}, Zone: utc, Clock: time.Now}
		ctx, interrupt := context.WithCancel(t.Context())
		report, err := transfer.Import(ctx, from, &interruptedTarget{h.store, test.after, interrupt}, o)
		if !errors.Is(err, context.Canceled) || strings.Contains(err.Error(), "sql") || report.Resumable != test.resumable {
			t.Errorf("after %d batches: %v; goes on after %d users, want %d", test.after, err, report.Resumable, test.resumable)
		}
		report, err = transfer.Import(t.Context(), from, h.store, o)
		if err != nil || report.Users.Read != test.again {
			t.Errorf("the next run: %d users read, %v; want %d", report.Users.Read, err, test.again)
		}
	}
}

// TestOvertakenImport has an import of recent users and tokens run while one of all is under way: that goes no further, and does
// not say that it would go on where it was.
func TestOvertakenImport(t *testing.T) {
	one := strings.Replace(user("ann"), "'ann'", "'u' || i", 1)
	path := mustSQL(t, `CREATE TABLE auth_user (id integer PRIMARY KEY, `+columns+`)`,
		fmt.Sprintf(`INSERT INTO auth_user WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d)
			SELECT i, %s FROM n`, coretransfer.MaxImport+1, one))
	h := mustHouse(t)
	from, err := tables.Open(t.Context(), tables.Mapping{}, path)
	if err != nil {
		t.Fatal(err)
	}
	defer from.Close()
	o := transfer.Options{Policy: policy, Sealer: h.sealer, Random: fixed{}, Zone: utc, Clock: time.Now}
	recent := o
	recent.Since = time.Now()
	report, err := transfer.Import(t.Context(), from, &overtakenTarget{h.store, 0, func() {
		if _, err := transfer.Import(t.Context(), from, h.store, recent); err != nil {
			t.Error(err)
		}
	}}, o)
	if !errors.Is(err, coretransfer.ErrOvertaken) || report.Resumable != 0 {
		t.Errorf("%v; goes on after %d users", err, report.Resumable)
	}
	report, err = transfer.Import(t.Context(), from, h.store, o)
	if err != nil || report.Users.Read != coretransfer.MaxImport+1 {
		t.Errorf("the next run: %d users read, %v", report.Users.Read, err)
	}
}
