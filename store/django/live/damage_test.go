package live_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/store/django/djangotest"
	"github.com/authcompat/authcompat/store/internal/dbfile"
)

// TestDamagedWhileOpen damages the second half of a database that is open: calls that come
// upon it fail as unavailable, and so does Ping from then on.
func TestDamagedWhileOpen(t *testing.T) {
	d := databases(djangotest.UsersDDL, djangotest.KnoxDDL)["sqlite"](t)
	s := mustOpen(t, d.source)
	const users = 300
	for i := range users {
		if _, err := s.CreateUser(t.Context(), core.NewUser{Username: fmt.Sprint("user ", i), PasswordHash: strings.Repeat("x", 120), Email: strings.Repeat("x", 200)}, nil, nil); err != nil {
			t.Fatal(err)
		}
	}
	if err := d.exec(t, `PRAGMA wal_checkpoint(TRUNCATE)`); err != nil {
		t.Fatal(err)
	}
	if err := s.Ping(t.Context()); err != nil {
		t.Fatal(err)
	}
	other := mustOpen(t, d.source) // which has no pages in memory
	file, err := os.OpenFile(d.source, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err == nil {
		_, err = file.WriteAt(bytes.Repeat([]byte{0xee}, int(info.Size()/2)), info.Size()/2)
	}
	if err != nil {
		t.Fatal(err)
	}
	failed := 0
	for i := range users {
		if _, err := other.Account(t.Context(), fmt.Sprint("user ", i)); errors.Is(err, dbfile.ErrDamaged) && errors.Is(err, core.ErrUnavailable) {
			failed++
		} else if err != nil {
			t.Fatal(err)
		}
	}
	if failed == 0 {
		t.Fatal("nothing is damaged")
	}
	if err := other.Ping(t.Context()); !errors.Is(err, core.ErrUnavailable) || !errors.Is(err, dbfile.ErrDamaged) {
		t.Errorf("ping: %v", err)
	}
}
