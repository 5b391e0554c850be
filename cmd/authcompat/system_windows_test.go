package main

import (
	"errors"
	"io/fs"
	"os/exec"
)

// runAs has a command fail: nobody is root here, who alone can run it as another user.
func runAs(cmd *exec.Cmd, _ uint32) { cmd.Err = errors.ErrUnsupported }

// ownerOf returns ids that nobody has: owners have none here.
func ownerOf(fs.FileInfo) (uid, gid uint32) { return ^uint32(0), ^uint32(0) }

// maxOpenFiles fails: there is no limit that can be asked for.
func maxOpenFiles() (uint64, error) { return 0, errors.ErrUnsupported }
