package validation

import (
	"bufio"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/authcompat/authcompat/core/spelling"
)

// The limits of a list of common passwords. Django's own has 20 000 lines of at most 29 bytes.
const (
	maxList = 64 << 20 // bytes, unpacked
	maxLine = 4 << 10  // bytes, and so of a password that is looked for
)

// The errors of ReadCommon that are about what the list says.
var (
	errListTooLarge = fmt.Errorf("a list of common passwords has at most %d MiB", maxList>>20)
	errLineTooLong  = fmt.Errorf("a line of a list of common passwords has at most %d bytes", maxLine)
	errNotUTF8      = errors.New("a list of common passwords is UTF-8")
	errEmptyList    = errors.New("the list of common passwords is empty")
)

// ReadCommon reads a list of common passwords, one a line, plain or packed with gzip, as Django
// ships it (django/contrib/auth/common-passwords.txt.gz). White space around a line does not
// count; a line with a capital never matches, as in Django.
func ReadCommon(r io.Reader) (Common, error) {
	in := bufio.NewReader(r)
	var text io.Reader = in
	if magic, err := in.Peek(2); err == nil && magic[0] == 0x1f && magic[1] == 0x8b {
		unpacked, err := gzip.NewReader(in)
		if err != nil {
			return nil, fmt.Errorf("unpack the list of common passwords: %w", err)
		}
		text = unpacked
	}
	data, err := io.ReadAll(io.LimitReader(text, maxList+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("read the list of common passwords: %w", err)
	case len(data) > maxList:
		return nil, errListTooLarge
	case !utf8.Valid(data):
		return nil, errNotUTF8
	case len(data) == 0:
		return nil, errEmptyList
	}
	// Python's universal newlines.
	whole := strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(string(data))
	c := make(Common)
	for line := range strings.SplitSeq(strings.TrimSuffix(whole, "\n"), "\n") {
		if len(line) > maxLine {
			return nil, errLineTooLong
		}
		c[strings.Clone(spelling.Strip(line))] = struct{}{}
	}
	return c, nil
}
