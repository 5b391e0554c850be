package inprocess

import (
	"errors"
	"os"
	"testing"

	"github.com/authcompat/authcompat/profiles"
	"github.com/authcompat/authcompat/store"
)

// TestLauncherClose waits for the servers of a launcher, whose data is gone then, and starts none after that.
func TestLauncherClose(t *testing.T) {
	scratch := t.TempDir()
	t.Setenv("TMPDIR", scratch)
	p, err := profiles.Load("snippit")
	if err != nil {
		t.Fatal(err)
	}
	l := NewLauncher([]*profiles.Profile{p}, store.NewTemps(""))
	server, err := l.Launch(t.Context(), p.Name)
	if err != nil {
		t.Fatal(err)
	}
	left := make(chan []os.DirEntry)
	go func() {
		l.Close()
		entries, err := os.ReadDir(scratch)
		if err != nil {
			t.Error(err)
		}
		left <- entries
	}()
	for err == nil { // until it is closing
		another, refused := l.Launch(t.Context(), p.Name)
		if err = refused; err == nil {
			err = another.Close()
		}
	}
	if !errors.Is(err, errClosed) {
		t.Fatal(err)
	}
	select {
	case entries := <-left:
		t.Fatalf("it did not wait; left are %v", entries)
	default:
	}
	if err := server.Close(); err != nil {
		t.Error(err)
	}
	if entries := <-left; len(entries) > 0 {
		t.Errorf("left are %v", entries)
	}
}
