package tables

import (
	"bufio"
	"bytes"
	"compress/bzip2"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"unicode/utf8"
)

// errNoDump is the error for a file of no known kind.
var errNoDump = errors.New("it is neither a SQLite database nor the JSON list that dumpdata writes")

const (
	dumpSpace  = " \t\r\n" // between values: RFC 8259, section 2
	dumpBuffer = 64 << 10
	dumpAgain  = "python manage.py dumpdata --format json -o FILE"
)

// dumpText reads text that is known to be UTF-8: encoding/json would silently replace
// anything else by U+FFFD.
type dumpText struct {
	r       *bufio.Reader
	stop    func() error
	offset  int64 // in the unpacked file
	checked int   // number of buffered bytes known to be UTF-8
	limit   int64 // offset up to which reading is allowed
	err     error
}

// notUTF8 is the offset of a byte that is not valid UTF-8.
type notUTF8 int64

func (notUTF8) Error() string {
	return "not UTF-8 (a dump in a Windows code page? make it again with: PYTHONUTF8=1 python manage.py dumpdata … -o FILE)"
}

// openDumpText unpacks a file and returns its text from the first byte that is not
// white space. If it isn't JSON, the error says what it is.
func openDumpText(f io.Reader) (text *dumpText, first byte, err error) {
	r, unpack, err := unpackDump(bufio.NewReaderSize(f, dumpBuffer))
	if err != nil {
		return nil, 0, endsEarly(err)
	}
	head, err := r.Peek(512)
	if len(head) == 0 && !errors.Is(err, io.EOF) {
		return nil, 0, endsEarly(err)
	}
	if kind := binaryKind(head, unpack); kind != "" {
		return nil, 0, errors.New(kind)
	}
	t := &dumpText{r: r, limit: maxDumpObject}
	if bytes.HasPrefix(head, []byte("\ufeff")) {
		t.skip(len("\ufeff"))
	}
	for {
		head, err = r.Peek(1)
		if err != nil || !strings.Contains(dumpSpace, string(head)) {
			break
		}
		t.skip(1)
	}
	switch head, err = r.Peek(dumpBuffer); {
	case len(head) == 0 && errors.Is(err, io.EOF):
		return nil, 0, errors.New("it is empty")
	case len(head) == 0:
		return nil, 0, endsEarly(err)
	case head[0] == '[', head[0] == '{':
		return t, head[0], nil
	}
	if kind := textKind(head, unpack); kind != "" {
		return nil, 0, errors.New(kind)
	}
	return nil, 0, errNoDump
}

// skip drops buffered bytes.
func (t *dumpText) skip(n int) {
	n, t.err = t.r.Discard(n)
	t.offset += int64(n)
}

// allow allows n more bytes to be read.
func (t *dumpText) allow(n int64) { t.limit = t.offset + n }

// Read implements [io.Reader]. It returns everything before the first bad byte before
// it returns the error, which is sticky. It fills p, because json.Decoder scans all
// white space again after each Read.
func (t *dumpText) Read(p []byte) (n int, err error) {
	if t.offset >= t.limit {
		return 0, fmt.Errorf("it is larger than %d MB", maxDumpObject>>20)
	}
	for n < len(p) && t.err == nil {
		if t.checked == 0 {
			t.err = t.check()
			continue
		}
		var more int
		more, t.err = t.r.Read(p[n:min(len(p), n+t.checked)])
		n += more
		t.checked -= more
		t.offset += int64(more)
	}
	if n > 0 {
		return n, nil
	}
	return 0, t.err
}

// check determines how many of the coming bytes are UTF-8: at least one, or it fails.
func (t *dumpText) check() error {
	if err := t.stop(); err != nil {
		return err
	}
	for want := 1; ; want++ {
		_, err := t.r.Peek(want)
		next, _ := t.r.Peek(t.r.Buffered())
		t.checked = validUTF8(next)
		switch {
		case t.checked > 0:
			return nil
		case len(next) > 0 && utf8.FullRune(next):
			return notUTF8(t.offset)
		case len(next) > 0 && errors.Is(err, io.EOF):
			return io.ErrUnexpectedEOF
		case err != nil:
			return err
		}
	}
}

