// Package smallfile reads files that people write or that are as small: profiles,
// settings, keys, certificates. A file that is given by mistake, or was replaced by a pipe,
// takes neither all memory nor for ever.
package smallfile

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"
	"time"
)

// MaxSize is how large a file may be that Read reads, in bytes.
const MaxSize = 1 << 20

// ErrTooLarge is the error of a larger file.
var ErrTooLarge = errors.New("the file is larger")

// writerTime is how long a pipe that nobody writes to is waited for: the writer of a named
// pipe opens it when a reader does.
const writerTime = 5 * time.Second

// pollInterval is the time between two looks for a writer.
const pollInterval = 10 * time.Millisecond

// Read reads a file. Pipes work too, for instance a shell's <(command); reading one ends
// with ctx, or if nobody writes to it within five seconds. The error is an *fs.PathError; it
// wraps ErrTooLarge, or the error of ctx, or what os.ReadFile gives.
func Read(ctx context.Context, path string) ([]byte, error) {
	return ReadAtMost(ctx, path, MaxSize)
}

// ReadAtMost is Read of a file that may have more bytes, or has to have fewer: whole MiB, for a
// sensible error.
func ReadAtMost(ctx context.Context, path string, size int64) ([]byte, error) {
	// Without O_NONBLOCK, a pipe would not be open before it has a writer.
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	in := io.Reader(f)
	if kind := info.Mode().Type(); kind != 0 && kind != fs.ModeDir {
		s := &stream{ctx: ctx, file: f}
		if kind == fs.ModeNamedPipe {
			s.patience = time.Now().Add(writerTime)
		}
		in = s
		// The deadline ends a read that is waiting. What has none never waits.
		defer context.AfterFunc(ctx, func() { _ = f.SetReadDeadline(time.Unix(1, 0)) })()
	}
	data, err := ReadFrom(in, size)
	var named *fs.PathError
	if err != nil && !errors.As(err, &named) {
		err = &fs.PathError{Op: "read", Path: path, Err: err}
	}
	return data, err
}

// ReadFrom reads all that comes from a reader, of at most size bytes, whole MiB. Of what has more, and then wraps ErrTooLarge, it
// returns one byte more.
func ReadFrom(in io.Reader, size int64) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(in, size+1))
	if err == nil && int64(len(data)) > size {
		err = fmt.Errorf("%w than %d MiB", ErrTooLarge, size>>20)
	}
	return data, err
}

// stream is a pipe, or a device, that is read without blocking.
type stream struct {
	ctx      context.Context // of the one call of Read
	file     *os.File
	patience time.Time // until when a first writer is waited for; zero: it needs none
	begun    bool      // something was read
}

// Read implements io.Reader.
func (s *stream) Read(b []byte) (int, error) {
	for {
		n, err := s.file.Read(b)
		s.begun = s.begun || n > 0
		switch {
		case n > 0:
			return n, nil
		case s.ctx.Err() != nil:
			return 0, fmt.Errorf("it is no regular file, and nothing came out of it: %w", s.ctx.Err())
		case errors.Is(err, io.EOF) && (s.begun || s.patience.IsZero()):
			return 0, io.EOF
		case errors.Is(err, io.EOF) && time.Now().After(s.patience):
			return 0, errors.New("nobody writes to this pipe")
		case !errors.Is(err, io.EOF) && !errors.Is(err, syscall.EAGAIN):
			return 0, err
		}
		time.Sleep(pollInterval)
	}
}
