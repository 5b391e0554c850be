package main

import (
	"bytes"
	"maps"
	"math/rand/v2"
	"slices"
)

// sector is what a disk writes as a whole: of a write that a power cut interrupts, some
// sectors are on the disk and some are not.
const sector = 512

// disk is what a file system may keep, by what it has to keep:
//
//   - of a file, what was written before its last sync began, and of what was written since,
//     any of it, in any order, sector by sector. Where it has grown, what was not written may
//     be zeros or noise;
//   - of the folder, the names as they were when its last sync began, and any of their
//     changes since, in any order. A sync of a file does not keep its name;
//   - a name changes at once (rename).
//
// This is less than ext4, XFS and Btrfs keep, and what SQLite relies on: that a sync is one,
// and that writing a part of a sector does not harm the rest of it
// (https://sqlite.org/atomiccommit.html, section 2; https://sqlite.org/psow.html).
type disk struct {
	ignoreFileSyncs, ignoreFolderSyncs bool // a broken disk

	now     map[string]*inode // as processes see it
	durable map[string]*inode
	folder  []change // changes of names since the folder was synced
	targets []*inode // of each, the file
}

// inode is the content of a file.
type inode struct {
	durable []byte
	since   []change // since it was synced, or since it began
	end     int64    // where a write without an offset goes
}

func newDisk() *disk {
	return &disk{now: make(map[string]*inode), durable: make(map[string]*inode)}
}

// apply carries out a change.
func (d *disk) apply(c change) {
	switch c.kind {
	case writes, truncates:
		f := d.now[c.name]
		if c.offset == atEnd {
			c.offset = f.end
		}
		f.end = c.offset + int64(len(c.data))
		f.since = append(f.since, c)
	case syncs:
		d.sync(c)
	case creates:
		d.rename(c, &inode{})
	case removes:
		d.rename(c, nil)
	case links, renames:
		d.rename(c, d.now[c.name])
	}
}

// sync makes durable what had been done when the sync began.
func (d *disk) sync(c change) {
	before := func(done change) bool { return done.end <= c.begin }
	if c.name != "" {
		if f := d.now[c.name]; f != nil && !d.ignoreFileSyncs {
			for _, done := range f.since {
				if before(done) {
					f.durable = written(f.durable, done)
				}
			}
			f.since = slices.DeleteFunc(slices.Clone(f.since), before)
		}
		return
	}
	if d.ignoreFolderSyncs {
		return
	}
	var folder []change
	var targets []*inode
	for i, done := range d.folder {
		if before(done) {
			renamed(d.durable, done, d.targets[i])
		} else {
			folder, targets = append(folder, done), append(targets, d.targets[i])
		}
	}
	d.folder, d.targets = folder, targets
}

// rename changes a name for processes, and later for the disk.
func (d *disk) rename(c change, target *inode) {
	renamed(d.now, c, target)
	d.folder, d.targets = append(d.folder, c), append(d.targets, target)
}

// renamed carries out a change of names.
func renamed(names map[string]*inode, c change, target *inode) {
	switch c.kind {
	case creates:
		names[c.name] = target
	case removes:
		delete(names, c.name)
	case renames:
		delete(names, c.name)
		names[c.to] = target
	case links:
		names[c.to] = target
	}
}

// written returns the content after a write or a truncation. It may change content.
func written(content []byte, c change) []byte {
	if c.kind == truncates {
		return resized(content, int(c.offset))
	}
	if end := int(c.offset) + len(c.data); end > len(content) {
		content = resized(content, end)
	}
	copy(content[c.offset:], c.data)
	return content
}

func resized(content []byte, size int) []byte {
	if size <= len(content) {
		return content[:size]
	}
	return append(content, make([]byte, size-len(content))...)
}

// contents returns the files as processes see them.
func (d *disk) contents() map[string][]byte {
	files := make(map[string][]byte)
	for name, f := range d.now {
		content := bytes.Clone(f.durable)
		for _, c := range f.since {
			content = written(content, c)
		}
		files[name] = content
	}
	return files
}

// cut returns what is on the disk after a power cut, with the calls under way.
func (d *disk) cut(random *rand.Rand, underWay []change) map[string][]byte {
	names := maps.Clone(d.durable)
	keep := drawKeep(random)
	for i, c := range d.folder {
		if keep() {
			renamed(names, c, d.targets[i])
		}
	}
	for _, c := range underWay {
		target := d.now[c.name]
		if c.kind == creates {
			target = &inode{}
		}
		if c.kind >= creates && keep() {
			renamed(names, c, target)
		}
	}
	files := make(map[string][]byte)
	for _, name := range slices.Sorted(maps.Keys(names)) { // in the same order for the same seed
		f := names[name]
		since := f.since
		for _, c := range underWay {
			if d.now[c.name] == f && (c.kind == writes || c.kind == truncates) && c.offset != atEnd {
				since = append(slices.Clip(since), c)
			}
		}
		files[name] = torn(random, f.durable, since)
	}
	return files
}

// drawKeep draws what is kept of a row of changes: all, none, those before some moment, or
// some of them.
func drawKeep(random *rand.Rand) func() bool {
	switch random.IntN(8) {
	case 0:
		return func() bool { return true }
	case 1:
		return func() bool { return false }
	case 2:
		left := random.IntN(20)
		return func() bool { left--; return left >= 0 }
	default:
		share := random.Float64()
		return func() bool { return random.Float64() < share }
	}
}

// torn returns durable content with some of the later changes, whole or in parts.
func torn(random *rand.Rand, durable []byte, since []change) []byte {
	content := bytes.Clone(durable)
	keep := drawKeep(random)
	parts := random.IntN(2) == 0
	noisy := random.IntN(4) == 0
	for _, c := range since {
		if c.kind == truncates || !parts {
			if keep() {
				content = written(content, c)
			}
		} else {
			for _, part := range sectors(c) {
				if keep() {
					content = written(content, part)
				}
			}
		}
		// The size may be kept where the data is not.
		if end := int(c.offset) + len(c.data); c.kind == writes && end > len(content) && random.IntN(8) == 0 {
			was := len(content)
			content = resized(content, end)
			for i := was; noisy && i < end; i++ {
				content[i] = byte(random.Uint32())
			}
		}
	}
	return content
}

// sectors splits a write where sectors end.
func sectors(c change) (parts []change) {
	for len(c.data) > 0 {
		n := min(len(c.data), sector-int(c.offset%sector))
		part := c
		part.data = c.data[:n]
		parts = append(parts, part)
		c.offset, c.data = c.offset+int64(n), c.data[n:]
	}
	return parts
}
