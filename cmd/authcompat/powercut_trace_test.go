package main

import (
	"bufio"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// tracedCalls are the system calls of a record: all that change a file or its name, or
// make it durable, and those that carry requests and replies.
const tracedCalls = "open,openat,creat,read,write,pwrite64,writev,pwritev,pwritev2,ftruncate,truncate,fallocate,fsync,fdatasync," +
	"sync_file_range,syncfs,rename,renameat,renameat2,unlink,unlinkat,link,linkat,symlink,symlinkat,mkdir,mkdirat,mmap,copy_file_range,sendfile,splice"

// change is a system call of the record. It is under way from line begin to line end of
// the trace.
type change struct {
	begin, end int
	kind       changeKind
	name, to   string // of the files, in the data folder
	offset     int64  // of a write; the size, of a truncation
	data       []byte
}

type changeKind int

const (
	writes changeKind = iota + 1
	truncates
	syncs   // name is empty: the folder
	creates // a new, empty file
	removes
	links
	renames
)

// moments are the lines of the trace at which an operation began and was acknowledged.
type moments struct{ began, acknowledged int }

// trace is a record of what processes did to the files of a folder.
type trace struct {
	lines   int
	changes []change // in the order of their ends, as far as this matters
	moments map[int]moments
}

// tracer reads a record line by line.
type tracer struct {
	trace
	folder, journal string
	exists          map[string]bool   // the names in the folder
	unfinished      map[string]string // by thread
	began           map[string]int    // the line of its unfinished call
	requests        map[string]int    // the operation that waits for its reply, by socket
}

var journalLine = regexp.MustCompile(`^(begin|done) (\d+)\n`)

// readTrace reads what strace wrote. It fails if the trace has anything that the model of
// the disk does not know.
func readTrace(path, folder, journal string) (*trace, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	r := &tracer{
		trace: trace{moments: make(map[int]moments)}, folder: folder, journal: journal, exists: make(map[string]bool),
		unfinished: make(map[string]string), began: make(map[string]int), requests: make(map[string]int),
	}
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		r.lines++
		if err := r.line(lines.Text()); err != nil {
			return nil, fmt.Errorf("line %d of the trace: %w: %.200s", r.lines, err, lines.Text())
		}
	}
	return &r.trace, lines.Err()
}

// line reads one line: a call, the beginning or the end of one, or something else. It uses
// no patterns, because lines are long and many.
func (r *tracer) line(line string) error {
	thread, rest, _ := strings.Cut(line, " ")
	rest = strings.TrimLeft(rest, " ")
	if head, ok := strings.CutSuffix(rest, " <unfinished ...>"); ok {
		r.unfinished[thread], r.began[thread] = head, r.lines
		return nil
	}
	begin := r.lines
	if _, tail, ok := strings.Cut(rest, " resumed>"); ok && strings.HasPrefix(rest, "<... ") {
		rest, begin = r.unfinished[thread]+tail, r.began[thread]
		delete(r.unfinished, thread)
	}
	if strings.HasPrefix(rest, "+++ ") {
		// Whether a call was carried out whose thread was killed is not known.
		if left := r.unfinished[thread]; strings.Contains(left, encoded(r.folder)) && !strings.HasPrefix(left, "read(") {
			return errors.New("a process was killed while it changed a file")
		}
		return nil
	}
	call, rest, ok := strings.Cut(rest, "(")
	equals := strings.LastIndex(rest, " = ")
	if !ok || equals < 0 {
		return nil // a signal
	}
	result := rest[equals+len(" = "):]
	if strings.HasPrefix(result, "-") || strings.HasPrefix(result, "?") {
		return nil // a call that failed
	}
	return r.call(begin, call, strings.TrimSuffix(strings.TrimRight(rest[:equals], " "), ")"), result)
}

// encoded returns text as strace -xx writes it.
func encoded(text string) string {
	var b strings.Builder
	for _, c := range []byte(text) {
		fmt.Fprintf(&b, `\x%02x`, c)
	}
	return b.String()
}

func decoded(text string) []byte {
	data, err := hex.DecodeString(strings.ReplaceAll(text, `\x`, ""))
	if err != nil {
		return nil // the pattern allows nothing else
	}
	return data
}

// texts returns the quoted arguments of a call.
func texts(arguments string) (texts [][]byte) {
	for i, part := range strings.Split(arguments, `"`) {
		if i%2 == 1 {
			texts = append(texts, decoded(part))
		}
	}
	return texts
}

// file returns the name of the file that the descriptor, a call's first argument, is of; ok
// is false if it is not one of the folder, or if it has no name any more. The folder itself
// has the name "".
func (r *tracer) file(arguments string) (name string, ok bool) {
	_, rest, ok := strings.Cut(arguments, "<")
	path, rest, closed := strings.Cut(rest, ">")
	if !ok || !closed || strings.HasPrefix(rest, "(deleted)") {
		return "", false
	}
	return r.name(string(decoded(path)))
}

