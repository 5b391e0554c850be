package tables

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// dumpObject is one object of a dump.
type dumpObject struct {
	Number int // counted from 1 over all files
	// Where identifies the object in messages by its number in the file: "object 3", or
	// "FILE, object 3" if there are several files.
	Where string
	Model string // in lower case: loaddata's apps.get_model ignores case
	// PK and Fields are parts of the object as read.
	PK     json.RawMessage
	Fields map[string]json.RawMessage
}

// maxDumpObject limits the memory for one object, in bytes: a file that is not a dump,
// or a small one that unpacks to a huge one, must not exhaust it.
const maxDumpObject = 256 << 20

// eachDumpObject reads files that `manage.py dumpdata` wrote, in order, and calls do
// with each object; it stops at the first error that do returns. Each file is a JSON
// list, or JSON lines (--format jsonl, django/core/serializers/jsonl.py since Django
// 3.2; here, an object may span lines), optionally compressed with gzip or bzip2. Only
// the current object is in memory.
//
// Errors begin with the path of their file and show nothing of its contents; those of
// do and of ctx are returned as they are. Bytes are counted from 0, in the unpacked
// file.
func eachDumpObject(ctx context.Context, paths []string, do func(dumpObject) error) error {
	for _, path := range paths { // all of them first: reading one may take minutes
		if err := regularDump(path); err != nil {
			return err
		}
	}
	number := 0
	for i, place := range dumpPlaces(paths) {
		err := eachInDump(ctx, paths[i], func(o dumpObject) error {
			number++
			o.Number, o.Where = number, place+o.Where
			return do(o)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// regularDump refuses anything but regular files: opening a FIFO would wait for a
// writer.
func regularDump(path string) error {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return fmt.Errorf("%s: %w", path, bareDumpError(err))
	case info.IsDir():
		return fmt.Errorf("%s: it is a directory", path)
	case !info.Mode().IsRegular():
		return fmt.Errorf("%s: it is a pipe or a device, and a dump is read more than once: write it into a file", path)
	}
	return nil
}

// dumpPlaces returns the prefix that names each file in its objects' Where.
func dumpPlaces(paths []string) []string {
	places := make([]string, len(paths))
	if len(paths) == 1 {
		return places
	}
	same := map[string]int{}
	for _, path := range paths {
		same[filepath.Base(path)]++
	}
	for i, path := range paths {
		places[i] = path + ", "
		if name := filepath.Base(path); same[name] == 1 {
			places[i] = name + ", "
		}
	}
	return places
}

// dumpFile is the file of a dump being read.
type dumpFile struct {
	path   string
	text   *dumpText
	dec    *json.Decoder
	begins int64 // offset at which dec began
	list   bool  // otherwise JSON lines
	number int   // of the current object in this file
}

// eachInDump reads one file.
func eachInDump(ctx context.Context, path string, do func(dumpObject) error) error {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("%s: %w", path, bareDumpError(err))
	}
	defer f.Close()
	text, first, err := openDumpText(f)
	if err != nil {
		return fmt.Errorf("%s: %w", path, bareDumpError(err))
	}
	text.stop = ctx.Err
	d := dumpFile{path: path, text: text, dec: json.NewDecoder(text), begins: text.offset, list: first == '['}
	if d.list {
		if _, err := d.dec.Token(); err != nil {
			return d.unreadable("object 1", err)
		}
	}
	for d.dec.More() {
		d.number++
		o, err := d.object()
		if err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := do(o); err != nil {
			return err
		}
		d.text.allow(maxDumpObject)
	}
	return d.end()
}

// object reads the next object.
func (d *dumpFile) object() (dumpObject, error) {
	o := dumpObject{Where: d.where()}
	if d.list && d.number == 1 && d.next() != '{' { // any text with a bracket looks like a list
		return o, fmt.Errorf("%s: %w", d.path, errNoDump)
	}
	before := d.dec.InputOffset()
	var raw json.RawMessage
	if err := d.dec.Decode(&raw); err != nil {
		return o, d.broken(before, err)
	}
	at := d.begins + d.dec.InputOffset() - int64(len(raw))
	if raw[0] != '{' {
		return o, d.wrong(at, "it is not an object")
	}
	if i := loneSurrogate(raw); i >= 0 {
		return o, d.wrong(at+int64(i), loneSurrogateText)
	}
	members := dumpMembers(raw)
	err := json.Unmarshal(members["model"], &o.Model)
	noModel := err != nil || o.Model == ""
	o.Fields = dumpMembers(members["fields"])
	switch {
	case !d.list && d.number == 1 && (noModel || o.Fields == nil): // any JSON object looks like a line
		return o, fmt.Errorf("%s: %w", d.path, errNoDump)
	case noModel:
		return o, d.wrong(at, "it has no model")
	case o.Fields == nil:
		return o, d.wrong(at, "its fields are not an object")
	}
	o.Model, o.PK = strings.ToLower(o.Model), members["pk"]
	return o, nil
}

// end checks that nothing follows the objects.
func (d *dumpFile) end() error {
	place := "after " + d.where()
	if d.number == 0 {
		place = "object 1"
	}
	if d.list {
		at := d.dec.InputOffset()
		if _, err := d.dec.Token(); err != nil {
			return d.misplaced(place, at, "it is not JSON", err)
		}
	}
	d.dec.More() // skips to what follows
	at := d.dec.InputOffset()
	_, err := d.dec.Token()
	switch {
	case errors.Is(err, io.EOF):
		return nil
	case d.list:
		return d.misplaced(place, at, "there is more after the list (two dumps in one file? give them as two files)", err)
	}
	return d.misplaced(place, at, "it is not JSON", err)
}

// misplaced returns the error for an offset of dec, unless the file could not be read
// there at all.
func (d *dumpFile) misplaced(place string, at int64, what string, err error) error {
	var syntax *json.SyntaxError
	if err == nil || errors.As(err, &syntax) {
		return fmt.Errorf("%s: %s, byte %d: %s", d.path, place, d.begins+at, what)
	}
	return d.unreadable(place, err)
}

// broken says why the current object can't be read. before is dec's offset before it.
func (d *dumpFile) broken(before int64, err error) error {
	var syntax *json.SyntaxError
	if !errors.As(err, &syntax) {
		return d.unreadable(d.where(), err)
	}
	at := d.dec.InputOffset()
	if d.list && d.number > 1 && at == before {
		return d.wrong(d.begins+at, "it is not JSON: there is no comma before it")
	}
	// The decoder's error counts differently, but the decoder keeps what it has read.
	rest, err := io.ReadAll(d.dec.Buffered())
	if err != nil {
		return err
	}
	if errors.As(json.Unmarshal(rest, new(json.RawMessage)), &syntax) && syntax.Offset > 0 {
		at += syntax.Offset - 1
		rest = rest[syntax.Offset-1:]
	}
	if bytes.HasPrefix(rest, []byte("NaN")) || bytes.HasPrefix(rest, []byte("Infinity")) {
		// Python's json.dumps writes them.
		return d.wrong(d.begins+at, "NaN and Infinity are not JSON; leave their model out: python manage.py dumpdata --exclude APP.MODEL -o FILE")
	}
	return d.wrong(d.begins+at, "it is not JSON")
}

// dumpMembers returns the members of a JSON object as parts of raw; nil if it is not an
// object. A struct would also match names that differ in case, and encoding/json would
// check all of it once more for each level.
func dumpMembers(raw []byte) map[string]json.RawMessage {
	if len(raw) == 0 || raw[0] != '{' {
		return nil
	}
	members := map[string]json.RawMessage{}
	rest := raw[1:]
	for {
		if rest = bytes.TrimLeft(rest, dumpSpace+","); rest[0] == '}' {
			return members
		}
		name := rest[:jsonLength(rest)]
		rest = bytes.TrimLeft(rest[len(name):], dumpSpace+":")
		n := jsonLength(rest)
		members[jsonName(name)] = rest[:n:n]
		rest = rest[n:]
	}
}

// jsonName returns the name of a member.
func jsonName(raw []byte) string {
	if bytes.IndexByte(raw, '\\') < 0 {
		return string(raw[1 : len(raw)-1])
	}
	name, _, _ := dumpScalar(raw) // a string that was checked already
	return name
}

// jsonLength returns the length of the JSON value at the beginning of raw.
func jsonLength(raw []byte) int {
	if strings.IndexByte(`"{[`, raw[0]) < 0 {
		return bytes.IndexAny(raw, "}],"+dumpSpace)
	}
	depth := 0
	for i := 0; ; i++ {
		switch raw[i] {
		case '{', '[':
			depth++
		case '}', ']':
			depth--
		case '"':
			for i++; raw[i] != '"'; i++ {
				if raw[i] == '\\' {
					i++
				}
			}
		}
		if depth == 0 {
			return i + 1
		}
	}
}

// unreadable says why a file can't be read any further.
func (d *dumpFile) unreadable(place string, err error) error {
	var bad notUTF8
	switch {
	case d.text.stop() != nil:
		return d.text.stop()
	case errors.As(err, &bad):
		return fmt.Errorf("%s: %s, byte %d: %w", d.path, place, int64(bad), bad)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("%s: %s: the file ends too early", d.path, place)
	}
	return fmt.Errorf("%s: %s: %w", d.path, place, bareDumpError(err))
}

func (d *dumpFile) where() string { return "object " + strconv.Itoa(d.number) }

// wrong says what is wrong with the current object.
func (d *dumpFile) wrong(at int64, what string) error {
	return fmt.Errorf("%s: %s, byte %d: %s", d.path, d.where(), at, what)
}

// next returns the byte that More has peeked at.
func (d *dumpFile) next() byte {
	b := make([]byte, 1)
	if _, err := d.dec.Buffered().Read(b); err != nil {
		return 0
	}
	return b[0]
}

// bareDumpError returns a file's error without the path, which messages begin with.
func bareDumpError(err error) error {
	var e *fs.PathError
	if errors.As(err, &e) {
		return e.Err
	}
	return err
}

const loneSurrogateText = "half a surrogate pair, which is no character; correct the text in Django and make the dump again"

// dumpScalar returns a JSON value as text: a list or an object as compact JSON, a
// number as written. ok is false for null and for a missing value. Text that
// encoding/json would change (it replaces invalid UTF-8 and lone surrogates by U+FFFD)
// is an error.
func dumpScalar(raw json.RawMessage) (text string, ok bool, err error) {
	if raw = bytes.Trim(raw, dumpSpace); len(raw) == 0 || string(raw) == "null" {
		return "", false, nil
	}
	switch {
	case !utf8.Valid(raw):
		return "", false, errors.New("it is not UTF-8")
	case loneSurrogate(raw) >= 0:
		return "", false, errors.New(loneSurrogateText)
	case raw[0] == '"':
		err = json.Unmarshal(raw, &text)
	default:
		var b bytes.Buffer
		err = json.Compact(&b, raw)
		text = b.String()
	}
	if err != nil {
		return "", false, errors.New("it is not JSON")
	}
	return text, true, nil
}

// loneSurrogate returns the offset of the first escape of a surrogate without its other
// half (RFC 8259, section 8.2), or -1.
func loneSurrogate(raw []byte) int {
	for i := 0; i < len(raw); {
		next := bytes.IndexByte(raw[i:], '\\')
		if next < 0 {
			return -1
		}
		i += next
		half, ok := escapedUnit(raw[i:])
		switch {
		case !ok:
			i += 2 // the backslash and what it escapes
		case !utf16.IsSurrogate(half):
			i += 6
		default:
			other, _ := escapedUnit(raw[i+6:])
			if utf16.DecodeRune(half, other) == utf8.RuneError {
				return i
			}
			i += 12
		}
	}
	return -1
}

// escapedUnit returns the number in \uXXXX, if raw begins with that.
func escapedUnit(raw []byte) (rune, bool) {
	if len(raw) < 6 || raw[0] != '\\' || raw[1] != 'u' {
		return 0, false
	}
	unit, err := strconv.ParseUint(string(raw[2:6]), 16, 16)
	return rune(unit), err == nil
}
