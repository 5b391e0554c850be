package sqlite_test

import (
	"path/filepath"
	"testing"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/store/sqlite/sqlitetest"
	"github.com/authcompat/authcompat/store/storetest/transfertest"
)

func TestTransfer(t *testing.T) {
	transfertest.Run(t, func(tb testing.TB) (a, b core.Store) {
		path := filepath.Join(tb.TempDir(), "authcompat.db")
		return sqlitetest.MustOpenFile(tb, path), sqlitetest.MustOpenFile(tb, path)
	})
}
