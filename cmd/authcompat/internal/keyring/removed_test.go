package keyring

import (
	"errors"
	"io/fs"
	"os"
	"slices"
	"testing"
)

// TestPruneKeepsWhatItRemoves removes keys in several runs: all of them can be brought back,
// for a backup or for another database whose tokens need them.
func TestPruneKeepsWhatItRemoves(t *testing.T) {
	w := newWorld(t)
	var removed []string
	for range 3 {
		if _, err := w.rotate(t, Rotation{NewKey: true}); err != nil {
			t.Fatal(err)
		}
		ring, err := readKeys(t.Context(), w.file)
		if err != nil {
			t.Fatal(err)
		}
		removed = slices.Concat(ring.words[1:], removed)
		r, err := w.rotate(t, Rotation{Drop: true, Force: true})
		if err != nil || r.Dropped != 1 || r.Kept != w.file+".old" {
			t.Fatalf("%+v, %v", r, err)
		}
	}
	ring, err := readKeys(t.Context(), w.file+".old")
	if err != nil || !slices.Equal(ring.words, removed) {
		t.Errorf("%d keys are kept, %v; want the %d that were removed", len(ring.words), err, len(removed))
	}
	if got := mode(t, w.file+".old"); got != 0o600 {
		t.Errorf("mode %o, want 600", got)
	}
	r, err := w.rotate(t, Rotation{Drop: true, Force: true})
	if err != nil || r.Dropped != 0 || r.Kept != "" {
		t.Errorf("when there is nothing to remove: %+v, %v", r, err)
	}
}

// TestPruneLeavesOtherFiles checks that a file of another kind, where removed keys would be
// kept, stays as it is, and the keys too.
func TestPruneLeavesOtherFiles(t *testing.T) {
	w := newWorld(t)
	if _, err := w.rotate(t, Rotation{NewKey: true}); err != nil {
		t.Fatal(err)
	}
	before := w.keys(t)
	const text = "# kept in 2026\n"
	if err := os.WriteFile(w.file+".old", []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := w.rotate(t, Rotation{Drop: true, Force: true}); err == nil {
		t.Error("it was removed")
	}
	if now, err := os.ReadFile(w.file + ".old"); string(now) != text || err != nil || !slices.Equal(w.keys(t), before) {
		t.Errorf("%q, %v", now, err)
	}
}

// TestPruneThatKeepsNothingRemovesNothing checks that keys stay where they are if those
// that are removed can't be kept.
func TestPruneThatKeepsNothingRemovesNothing(t *testing.T) {
	w := newWorld(t)
	if _, err := w.rotate(t, Rotation{NewKey: true}); err != nil {
		t.Fatal(err)
	}
	before := w.keys(t)
	if err := os.Mkdir(w.file+".old", 0o700); err != nil {
		t.Fatal(err)
	}
	if r, err := w.rotate(t, Rotation{Drop: true, Force: true}); err == nil || r.Dropped != 0 {
		t.Errorf("%+v, %v", r, err)
	}
	if got := w.keys(t); !slices.Equal(got, before) {
		t.Errorf("keys %q, were %q", got, before)
	}
}

// TestKeptKeysArePrivate checks that keys that were removed are not readable by the group
// that may read the others.
func TestKeptKeysArePrivate(t *testing.T) {
	w := newWorld(t)
	if err := os.Chmod(w.file, 0o640); err != nil {
		t.Fatal(err)
	}
	for _, r := range []Rotation{{NewKey: true}, {Drop: true, Force: true}} {
		if _, err := w.rotate(t, r); err != nil {
			t.Fatal(err)
		}
	}
	if keys, old := mode(t, w.file), mode(t, w.file+".old"); keys != 0o640 || old != 0o600 {
		t.Errorf("modes %o and %o, want 640 and 600", keys, old)
	}
}

// TestUnfinishedFilesAreRemoved starts where processes were killed that changed the keys, or
// kept those that they removed: what they have left has keys in it. Files of others stay.
func TestUnfinishedFilesAreRemoved(t *testing.T) {
	w := newWorld(t)
	for path, left := range map[string]bool{
		unfinishedPath(w.file): false, unfinishedPath(w.file + ".old"): false,
		w.file + ".new": true, w.file + ".old.new": true, w.file + ".bak": true, w.file + "~": true,
	} {
		if err := os.WriteFile(path, []byte("left\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := removeUnfinished(t.Context(), w.file); err != nil {
			t.Error(err)
		}
		if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) == left {
			t.Errorf("%s: %v", path, err)
		}
	}
}
