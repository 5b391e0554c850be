package dbfile

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/authcompat/authcompat/core/testenv"
	"golang.org/x/sys/unix"
)

// TestIsOwner reads what logs say: a file that has the inode of one that is gone is another one, and
// a log that was copied with what it says belongs to whatever it was copied with.
func TestIsOwner(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.db")
	for _, file := range []string{path, path + "-wal"} {
		if err := os.WriteFile(file, []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	database, ok := objectAt(path)
	log, there := objectAt(path + "-wal")
	if !ok || !there {
		t.Fatal("statx fails")
	}
	files := At(path)
	if held, ok := files.object(); !ok || held != database {
		t.Errorf("held %v, want %v", held, database)
	}
	if database.born == 0 {
		t.Log("the file system does not tell when a file was made")
		database.born, log.born = 1, 0 // of the log, it is read from the file
	}
	earlier := func(o object) object { o.born--; return o }
	elsewhere := func(o object) object { o.inode++; return o }
	for _, test := range []struct {
		name       string
		tag        string
		own, known bool
	}{
		{"none", "", false, false},
		{"no tag", "what", false, false},
		{"its own", tagText(database, log), true, true},
		{"of an earlier version", fmt.Sprint(database.inode, log.inode), true, true},
		{"of an earlier version, of another", fmt.Sprint(database.inode+1, log.inode), false, true},
		{"of a file system that told no times", tagText(object{inode: database.inode}, object{inode: log.inode}), true, true},
		{"another database", tagText(elsewhere(earlier(database)), log), false, true},
		{"another database of the same time", tagText(elsewhere(database), log), isLayered(path), true},
		{"another database with the inode", tagText(earlier(database), log), false, true},
		{"a copied folder", tagText(elsewhere(database), elsewhere(log)), false, false},
		{"a copied log", tagText(database, elsewhere(log)), false, false},
	} {
		setTag(t, path, test.tag)
		if own, known := isOwner(path, database); own != test.own || known != test.known {
			t.Errorf("%s: own %t, known %t", test.name, own, known)
		}
	}
	if log.born == 0 {
		return
	}
	// A copied folder, of which one file or both have the inodes that the originals had.
	for _, tag := range []string{tagText(earlier(database), earlier(log)), tagText(elsewhere(database), earlier(log))} {
		setTag(t, path, tag)
		if _, known := isOwner(path, database); known {
			t.Errorf("%s is believed", tag)
		}
	}
	files.beside.Store(&beside{path: path})
	files.ClaimLog()
	if own, known := files.OwnsLog(); !own || !known {
		t.Errorf("claimed: own %t, known %t", own, known)
	}
}

// TestRemountedLayers kills the owner of a database that is in the lower layer of an overlayfs, and
// mounts that anew: the database has another inode then, and the log, which is of the upper layer alone,
// has the one that it had.
func TestRemountedLayers(t *testing.T) {
	root := t.TempDir()
	in := func(name string) string { return filepath.Join(root, name) }
	for _, folder := range []string{"lower", "upper", "merged"} {
		if err := os.Mkdir(in(folder), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	mount := func(kind, at, options string) {
		t.Helper()
		if err := unix.Mount(kind, at, kind, 0, options); err != nil {
			t.Skipf("%s can't be mounted: %v", kind, err) // by whom is no root, or in a container
		}
		t.Cleanup(func() { _ = unix.Unmount(at, unix.MNT_DETACH) })
	}
	mount("tmpfs", in("upper"), "")
	for _, folder := range []string{"upper/files", "upper/work"} {
		if err := os.Mkdir(in(folder), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(in("lower/a.db"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	layers := fmt.Sprintf("lowerdir=%s,upperdir=%s,workdir=%s,xino=off", in("lower"), in("upper/files"), in("upper/work"))
	mount("overlay", in("merged"), layers)
	path := in("merged/a.db")
	for _, file := range []string{path, path + "-wal"} { // which copies the database up
		if err := os.WriteFile(file, []byte("y"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	before, _ := objectAt(path)
	tagLog(path, before)
	if _, _, ok := readTag(path); !ok {
		t.Skip("the file system takes no extended attributes")
	}
	if err := unix.Unmount(in("merged"), 0); err != nil {
		t.Fatal(err)
	}
	mount("overlay", in("merged"), layers)
	after, _ := objectAt(path)
	if own, known := isOwner(path, after); !own || !known {
		t.Errorf("was %v, is %v: own %t, known %t", before, after, own, known)
	}
}

// TestLogOfAnother looks at databases before they are opened, beside logs that nobody has open.
func TestLogOfAnother(t *testing.T) {
	header := func(version byte) []byte {
		return append([]byte("SQLite format 3\x00"), 0, 0, version, version)
	}
	for _, test := range []struct {
		name    string
		content []byte
		log     string
		tagged  int // 1: as its own; 2: as another's
		want    error
	}{
		{"its own", header(2), "x", 1, nil},
		{"another's", header(2), "x", 2, ErrLogOfAnother},
		{"another's, empty", header(2), "", 2, nil},
		{"nobody says", header(2), "x", 0, nil},
		{"nobody says, of a database without a log", header(1), "x", 0, ErrLogOfAnother},
		{"of a database without a log", header(1), "x", 1, ErrLogOfAnother},
		{"empty, of a database without a log", header(1), "", 0, nil},
		{"of what is no database", []byte("x"), "x", 1, nil},
	} {
		path := filepath.Join(t.TempDir(), "a.db")
		for file, content := range map[string][]byte{path: test.content, path + "-wal": []byte(test.log)} {
			if err := os.WriteFile(file, content, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		database, _ := objectAt(path)
		log, _ := objectAt(path + "-wal")
		switch test.tagged {
		case 1:
			setTag(t, path, tagText(database, log))
		case 2:
			database.inode++
			database.born++
			setTag(t, path, tagText(database, log))
		}
		err := TakeLog(path, time.Millisecond)
		if !errors.Is(err, test.want) {
			t.Errorf("%s: %v", test.name, err)
		}
		database, _ = objectAt(path)
		if own, known := isOwner(path, database); err == nil && test.log == "" && (!own || !known) {
			t.Errorf("%s: not taken", test.name)
		}
	}
}

func tagText(database, log object) string {
	return fmt.Sprint(database.inode, log.inode, database.born, log.born)
}

func setTag(t *testing.T, path, tag string) {
	t.Helper()
	err := unix.Setxattr(path+"-wal", tagAttribute, []byte(tag), 0)
	if err == unix.ENOTSUP {
		testenv.Missing(t, "the file system takes no extended attributes")
	}
	if err != nil {
		t.Fatal(err)
	}
}
