package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/authcompat/authcompat/core/testenv"
)

// recording is a load that has been traced.
type recording struct {
	*trace
	promises *promises
}

// TestPowercut traces servers and commands on an SQLite file, with the writes and syncs of
// all processes and the replies that acknowledge what clients asked for, and replays the
// trace up to a moment at which the power fails: what had not been synced is dropped,
// reordered or torn (see disk). Then the database has to open, be whole, and have exactly
// what was acknowledged, and each sealed token its key. It cuts the power 150 times in one
// recording, or AUTHCOMPAT_POWERCUT_CUTS times in several.
//
// The control replays the same recordings on disks that ignore syncs, of files or of the
// folder: there, writes must be found lost.
func TestPowercut(t *testing.T) {
	const perRecording = 1000
	cuts, seed := number(t, "AUTHCOMPAT_POWERCUT_CUTS", 150), uint64(number(t, "AUTHCOMPAT_POWERCUT_SEED", int(time.Now().UnixNano())))
	t.Logf("AUTHCOMPAT_POWERCUT_SEED=%d", seed)
	var total, files, names tally
	for done, n := 0, 0; done < cuts; done += n {
		n = min(perRecording, cuts-done)
		r := recordLoad(t, seed+uint64(done))
		total.add(r.replay(t, seed+uint64(done), n, disk{}, true))
		files.add(r.replay(t, seed+uint64(done), max(n/20, 40), disk{ignoreFileSyncs: true}, false))
		names.add(r.replay(t, seed+uint64(done), max(n/20, 40), disk{ignoreFolderSyncs: true}, false))
		if t.Failed() {
			break
		}
	}
	t.Logf("power cuts: %v", &total)
	t.Logf("control, a disk that ignores syncs of files: %v", &files)
	t.Logf("control, a disk that ignores syncs of the folder: %v", &names)
	if files.lost == 0 || names.lost == 0 {
		t.Error("the control has lost nothing: this test sees nothing")
	}
}

// number returns a number from the environment, or what it is by default.
func number(t *testing.T, variable string, otherwise int) int {
	t.Helper()
	text := os.Getenv(variable)
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatalf("%s: %v", variable, err)
	}
	return n
}

// tally counts power cuts.
type tally struct {
	cuts, corrupt, lost int // of cuts, those with a corrupt database, and those that lost something
	changes, operations int // of the recordings
}

func (a *tally) add(b tally) {
	a.cuts, a.corrupt, a.lost = a.cuts+b.cuts, a.corrupt+b.corrupt, a.lost+b.lost
	a.changes, a.operations = a.changes+b.changes, a.operations+b.operations
}

func (a *tally) String() string {
	return fmt.Sprintf("%d, in recordings of %d writes, syncs and names and %d acknowledged operations: %d corrupt databases, %d with acknowledged operations lost",
		a.cuts, a.changes, a.operations, a.corrupt, a.lost)
}

// recordLoad traces the load.
func recordLoad(t *testing.T, seed uint64) *recording {
	t.Helper()
	if runtime.GOOS != "linux" {
		testenv.Missing(t, "takes Linux's strace")
	}
	if _, err := exec.LookPath("strace"); err != nil {
		testenv.Missing(t, "takes Debian's strace: %v", err)
	}
	folder, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	data, path := filepath.Join(folder, "data"), filepath.Join(folder, "trace")
	began := time.Now()
	for try := 1; ; try++ {
		if err := errors.Join(os.RemoveAll(data), os.Mkdir(data, 0o700)); err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command("strace", "-f", "--seccomp-bpf", "-y", "-xx", "-s", "1000000", "-e", "trace="+tracedCalls, "-o", path,
			os.Args[0], "-test.run", "^TestPowercutLoad$", "-test.timeout", "5m")
		cmd.Env = append(os.Environ(), powercutFolder+"="+folder, fmt.Sprintf("%s_SEED=%d", powercutFolder, seed))
		out, err := cmd.CombinedOutput()
		if err == nil {
			break
		}
		if strings.Contains(string(out), "Operation not permitted") {
			testenv.Missing(t, "may not trace processes: %s", out)
		}
		// strace gives up if a thread ends at the moment at which it is stopped.
		if try == 3 || !strings.Contains(string(out), "strace: ptrace(") {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	r := new(recording)
	if r.trace, err = readTrace(path, data, filepath.Join(folder, "journal")); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(folder, "operations.json"))
	if err != nil {
		t.Fatal(err)
	}
	var operations []operation
	if err := json.Unmarshal(text, &operations); err != nil {
		t.Fatal(err)
	}
	if r.promises, err = newPromises(operations, r.moments); err != nil {
		t.Fatal(err)
	}
	r.wantWhole(t, data)
	t.Logf("recorded %d changes of files and %d operations in %v", len(r.changes), len(operations), time.Since(began).Round(time.Millisecond))
	return r
}

// wantWhole checks that the trace explains each byte of the files: nothing is missing from
// it, and the model does what the system did.
func (r *recording) wantWhole(t *testing.T, folder string) {
	t.Helper()
	d := newDisk()
	for _, c := range r.changes {
		d.apply(c)
	}
	modeled := d.contents()
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		content, err := os.ReadFile(filepath.Join(folder, entry.Name()))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(content, modeled[entry.Name()]) {
			t.Errorf("%s is not what the trace says", entry.Name())
		}
		delete(modeled, entry.Name())
	}
	if len(modeled) > 0 {
		t.Errorf("there is no %v", slices.Collect(maps.Keys(modeled)))
	}
}