// validUTF8 returns the number of leading bytes that are valid UTF-8.
func validUTF8(b []byte) int {
	if utf8.Valid(b) {
		return len(b)
	}
	n := 0
	for {
		r, size := utf8.DecodeRune(b[n:])
		if r == utf8.RuneError && size <= 1 {
			return n
		}
		n += size
	}
}

// endsEarly returns the error for a compressed file that is cut off before its text
// begins.
func endsEarly(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.New("object 1: the file ends too early")
	}
	return err
}

// unpackDump unpacks what Go can unpack of the formats that dumpdata selects by file
// name (django/core/management/commands/dumpdata.py). unpack is the equivalent command;
// empty if the file isn't compressed.
func unpackDump(r *bufio.Reader) (text *bufio.Reader, unpack string, err error) {
	head, _ := r.Peek(5) // an error occurs again on reading
	switch {
	case bytes.HasPrefix(head, []byte("\x1f\x8b")): // RFC 1952, section 2.3.1
		z, err := gzip.NewReader(r)
		if err != nil {
			return nil, "", err
		}
		return bufio.NewReaderSize(z, dumpBuffer), "gzip -dc", nil
	case bytes.HasPrefix(head, []byte("BZh")) && len(head) == 5 && (head[4] == 0x31 || head[4] == 0x17): // a block, or the end of the stream
		return bufio.NewReaderSize(bzip2.NewReader(r), dumpBuffer), "bzip2 -dc", nil
	}
	return r, "", nil
}

// binaryKind says what a file that is not UTF-8 text is, and how to make a readable one
// of it.
func binaryKind(head []byte, unpack string) string {
	kinds := []struct{ magic, name, tool string }{
		{"\xff\xfe\x00\x00", "UTF-32", "iconv -f UTF-32 -t UTF-8"}, // before UTF-16, whose mark this begins with
		{"\x00\x00\xfe\xff", "UTF-32", "iconv -f UTF-32 -t UTF-8"},
		{"\xff\xfe", "UTF-16 (PowerShell's > writes that, dumpdata's -o does not)", "iconv -f UTF-16 -t UTF-8"},
		{"\xfe\xff", "UTF-16", "iconv -f UTF-16 -t UTF-8"},
		{"\x28\xb5\x2f\xfd", "zstd data", "zstd -dc"}, // RFC 8878, section 3.1.1
		{"\xfd7zXZ\x00", "xz data", "xz -dc"},         // tukaani.org/xz/xz-file-format.txt
		{"\x5d\x00\x00", "lzma data", "xz -dc"},       // as Python's lzma.FORMAT_ALONE begins
		{"PK\x03\x04", "a zip archive", "unzip -p"},   // APPNOTE.TXT, section 4.3.7
		{"\x1f\x8b", "gzip data", "gzip -dc"},
		{"BZh91AY&SY", "bzip2 data", "bzip2 -dc"},
	}
	for _, kind := range kinds {
		if bytes.HasPrefix(head, []byte(kind.magic)) {
			return madeReadable(unpack, kind.name, kind.tool)
		}
	}
	if charset := wideCharset(head); charset != "" {
		return madeReadable(unpack, charset, "iconv -f "+charset+" -t UTF-8")
	}
	switch {
	case bytes.HasPrefix(head, []byte("SQLite format 3\x00")) && unpack == "": // https://sqlite.org/fileformat.html
		return "it is a SQLite database and no dump: give it alone"
	case bytes.HasPrefix(head, []byte("SQLite format 3\x00")):
		return fmt.Sprintf("unpacked it is a SQLite database: %s < FILE > NEW", unpack)
	case bytes.HasPrefix(head, []byte("PGDMP")): // pg_dump --format custom: src/bin/pg_dump/pg_backup_archiver.c
		return loadSQL("an SQL dump of pg_dump's", piped(unpack, "pg_restore --no-owner --dbname DATABASE"))
	case len(head) > 262 && string(head[257:262]) == "ustar": // POSIX.1, pax, "ustar Interchange Format"
		return "it is a tar archive; unpack it: " + piped(unpack, "tar -xf -")
	}
	return ""
}

