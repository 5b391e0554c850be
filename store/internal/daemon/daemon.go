// Package daemon is what tests need to run servers of databases: as another user where this one is root, which they
// refuse, and ended with the test. On Windows they cannot be run so, and the tests that want them fail.
package daemon

import (
	"os"
	"os/user"
	"strconv"
)

// A Servant is the user whose a server is; nil: that of this process.
type Servant struct{ uid, gid int }

// Find returns the servant with a name if this process is root's, else nil. It fails where there is no such user.
func Find(name string) (*Servant, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	u, err := user.Lookup(name)
	if err != nil {
		return nil, err
	}
	uid, err := strconv.Atoi(u.Uid)
	if err != nil {
		return nil, err
	}
	gid, err := strconv.Atoi(u.Gid)
	if err != nil {
		return nil, err
	}
	return &Servant{uid, gid}, nil
}

// Nobody returns the user without any rights, as whom root's processes can run. The rights of files hold for it.
func Nobody() *Servant { return &Servant{uid: NobodyID, gid: NobodyID} }

// NobodyID is the user and the group of Nobody.
const NobodyID = 65534

// Give makes a file or folder the servant's.
func (s *Servant) Give(path string) error {
	if s == nil {
		return nil
	}
	return os.Chown(path, s.uid, s.gid)
}
