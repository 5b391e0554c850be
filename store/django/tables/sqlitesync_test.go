package tables

import (
	"database/sql"
	"path/filepath"
	"testing"
)

// TestWritersSyncTheFolder has those who write to a SQLite file, for live use and for an export, sync the folder after each commit:
// with Django's journal, that file has to be gone on disk, or a power cut undoes what was acknowledged.
func TestWritersSyncTheFolder(t *testing.T) {
	path := filepath.Join(t.TempDir(), "django.sqlite3")
	made, err := sql.Open("sqlite", path)
	if err == nil {
		_, err = made.ExecContext(t.Context(), `CREATE TABLE made (n integer)`)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer made.Close()
	for _, dialect := range []sqliteFile{{}, {retried: true}} {
		db, err := dialect.open(path, false)
		if err != nil {
			t.Fatal(err)
		}
		const extra = 3
		var level int
		if err := db.QueryRowContext(t.Context(), `PRAGMA synchronous`).Scan(&level); err != nil || level != extra {
			t.Errorf("%+v: synchronous is %d, %v", dialect, level, err)
		}
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}
}