// name returns the name of a path in the folder. The WAL-index is left out: it is rebuilt
// after a power cut.
func (r *tracer) name(path string) (name string, ok bool) {
	path = filepath.Clean(path)
	if path == r.folder {
		return "", true
	}
	name, ok = strings.CutPrefix(path, r.folder+"/")
	return name, ok && !strings.HasSuffix(name, "-shm")
}

// add adds a change that ends in this line.
func (r *tracer) add(c change) {
	c.end = r.lines
	r.changes = append(r.changes, c)
}

// call reads a call that succeeded.
func (r *tracer) call(begin int, call, arguments, result string) error {
	descriptor, _, _ := strings.Cut(arguments, ",")
	switch call {
	case "read":
		if strings.Contains(arguments, encoded(operationHeader+": ")) {
			_, value, _ := strings.Cut(string(texts(arguments)[0]), operationHeader+": ")
			value, _, _ = strings.Cut(value, "\r\n")
			n, err := strconv.Atoi(value)
			r.moments[n] = moments{began: begin}
			r.requests[descriptor] = n
			return err
		}
	case "open", "openat", "creat":
		return r.opened(begin, string(texts(arguments)[0]), arguments)
	case "write", "pwrite64":
		return r.written(begin, call, descriptor, arguments, result)
	case "ftruncate":
		if name, ours := r.file(descriptor); ours {
			size, err := lastNumber(arguments)
			r.add(change{begin: begin, kind: truncates, name: name, offset: size})
			return err
		}
	case "fsync", "fdatasync":
		if name, ours := r.file(descriptor); ours {
			r.add(change{begin: begin, kind: syncs, name: name})
		}
	case "unlink", "unlinkat":
		if name, ours := r.name(string(texts(arguments)[0])); ours {
			delete(r.exists, name)
			r.add(change{begin: begin, kind: removes, name: name})
		}
	case "link", "linkat", "rename", "renameat", "renameat2":
		return r.renamed(begin, call, texts(arguments))
	default:
		reads := call == "mmap" && !(strings.Contains(arguments, "PROT_WRITE") && strings.Contains(arguments, "MAP_SHARED"))
		if !reads && strings.Contains(arguments, encoded(r.folder)) && !strings.Contains(arguments, encoded("-shm")) {
			return errors.New("a call that the model of the disk does not know")
		}
	}
	return nil
}

// lastNumber returns the last argument of a call.
func lastNumber(arguments string) (int64, error) {
	return strconv.ParseInt(arguments[strings.LastIndex(arguments, " ")+1:], 10, 64)
}

// acknowledged notes that the reply to an operation is sent.
func (r *tracer) acknowledged(n, line int) {
	m := r.moments[n]
	m.acknowledged = line
	r.moments[n] = m
}

// opened notes a file that is created, or emptied.
func (r *tracer) opened(begin int, path, arguments string) error {
	name, ours := r.name(path)
	switch {
	case !ours || name == "":
	case strings.Contains(arguments, "O_TMPFILE"):
		return errors.New("a file without a name")
	case !r.exists[name] && strings.Contains(arguments, "O_CREAT"):
		r.exists[name] = true
		r.add(change{begin: begin, kind: creates, name: name})
	case strings.Contains(arguments, "O_TRUNC"):
		r.add(change{begin: begin, kind: truncates, name: name})
	}
	return nil
}

// written reads a write: to a file, to a socket on which a request waits for its reply, or
// to the journal.
func (r *tracer) written(begin int, call, descriptor, arguments, result string) error {
	if n, waits := r.requests[descriptor]; waits {
		delete(r.requests, descriptor)
		r.acknowledged(n, begin)
		return nil
	}
	if strings.Contains(descriptor, encoded(r.journal)) {
		m := journalLine.FindSubmatch(texts(arguments)[0])
		if m == nil {
			return errors.New("not a line of the journal")
		}
		n, err := strconv.Atoi(string(m[2]))
		if string(m[1]) == "begin" {
			r.moments[n] = moments{began: begin}
		} else {
			r.acknowledged(n, begin)
		}
		return err
	}
	name, ours := r.file(descriptor)
	if !ours {
		return nil
	}
	c := change{begin: begin, kind: writes, name: name, data: texts(arguments)[0], offset: atEnd}
	if strconv.Itoa(len(c.data)) != result {
		return errors.New("a short write, or one that is cut off in the trace")
	}
	if call == "pwrite64" {
		var err error
		if c.offset, err = lastNumber(arguments); err != nil {
			return err
		}
	}
	r.add(c)
	return nil
}

// atEnd is the offset of a write that goes on where the last one ended.
const atEnd = -1

// renamed notes a second name, or a new one.
func (r *tracer) renamed(begin int, call string, strs [][]byte) error {
	if len(strs) != 2 {
		return errors.New("not two names")
	}
	from, ours := r.name(string(strs[0]))
	to, also := r.name(string(strs[1]))
	if ours != also {
		return errors.New("a file of another folder")
	}
	if !ours {
		return nil
	}
	kind := links
	if strings.HasPrefix(call, "rename") {
		kind = renames
		delete(r.exists, from)
	}
	r.exists[to] = true
	r.add(change{begin: begin, kind: kind, name: from, to: to})
	return nil
}
