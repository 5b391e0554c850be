package server

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"

	"github.com/authcompat/authcompat/store"
)

// warnFiles warns of files and folders by which other users of the system could change what
// the server works with, or read its keys.
func (s *server) warnFiles() {
	f := s.current()
	files := []file{
		{what: "sealing keys", path: s.keys.Path(s.started.KeyFile), secret: true},
		{what: "certificate's key", path: f.TLSKeyFile, secret: true},
		{what: "callers", path: f.CallersFile, secret: true},
		{what: "SMTP password", path: f.Mail.PasswordFile, secret: true},
		{what: "key of links", path: f.Mail.SecretKeyFile, secret: true},
		{what: "configuration", path: f.Engine.ConfigFile},
		{what: "map", path: f.Engine.Mapping},
		{what: "common passwords", path: f.CommonPasswords.File},
	}
	files = append(files, templateFiles(f.Mail.TemplatesDir)...)
	for _, a := range s.apis {
		files = append(files, file{what: "profile", path: a.bound.Load().File})
		if of := a.bound.Load().Front; of != nil && of.Identity != nil {
			files = append(files, file{what: "identity keys", path: f.IdentityFile(of.Identity).Path(), secret: true})
		}
	}
	if of := f.AskIdentityFile().Path(); f.AskIdentity.On && !slices.ContainsFunc(files, func(o file) bool { return o.path == of }) {
		files = append(files, file{what: "identity keys", path: of, secret: true})
	}
	if path, ok := store.DatabaseFile(f.Engine.Store); ok {
		files = append([]file{{what: "database", path: path, logged: true}}, files...)
	}
	for _, file := range files {
		for _, r := range file.risks(os.Geteuid()) {
			s.log.Warn(r.text, "file", r.path, r.attribute, r.value)
		}
	}
}

// templateFiles are the templates of mails, which have links to accounts, and their folders; none if there
// is no such folder.
func templateFiles(folder string) (files []file) {
	if folder == "" {
		return nil
	}
	// An entry that can't be read is none that a template comes from.
	_ = filepath.WalkDir(folder, func(path string, _ fs.DirEntry, err error) error {
		if err == nil {
			files = append(files, file{what: "mail templates", path: path})
		}
		return nil
	})
	return files
}

// file is one that a server works with.
type file struct {
	what, path string // an empty path: there is none
	secret     bool   // nobody but its owner and group should read it
	logged     bool   // SQLite keeps a log beside it
}

// risk is what others may do to a file. The path is that of the file, or of a folder that
// it is in.
type risk struct{ text, path, attribute, value string }

// The rights of users other than a file's owner.
const (
	writeByOthers   fs.FileMode = 0o022 // those of its group too
	readByStrangers fs.FileMode = 0o004 // those of its group aside, who may be meant to
)

// risks returns what users of the system other than uid, and root, may do to the file. On
// Windows the mode says only whether it is read-only.
func (f file) risks(uid int) (all []risk) {
	info, err := os.Stat(f.path)
	if f.path == "" || err != nil || runtime.GOOS == "windows" {
		return nil
	}
	mode := info.Mode().Perm()
	if mode&writeByOthers != 0 {
		all = append(all, risk{"others may write the file of the " + f.what + ": chmod go-w", f.path, "mode", octal(mode)})
	}
	if f.secret && mode&readByStrangers != 0 {
		all = append(all, risk{"others may read the file of the " + f.what + ": chmod o-r, and replace keys that others may have read", f.path, "mode", octal(mode)})
	}
	if owner, known := ownerOf(info); known && owner != uid && owner != 0 {
		all = append(all, risk{"the file of the " + f.what + " belongs to another user, who may read and change it", f.path, "owner", fmt.Sprint(owner)})
	}
	if f.logged && isMountPoint(f.path) {
		all = append(all, risk{"the file of the " + f.what + " is mounted by itself, and SQLite's log beside it (-wal) is not: what is in the log is lost with the container, and other programs that have the file under another path overwrite what is written here; mount its folder instead", f.path, "mount", "file"})
	}
	if f.logged {
		if r, ok := f.riskOfLog(); ok {
			all = append(all, r)
		}
	}
	for _, path := range f.paths() {
		for folder := filepath.Dir(path); ; folder = filepath.Dir(folder) {
			info, err := os.Stat(folder)
			if err == nil && info.Mode().Perm()&writeByOthers != 0 && info.Mode()&fs.ModeSticky == 0 {
				return append(all, risk{"others may replace the file of the " + f.what + ", because they may write a folder above it: chmod go-w, or keep it elsewhere", folder, "mode", octal(info.Mode().Perm())})
			}
			if folder == filepath.Dir(folder) {
				break
			}
		}
	}
	return all
}

// riskOfLog tells of a sticky folder, such as /tmp: others can't replace the database there, and can put a log beside it while
// nobody has it open, from which SQLite takes whatever it says into the database, as after a crash.
func (f file) riskOfLog() (r risk, ok bool) {
	paths := f.paths()
	if len(paths) == 0 {
		return risk{}, false
	}
	folder := filepath.Dir(paths[len(paths)-1]) // SQLite goes by the name without links
	info, err := os.Stat(folder)
	if err != nil || info.Mode()&fs.ModeSticky == 0 || info.Mode().Perm()&writeByOthers == 0 {
		return risk{}, false
	}
	return risk{"others may put a log (-wal, -journal) beside the file of the " + f.what + ", from which SQLite takes over what it says: keep it in a folder that nobody else may write", folder, "mode", octal(info.Mode().Perm())}, true
}

// paths returns the absolute path of the file and, if it differs, that without symbolic
// links.
func (f file) paths() (all []string) {
	path, err := filepath.Abs(f.path)
	if err != nil {
		return nil
	}
	if target, err := filepath.EvalSymlinks(path); err == nil && target != path {
		return []string{path, target}
	}
	return []string{path}
}

func octal(mode fs.FileMode) string { return fmt.Sprintf("%04o", mode) }
