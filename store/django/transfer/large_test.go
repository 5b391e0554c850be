package transfer_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"strings"
	"testing"
	"time"

	coretransfer "github.com/authcompat/authcompat/core/transfer"
	"github.com/authcompat/authcompat/store/django/tables"
	"github.com/authcompat/authcompat/store/django/transfer"
)

// measured is a target that notes how large the largest batch of users was.
type measured struct {
	transfer.Target
	rows, bytes int
}

func (m *measured) ImportUsers(ctx context.Context, c coretransfer.Checkpoint, users []coretransfer.ImportedUser) ([]coretransfer.ImportResult, error) {
	size := 0
	for _, u := range users {
		for _, value := range u.Attributes {
			size += len(value)
		}
	}
	m.rows, m.bytes = max(m.rows, len(users)), max(m.bytes, size)
	return m.Target.ImportUsers(ctx, c, users)
}

// TestLargeRows checks that batches are limited in bytes too: a user base with pictures in
// its rows does not have to fit into memory.
func TestLargeRows(t *testing.T) {
	const users, size, most = 50, 1 << 20, 18 << 20
	statements := []string{`CREATE TABLE auth_user (id integer PRIMARY KEY, ` + columns + `, first_name text NOT NULL)`, fmt.Sprintf(authtoken, "auth_user (id)")}
	for n := range users {
		statements = append(statements, fmt.Sprintf(`INSERT INTO auth_user VALUES (%d, %s, '%s')`, n+1, user(fmt.Sprintf("user%d", n)), strings.Repeat("p", size)))
	}
	path := mustSQL(t, statements...)
	from, err := tables.Open(t.Context(), tables.Mapping{}, path)
	if err != nil {
		t.Fatal(err)
	}
	defer from.Close()
	h := mustHouse(t)
	to := &measured{Target: h.store}
	report, err := transfer.Import(t.Context(), from, to, transfer.Options{Policy: policy, Sealer: h.sealer, Random: rand.Reader, Zone: time.UTC, Clock: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	if report.Users.Added != users {
		t.Errorf("%d users were added, want %d", report.Users.Added, users)
	}
	if to.bytes > most || to.bytes < size {
		t.Errorf("a batch had %d bytes in %d rows, want at most %d", to.bytes, to.rows, most)
	}
	if last, err := h.service.User(t.Context(), fmt.Sprintf("user%d", users-1)); err != nil || len(last.Attributes["first_name"]) != size {
		t.Errorf("the last user: %v, first name of %d bytes", err, len(last.Attributes["first_name"]))
	}
}
