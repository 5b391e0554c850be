//go:build unix

package main

import (
	"io/fs"
	"os/exec"
	"syscall"
)

// runAs has a command run as the user and the group with an id, which takes root.
func runAs(cmd *exec.Cmd, id uint32) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: id, Gid: id}}
}

// ownerOf returns whose a file is.
func ownerOf(info fs.FileInfo) (uid, gid uint32) {
	s := info.Sys().(*syscall.Stat_t)
	return s.Uid, s.Gid
}

// maxOpenFiles returns how many files a process may have open.
func maxOpenFiles() (uint64, error) {
	var limit syscall.Rlimit
	err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit)
	return uint64(limit.Cur), err
}
