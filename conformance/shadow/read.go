package shadow

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// maxLine is how long a line may be, in bytes.
const maxLine = 16 << 20

// ReadAll reads journals, each after its older part, if there is one. What is named twice, or is the older
// part of another, is read once. It ends with ctx; the error is fs.ErrNotExist if a journal is not there.
func ReadAll(ctx context.Context, paths []string) (records []Record, err error) {
	read := make(map[string]bool)
	for _, path := range paths {
		for _, part := range []string{olderPart(path), path} {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			if read[part] {
				continue
			}
			found, err := Read(part)
			if errors.Is(err, fs.ErrNotExist) && part != path {
				continue
			}
			if err != nil {
				return nil, err
			}
			read[part] = true
			records = append(records, found...)
		}
	}
	return records, nil
}

// Read reads one file of a journal. A last line that is cut off is left out: it is being written.
func Read(path string) ([]Record, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }() // nothing was written
	lines := bufio.NewReaderSize(file, 64<<10)
	var records []Record
	for number := 1; ; number++ {
		line, err := readLine(lines)
		if err != nil || line == nil {
			return records, err
		}
		var r Record
		if err := json.Unmarshal(line, &r); err != nil || r.Verdict == "" {
			return nil, fmt.Errorf("%s:%d: it is no line of a shadow's journal", path, number)
		}
		records = append(records, r)
	}
}

// readLine returns the next whole line; nil: there is none.
func readLine(r *bufio.Reader) ([]byte, error) {
	var line []byte
	for {
		part, err := r.ReadSlice('\n')
		line = append(line, part...)
		switch {
		case err == nil:
			return line, nil
		case errors.Is(err, io.EOF):
			return nil, nil
		case !errors.Is(err, bufio.ErrBufferFull):
			return nil, err
		case len(line) > maxLine:
			return nil, fmt.Errorf("a line of more than %d bytes: it is no journal of a shadow", maxLine)
		}
	}
}
