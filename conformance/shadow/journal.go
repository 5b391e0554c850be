package shadow

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"time"
)

// Sizes of a journal.
const (
	// MaxJournal is how many bytes a journal has before it becomes FILE.1, in the place of an
	// earlier one, and begins anew.
	MaxJournal = 32 << 20
	// maxPending is how many kinds of results wait to be written; further ones are lost.
	maxPending = 1000
	// maxUsers is how many users of an endpoint are told apart.
	maxUsers = 200_000
)

// FlushInterval is how often results are written: those that came to the same as one line.
const FlushInterval = 10 * time.Second

// Journal is a file of records, for one process at a time. Its methods are safe for concurrent
// use.
type Journal struct {
	path    string
	max     int64
	onError func(error)

	mu      sync.Mutex
	file    *os.File
	size    int64
	pending map[string]*Record
	order   []string
	users   map[string]map[string]bool // that are in the file, on the day, by profile and endpoint
	day     string
	noise   map[string]bool
	kept    []Record // of Learned and Started, which each file has
	lost    int64
}

// Open opens the journal at a path, or makes it, with mode 0600. What it has of noise and of users
// is known again. onError is told of what can't be written, and of nothing secret.
func Open(path string, onError func(error)) (*Journal, error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	info, err := file.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s: it is no regular file", path)
	}
	j := &Journal{path: path, max: MaxJournal, onError: onError, file: file, pending: make(map[string]*Record), users: make(map[string]map[string]bool), noise: make(map[string]bool)}
	if err == nil {
		j.size = info.Size()
		err = j.recall()
	}
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return j, nil
}

// recall reads what the file says of noise and of users.
func (j *Journal) recall() error {
	records, err := Read(j.path)
	if err != nil {
		return err
	}
	for _, r := range records {
		if r.Verdict == Learned {
			j.kept = append(j.kept, r)
			for _, d := range r.Differences {
				j.noise[noiseKey(r.Profile, r.Endpoint, d.Place)] = true
			}
		}
		for _, u := range r.Users {
			j.isNew(r, u)
		}
	}
	return nil
}

// isNew reports whether a user is not in the file yet, with the day of the record, and remembers
// that it will be. The caller holds the lock.
func (j *Journal) isNew(r Record, user string) bool {
	if day := r.At.UTC().Format(time.DateOnly); day > j.day {
		j.day, j.users = day, make(map[string]map[string]bool)
	}
	key := noiseKey(r.Profile, r.Endpoint, "")
	seen := j.users[key]
	if seen == nil {
		seen = make(map[string]bool)
		j.users[key] = seen
	}
	if user == "" || seen[user] || len(seen) >= maxUsers {
		return false
	}
	seen[user] = true
	return true
}

// Judge sets the verdict of a comparison by its differences and what is known of noise.
func (j *Journal) Judge(r *Record) {
	j.mu.Lock()
	defer j.mu.Unlock()
	r.Verdict = Same
	for _, d := range r.Differences {
		if !d.SameForm || !j.noise[noiseKey(r.Profile, r.Endpoint, d.Place)] {
			r.Verdict = Differ
			return
		}
		r.Verdict = Noise
	}
}

// Learn notes that places of an endpoint are noise.
func (j *Journal) Learn(at time.Time, profile, endpoint string, noise []Difference) {
	j.mu.Lock()
	var fresh []Difference
	for _, d := range noise {
		if key := noiseKey(profile, endpoint, d.Place); !j.noise[key] {
			j.noise[key] = true
			fresh = append(fresh, d)
		}
	}
	j.mu.Unlock()
	if len(fresh) > 0 {
		j.Add(Record{At: at, Verdict: Learned, Profile: profile, Endpoint: endpoint, Differences: fresh}, "")
	}
}

// Add adds a result of one request, of a user's pseudonym; empty: nobody's. It is written at the
// next Flush.
func (j *Journal) Add(r Record, user string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	switch r.Verdict {
	case Started: // by the settings of now, after a reload
		j.kept = slices.DeleteFunc(j.kept, func(k Record) bool { return k.Verdict == Started && k.Profile == r.Profile })
		fallthrough
	case Learned:
		j.kept = append(j.kept, r)
	}
	key := r.key()
	known := j.pending[key]
	if known == nil {
		if len(j.pending) >= maxPending {
			j.lost++
			return
		}
		r.Count = 0
		known = &r
		j.pending[key] = known
		j.order = append(j.order, key)
	}
	known.Count++
	if r.Verdict != Skipped && j.isNew(r, user) {
		known.Users = append(known.Users, user)
	}
}

// Flush writes what was added. What can't be written is lost, and reported.
func (j *Journal) Flush() {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.lost > 0 {
		j.onError(fmt.Errorf("%d results were not written: there were too many kinds of them", j.lost))
		j.lost = 0
	}
	if len(j.order) == 0 {
		return
	}
	var lines []byte
	for _, key := range j.order {
		line, err := json.Marshal(j.pending[key])
		if err != nil { // no value of a record can't be written
			j.onError(err)
			continue
		}
		lines = append(append(lines, line...), '\n')
	}
	j.order, j.pending = nil, make(map[string]*Record)
	if err := j.write(lines); err != nil {
		j.onError(err)
	}
}

// write appends lines to the file. The caller holds the lock.
func (j *Journal) write(lines []byte) error {
	n, err := j.file.Write(lines)
	j.size += int64(n)
	if err != nil || j.size < j.max {
		return err
	}
	if err := j.rotate(); err != nil {
		return err
	}
	// The old file goes when this one is full: what all records are judged by is in each.
	j.users = make(map[string]map[string]bool)
	return j.repeat()
}

// repeat writes what each file has.
func (j *Journal) repeat() error {
	var lines []byte
	for _, r := range j.kept {
		r.Count = 0
		line, err := json.Marshal(r)
		if err != nil {
			return err
		}
		lines = append(append(lines, line...), '\n')
	}
	n, err := j.file.Write(lines)
	j.size += int64(n)
	return err
}

// olderPart is the file that a journal at a path becomes when it is full.
func olderPart(path string) string { return path + ".1" }

// rotate gives the file another name, and makes a new one. Where it can't, the file goes on.
func (j *Journal) rotate() error {
	err := errors.Join(j.file.Close(), os.Rename(j.path, olderPart(j.path)))
	next, opening := os.OpenFile(j.path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if opening != nil {
		return errors.Join(err, opening)
	}
	j.file = next
	if err == nil {
		j.size = 0
	}
	return err
}

// Close writes what was added, and closes the file.
func (j *Journal) Close() error {
	j.Flush()
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.file.Close()
}
