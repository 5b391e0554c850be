//go:build unix

package keyring

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/authcompat/authcompat/core/testenv"
	"github.com/authcompat/authcompat/store/sqlite/sqlitetest"
)

// TestKeysThatRootMakes makes the keys of another user's database as root: its server has to
// read them.
func TestKeysThatRootMakes(t *testing.T) {
	if os.Geteuid() != 0 {
		testenv.Missing(t, "for root only")
	}
	path := filepath.Join(t.TempDir(), "users.db")
	store := sqlitetest.MustOpenFile(t, path)
	const owner, group = 12345, 23456
	if err := os.Chown(path, owner, group); err != nil {
		t.Fatal(err)
	}
	if _, err := (Location{DSN: "sqlite:" + path}).LoadOrCreate(t.Context(), store); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path + ".key")
	if err != nil {
		t.Fatal(err)
	}
	if got := info.Sys().(*syscall.Stat_t); got.Uid != owner || got.Gid != group || info.Mode().Perm() != 0o600 {
		t.Errorf("the keys belong to %d:%d, mode %o", got.Uid, got.Gid, info.Mode().Perm())
	}
}