// powerCut is a moment of a recording, and what it has left.
type powerCut struct {
	number, line int
	random       *rand.Rand
	files        map[string][]byte
}

// replay cuts the power at drawn moments. Anything that is wrong is an error if strict.
func (r *recording) replay(t *testing.T, seed uint64, cuts int, broken disk, strict bool) (sum tally) {
	t.Helper()
	lines := make([]int, cuts)
	random := rand.New(rand.NewPCG(seed, 0))
	rare := slices.Collect(r.rare())
	for i := range lines {
		// Beside a change or an acknowledgement, since the rest of the trace is idle.
		switch i % 4 {
		case 0, 1:
			lines[i] = r.changes[random.IntN(len(r.changes))].end + random.IntN(2)
		case 2:
			lines[i] = r.moments[random.IntN(len(r.moments))].acknowledged + 1
		default:
			lines[i] = rare[random.IntN(len(rare))].end + random.IntN(2)
		}
	}
	slices.Sort(lines)
	var corrupt, lost atomic.Int64
	queue := make(chan powerCut)
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for c := range queue {
				v, err := r.examine(t, c)
				switch {
				case err != nil:
					t.Errorf("cut %d: %v", c.number, err)
				case v.corrupt != "":
					corrupt.Add(1)
				case len(v.lost) > 0:
					lost.Add(1)
				}
				if strict && !v.good() {
					t.Errorf("seed %d, cut %d at line %d: corrupt: %q; lost: %s; its files are in %s",
						seed, c.number, c.line, v.corrupt, strings.Join(v.lost, "; "), keepFiles(t, c))
				}
			}
		})
	}
	d := newDisk()
	d.ignoreFileSyncs, d.ignoreFolderSyncs = broken.ignoreFileSyncs, broken.ignoreFolderSyncs
	next := 0
	for n, line := range lines {
		for next < len(r.changes) && r.changes[next].end < line {
			d.apply(r.changes[next])
			next++
		}
		var underWay []change
		for _, c := range r.changes[next:min(next+20, len(r.changes))] {
			if c.begin < line {
				underWay = append(underWay, c)
			}
		}
		random := rand.New(rand.NewPCG(seed, uint64(n+1)))
		queue <- powerCut{n, line, random, d.cut(random, underWay)}
	}
	close(queue)
	workers.Wait()
	return tally{cuts, int(corrupt.Load()), int(lost.Load()), len(r.changes), len(r.moments)}
}

// rare returns the changes of names, and those of other files than the log.
func (r *recording) rare() iter.Seq[change] {
	return func(yield func(change) bool) {
		for _, c := range r.changes {
			if (c.name != "auth.db-wal" || c.kind >= creates) && !yield(c) {
				return
			}
		}
	}
}

// examine builds the files that a power cut has left, and checks them.
func (r *recording) examine(t *testing.T, c powerCut) (v verdict, err error) {
	folder, err := os.MkdirTemp(memory(), "powercut-")
	if err != nil {
		return v, err
	}
	defer os.RemoveAll(folder)
	if err := putFiles(folder, c.files, c.random); err != nil {
		return v, err
	}
	return r.promises.check(t.Context(), folder, c.line)
}

// memory returns a folder in memory, if there is one: there, files need no disk.
func memory() string {
	if info, err := os.Stat("/dev/shm"); err == nil && info.IsDir() {
		return "/dev/shm"
	}
	return ""
}

// keepFiles leaves the files of a power cut where they can be looked at.
func keepFiles(t *testing.T, c powerCut) string {
	folder, err := os.MkdirTemp("", "powercut-")
	if err == nil {
		for name, content := range c.files {
			if err := os.WriteFile(filepath.Join(folder, name), content, 0o600); err != nil {
				t.Error(err)
			}
		}
	}
	return folder
}
