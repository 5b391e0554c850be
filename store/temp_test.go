package store_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/store"
)

// TestTemps opens stores that begin as copies of one: each is empty, its own and private, and nothing is left of
// any.
func TestTemps(t *testing.T) {
	folder := t.TempDir()
	temps := store.NewTemps("sqlite:" + filepath.Join(folder, "untouched.db"))
	var cleanups []func() error
	for i := range 3 {
		s, cleanup, err := temps.Open(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		cleanups = append(cleanups, cleanup)
		u, err := s.CreateUser(t.Context(), core.NewUser{Username: "ann", CreatedAt: time.Now()}, nil, nil)
		if err != nil || u.ID != 1 {
			t.Errorf("store %d: user %d, %v", i, u.ID, err)
		}
	}
	files, err := filepath.Glob(filepath.Join(folder, "*", "temp.db"))
	if err != nil || len(files) != 3 {
		t.Fatalf("files %q, %v", files, err)
	}
	for _, file := range files {
		if info, err := os.Stat(file); err != nil || info.Mode() != 0o600 {
			t.Errorf("%s: %v, %v", file, info.Mode(), err)
		}
	}
	for _, cleanup := range cleanups {
		if err := cleanup(); err != nil {
			t.Error(err)
		}
	}
	if left, err := os.ReadDir(folder); err != nil || len(left) > 0 {
		t.Errorf("left: %v, %v", left, err)
	}
}

// TestTempsRefuse opens none where a DSN says nothing, or a folder that is not there.
func TestTempsRefuse(t *testing.T) {
	for _, dsn := range []string{"users.db", "sqlite:" + filepath.Join(t.TempDir(), "missing", "users.db")} {
		temps := store.NewTemps(dsn)
		for range 2 {
			if s, cleanup, err := temps.Open(t.Context()); err == nil || s.Store != nil || cleanup != nil {
				t.Errorf("%s: opened %v, error %v", dsn, s, err)
			}
		}
	}
}
