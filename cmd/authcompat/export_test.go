package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestKilledExport kills exports to a new file: there is no part of a dump under its name.
func TestKilledExport(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	source, dsn := filepath.Join(folder, "source.json"), database(t)
	var users []string
	for n := range 5000 {
		users = append(users, fmt.Sprintf(`{"model": "auth.user", "pk": %d, "fields": {"username": "user%[1]d", "password": "!", "last_login": null, "email": "", "is_active": true, "date_joined": "2026-01-02T03:04:05Z"}}`, n+1))
	}
	if err := os.WriteFile(source, []byte("["+strings.Join(users, ",\n")+"]"), 0o600); err != nil {
		t.Fatal(err)
	}
	command(t, "", "import", "django", source, "--store", dsn)
	for n := range 5 {
		target := filepath.Join(t.TempDir(), "users.json")
		cmd := programCommand(t, "export", "django", target, "--store", dsn)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		// It has begun to write when there is a file, under whatever name.
		eventually(t, "a file", func() bool { return len(filesLike(t, target+"*")) > 0 })
		_ = cmd.Process.Kill() // or it is done
		_ = cmd.Wait()
		text, err := os.ReadFile(target)
		if !errors.Is(err, fs.ErrNotExist) && (err != nil || !json.Valid(text)) {
			t.Errorf("export %d: %v, %d bytes that are no dump", n, err, len(text))
		}
	}
}
