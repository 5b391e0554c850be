// Package report writes what --report names: the reports of imports, of exports and of conformance runs.
package report

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"
	"time"

	"github.com/authcompat/authcompat/store/django/transfer"
	"github.com/authcompat/authcompat/store/newfile"
)

// Usage describes the flag --report of imports and exports.
const Usage = "file for a report in JSON, with every row that was refused: a new one, or that of an earlier report"

// File is what --report names. nil: it was not given.
type File struct {
	given   string        // after --report, for errors
	stream  *os.File      // a pipe, or a device such as a terminal
	file    *newfile.File // otherwise
	replace bool          // an earlier report
}

// Open opens the file of a report before there is anything to report, so that
// nothing is done that could not be reported. A file that is no earlier report is refused:
// it may be the database, its keys or the source. A report names users, and is readable to
// its owner alone. Errors name the flag. If path is empty the file is nil.
func Open(path string) (r *File, err error) {
	if path == "" {
		return nil, nil
	}
	return OpenFormat(path, path, isReport)
}

// OpenFormat is Open for a report of another format: isEarlier tells by its beginning whether a file is
// one. Errors have what was given after the flag.
func OpenFormat(given, path string, isEarlier func(io.Reader) bool) (r *File, err error) {
	r = &File{given: given}
	switch there, err := os.Stat(path); {
	case err == nil && there.Mode()&(fs.ModeNamedPipe|fs.ModeCharDevice) != 0:
		// Without a reader, a pipe would make this wait.
		r.stream, err = os.OpenFile(path, os.O_WRONLY|syscall.O_NONBLOCK, 0)
		return r, r.failed(err)
	case err == nil && there.IsDir():
		return nil, r.failed(errors.New("it is a directory"))
	}
	there, err := os.Lstat(path)
	switch {
	case err == nil && !(there.Mode().IsRegular() && isEarlierFile(path, isEarlier)):
		return nil, r.failed(fmt.Errorf("%w, which is no earlier report: name another", newfile.ErrExists))
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return nil, r.failed(err)
	}
	r.replace = err == nil
	r.file, err = newfile.Create(path)
	return r, r.failed(err)
}

// maxReport is the maximum size, in bytes, of a file that is read to find out whether it is
// a report. The largest lists 10,000 problems.
const maxReport = 64 << 20

// isEarlierFile tells whether a regular file is an earlier report.
func isEarlierFile(path string, isEarlier func(io.Reader) bool) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	return isEarlier(f)
}

// isReport tells whether a file is the report of an earlier import or export.
func isReport(f io.Reader) bool {
	var report struct {
		Started   *time.Time          `json:"started"`
		Finished  *time.Time          `json:"finished"`
		Users     *transfer.Counts    `json:"users"`
		Tokens    json.RawMessage     `json:"tokens"`
		Problems  *[]transfer.Problem `json:"problems"`
		NotListed *int                `json:"problems_not_listed"`
	}
	decoder := json.NewDecoder(io.LimitReader(f, maxReport))
	if err := decoder.Decode(&report); err != nil {
		return false
	}
	_, err := decoder.Token()
	return errors.Is(err, io.EOF) && report.Started != nil && report.Finished != nil && report.Users != nil &&
		report.Tokens != nil && report.Problems != nil && report.NotListed != nil
}

// Write writes a report as JSON. It then has its name and is on disk. Errors name the flag.
func (r *File) Write(report any) error {
	if r == nil {
		return nil
	}
	text, err := json.MarshalIndent(report, "", "  ")
	if err != nil {
		return r.failed(err)
	}
	return r.WriteText(append(text, '\n'))
}

// WriteText writes a report as it is. It then has its name and is on disk. Errors name the flag.
func (r *File) WriteText(text []byte) (err error) {
	if r.stream != nil {
		_, err := r.stream.Write(text)
		return r.failed(errors.Join(err, r.stream.Close()))
	}
	if _, err = r.file.Write(text); err == nil {
		err = r.file.Place(r.replace)
	}
	return r.failed(err)
}

// Discard removes the file if nothing was written.
func (r *File) Discard() {
	switch {
	case r == nil:
	case r.stream != nil:
		_ = r.stream.Close() // nothing, or all, was written
	default:
		r.file.Discard()
	}
}

// failed names the flag and its file in an error that is not nil.
func (r *File) failed(err error) error {
	if err == nil {
		return nil
	}
	var path *fs.PathError
	if errors.As(err, &path) {
		err = path.Err
	}
	return fmt.Errorf("--report %s: %w", r.given, err)
}