// madeReadable names a kind of file and the command that makes it readable.
func madeReadable(unpack, name, tool string) string {
	if unpack == "" {
		return fmt.Sprintf("it is %s: %s FILE > NEW", name, tool)
	}
	tool = strings.Replace(tool, "unzip -p", "funzip", 1) // unzip can't read a pipe
	return fmt.Sprintf("unpacked it is %s: %s > NEW", name, piped(unpack, tool))
}

// piped returns a command that reads the unpacked file.
func piped(unpack, tool string) string {
	if unpack == "" {
		return tool + " < FILE"
	}
	return unpack + " < FILE | " + tool
}

// wideCharset names the encoding of JSON by the position of its NULs (RFC 4627, section
// 3), if it begins like JSON.
func wideCharset(head []byte) string {
	if len(head) < 4 {
		return ""
	}
	nuls := ""
	first := byte(0)
	for _, b := range head[:4] {
		if b == 0 {
			nuls += "0"
			continue
		}
		nuls += "x"
		if first == 0 {
			first = b
		}
	}
	if !strings.ContainsRune("[{"+dumpSpace, rune(first)) {
		return ""
	}
	switch nuls {
	case "000x":
		return "UTF-32BE"
	case "x000":
		return "UTF-32LE"
	case "0x0x":
		return "UTF-16BE"
	case "x0x0":
		return "UTF-16LE"
	}
	return ""
}

// textKind says what other kind of dump a text is.
func textKind(head []byte, unpack string) string {
	is := func(pattern string) bool { return regexp.MustCompile(pattern).Match(head) }
	switch {
	case is(`^<(\?xml|django-objects)\b`):
		return "it is XML (a dump of dumpdata --format xml?); make it with: " + dumpAgain
	case is(`^(%YAML|---\s|- *\{?(model|fields|pk) *:|- *!!)`):
		return "it is YAML (a dump of dumpdata --format yaml?); make it with: " + dumpAgain
	case is(`^/\*M?!|^-- *(MySQL|MariaDB) dump`):
		return loadSQL("an SQL dump of MySQL's or MariaDB's", piped(unpack, "mysql DATABASE"))
	case is(`^--\s*-- PostgreSQL database (cluster )?dump`):
		return loadSQL("an SQL dump of pg_dump's", piped(unpack, "psql DATABASE"))
	case is(`^(PRAGMA foreign_keys\s*=\s*OFF;\s*)?BEGIN TRANSACTION;`):
		return loadSQL("an SQL dump (of SQLite's?)", piped(unpack, "sqlite3 NEW"))
	case is(`(?i)^(--\s|/\*|(BEGIN|COMMIT|START TRANSACTION) *;|(CREATE|DROP|ALTER) +[A-Z]+ |INSERT +(INTO|OR) )`),
		is("^(PRAGMA|SET|USE|COPY|LOCK TABLES?) +[\\w.\"`]"), is(`^\\(restrict|connect)\b`):
		return loadSQL("an SQL dump", piped(unpack, "psql DATABASE")+", or so with mysql or sqlite3")
	case is(`^"?[A-Za-z_]\w*"?([,;\t]"?[A-Za-z_]\w*"?)+\r?(\n|$)`):
		return "it looks like CSV; make a dump with: " + dumpAgain
	}
	return ""
}

// loadSQL says what to do with an SQL dump.
func loadSQL(name, command string) string {
	return fmt.Sprintf("it is %s; load it into a database and give that (%s), or make a dump with: %s", name, command, dumpAgain)
}
