package main

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/authcompat/authcompat/core/testenv"
)

func TestFullDisk(t *testing.T) {
	disk := t.TempDir()
	if err := syscall.Mount("none", disk, "tmpfs", 0, "size=2m"); err != nil {
		testenv.Missing(t, "needs the right to mount a small tmpfs: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(disk, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	f := newFaulty(t, start(t, append(bothAt, "--store", "sqlite:"+filepath.Join(disk, "auth.db"))...))
	fill, err := os.Create(filepath.Join(disk, "filler"))
	if err != nil {
		t.Fatal(err)
	}
	for block := make([]byte, 4096); err == nil; {
		_, err = fill.Write(block)
	}
	// Writes that fit into the space already allocated to the log still succeed.
	acknowledged := 0
	for ; acknowledged < 1000; acknowledged++ {
		if a := f.register(t, fmt.Sprint("user-", acknowledged)); a.status != 200 {
			break
		}
	}
	f.refusesWrites(t)
	if err := fill.Truncate(0); err != nil {
		t.Fatal(err)
	}
	if err := fill.Close(); err != nil {
		t.Fatal(err)
	}
	if a := f.register(t, "after"); a.status != 200 {
		t.Errorf("with space again: %d %s", a.status, a.body)
	}
	for i := range acknowledged {
		if a := f.register(t, fmt.Sprint("user-", i)); a.status != 400 {
			t.Errorf("user-%d, who was acknowledged: %d %s", i, a.status, a.body)
		}
	}
	f.want(t, 204, "POST", f.urls["ocd-users"]+"/api/logout/", f.token, "")
	f.want(t, 401, "GET", f.urls["snippit"]+"/api/account/alice/", f.token, "")
}
