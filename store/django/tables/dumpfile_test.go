package tables

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

// annInDump is an object as Django 3.2 writes it.
const annInDump = `{"model": "auth.user", "pk": 1, "fields": {"username": "ann", "last_login": null, "groups": []}}`

// mustDumpFile writes a file and returns its path.
func mustDumpFile(tb testing.TB, name, content string) string {
	tb.Helper()
	path := filepath.Join(tb.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		tb.Fatal(err)
	}
	return path
}

func gzipped(tb testing.TB, content string) string {
	tb.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, err := z.Write([]byte(content))
	if err = errors.Join(err, z.Close()); err != nil {
		tb.Fatal(err)
	}
	return b.String()
}

// bzipped is `[` + annInDump + `]` packed by bzip2 1.0.8; Go has no compressor for it.
const bzipped = "BZh91AY&SY<\x888\xd7\x00\x00\x13\x9b\x80P\x05 \x10\x00\x0a\xa7\xef\xde\x0a \x00TT\xc9\xe8\x9az\x134j`\xd0jz\x91\xe54i\xa6\x87" +
	"\xa8\xd1\xe9\x080\x00\x80\xd6\xa37\x88e\x01ruY\x8e\x92\"\x06\xbfoy\xac\x8b\xc5\xec\xf5\x0a\xa5\xf9\xd6\xce\x0ebm\x02r\xc8\x19\x08y\xe8\xaa1 P\x93$H" +
	".\xb4\xcf\xfe\x0b\xb9\"\x9c(H\x1eD\x1ck\x80"

// dumped returns what is read, one line per object.
func dumped(tb testing.TB, paths ...string) ([]string, error) {
	tb.Helper()
	var lines []string
	err := eachDumpObject(tb.Context(), paths, func(o dumpObject) error {
		pk, _, err := dumpScalar(o.PK)
		if err != nil {
			return err
		}
		name, ok, err := dumpScalar(o.Fields["username"])
		if !ok {
			name = "none"
		}
		lines = append(lines, fmt.Sprintf("%d %s: %s %s %s", o.Number, o.Where, o.Model, pk, name))
		return err
	})
	return lines, err
}

func TestDumpFile(t *testing.T) {
	ann := []string{"1 object 1: auth.user 1 ann"}
	list := "[" + annInDump + "]"
	tests := []struct {
		name, content string
		want          []string
	}{
		{"list", list, ann},
		{"empty list", "[]", nil},
		{"empty list, indented", "[\n]\n", nil},
		{"spaces around", " \r\n\t[ " + annInDump + "\n]\n \r\n", ann},
		{"many spaces before", strings.Repeat(" ", 200_000) + list, ann},
		{"mark", "\ufeff" + list, ann},
		{"gzip", gzipped(t, list), ann},
		{"gzip in parts", gzipped(t, list[:20]) + gzipped(t, list[20:]), ann},
		{"mark in gzip", gzipped(t, "\ufeff"+list), ann},
		{"bzip2", bzipped, ann},
		{"lines", annInDump + "\n\n" + annInDump + "\n", []string{ann[0], "2 object 2: auth.user 1 ann"}},
		{"lines without the last end", annInDump + "\r\n" + annInDump, []string{ann[0], "2 object 2: auth.user 1 ann"}},
		{"lines in gzip, with a mark", gzipped(t, "\ufeff"+annInDump), ann},
		{"names are exact", `[{"Model": "a", "model": "auth.user", "MODEL": "b", "Pk": 2, "pk": 1, "Fields": 1, "fields": {"username": "ann", "Username": "bob"}}]`, ann},
		{"the last of two members", `[{"model": "x", "pk": 7, "fields": {"username": "bob"}, "model": "auth.user", "pk": 1, "fields": {"username": "ann"}}]`, ann},
		{"escaped names", `[{"\u006dodel": "auth.user", "pk": 1, "fields": {"user\u006eame": "ann"}}]`, ann},
		{"more members", `[{"natural": {"a": [1]}, "model": "auth.user", "pk": 1, "fields": {"username": "ann"}}]`, ann},
		{"case of a model", `[{"model": "auth.User", "pk": 1, "fields": {"username": "ann"}}]`, ann},
		{"no pk", `[{"model": "a.b", "fields": {}}]`, []string{"1 object 1: a.b  none"}},
		{"pk null", `[{"model": "a.b", "pk": null, "fields": {"username": null}}]`, []string{"1 object 1: a.b  none"}},
		{"characters", `[{"model": "a.b", "pk": "é", "fields": {"username": "\ud83d\ude00 😀 \\ud800 \ufffd ` + "\ufffd" + ` \u0000"}}]`,
			[]string{"1 object 1: a.b é 😀 😀 \\ud800 \ufffd \ufffd \x00"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := dumped(t, mustDumpFile(t, "dump.json", test.content))
			if diff := cmp.Diff(test.want, got); diff != "" || err != nil {
				t.Errorf("%v\n%s", err, diff)
			}
		})
	}
}

// dumpRefusal is an error and the files that are refused with it.
type dumpRefusal struct {
	name     string
	want     string // after the path
	contents []string
}

func (r dumpRefusal) run(t *testing.T) {
	for _, content := range r.contents {
		path := mustDumpFile(t, "dump", content)
		if _, err := dumped(t, path); err == nil || err.Error() != path+": "+r.want {
			t.Errorf("%q: %v; want %s", content, err, r.want)
		}
	}
}

func TestDumpFileErrors(t *testing.T) {
	const secret = `{"model": "auth.user", "pk": 1, "fields": {"password": "secret"}}` // 65 bytes
	const neither = "it is neither a SQLite database nor the JSON list that dumpdata writes"
	const early = "the file ends too early"
	const page = "not UTF-8 (a dump in a Windows code page? make it again with: PYTHONUTF8=1 python manage.py dumpdata … -o FILE)"
	const half = "half a surrogate pair, which is no character; correct the text in Django and make the dump again"
	const more = "there is more after the list (two dumps in one file? give them as two files)"
	const nan = "NaN and Infinity are not JSON; leave their model out: python manage.py dumpdata --exclude APP.MODEL -o FILE"
	packed := gzipped(t, "["+secret+"]")
	tests := []dumpRefusal{
		{"nothing", "it is empty", []string{"", "\ufeff \n", gzipped(t, "")}},
		{"no dump", neither, []string{"secret words", `"secret"`, "1", "null", `{"secret": 1}`, `{"model": "secret", "layers": 1}`, "[1, 2]", "[secret]\na = b\n"}},
		{"no model", "object 1, byte 1: it has no model", []string{`[{"pk": 1, "fields": {}}]`, `[{"model": null, "fields": {}}]`, `[{"model": 1, "fields": {}}]`, `[{"Model": "auth.user", "fields": {}}]`}},
		{"no fields", "object 1, byte 1: its fields are not an object", []string{`[{"model": "auth.user", "fields": null}]`, `[{"model": "auth.user", "fields": ["secret"]}]`}},
		{"cut off in the first object", "object 1: " + early, []string{"[", `[{"model": "é`[:13], packed[:len(packed)-20], packed[:5], bzipped[:60]}},
		{"cut off in a later object", "object 2: " + early, []string{"[" + secret + ", " + secret[:60], "[" + secret + ",\n", secret + "\n" + secret[:64]}},
		{"cut off after an object", "after object 1: " + early, []string{"[" + secret, packed[:len(packed)-3]}},
		{"half a pair", "object 1, byte 35: " + half, []string{`[{"model": "a.b", "fields": {"x": "\udc00\ud800"}}]`, `[{"model": "a.b", "fields": {"x": "\ud83d\ud83d\ude00"}}]`}},
		{"code page in a name", "object 1, byte 30: " + page, []string{`[{"model": "a.b", "fields": {"` + "\xff\": 1}}]"}},
		{"not an object", "object 2, byte 68: it is not an object", []string{"[" + secret + ", null]"}},
		{"no fields at all", "object 2, byte 67: its fields are not an object", []string{"[" + secret + `,{"model": "auth.user"}]`}},
		{"line without a model", "object 2, byte 66: it has no model", []string{secret + "\n{}\n"}},
		{"line that is no object", "object 2, byte 66: it is not an object", []string{secret + "\n[]\n"}},
		{"wrong sum of gzip", "after object 1: gzip: invalid checksum", []string{packed[:len(packed)-8] + "secretse"}},
		{"not JSON", "object 1, byte 11: it is not JSON", []string{`[{"model": secret}]`}},
		{"not JSON, later", "object 3, byte 143: it is not JSON", []string{"[" + secret + "," + secret + `,{"a": "b",}]`}},
		{"not JSON, line", "object 2, byte 67: it is not JSON", []string{secret + "\n{secret}"}},
		{"not JSON, after a mark", "object 1, byte 9: it is not JSON", []string{"\ufeff\n" + `{"a" "secret"}`}},
		{"control character", "object 1, byte 14: it is not JSON", []string{"[{\"a\": \"secret\n\"}]"}},
		{"comma at the end", "object 2, byte 67: it is not JSON", []string{"[" + secret + ",]"}},
		{"no comma", "object 2, byte 67: it is not JSON: there is no comma before it", []string{"[" + secret + " " + secret + "]"}},
		{"wrong end", "after object 1, byte 66: it is not JSON", []string{"[" + secret + "}"}},
		{"NaN", "object 1, byte 34: " + nan, []string{`[{"model": "a.b", "fields": {"x": NaN}}]`}},
		{"-Infinity", "object 1, byte 35: " + nan, []string{`[{"model": "a.b", "fields": {"x": -Infinity}}]`}},
		{"two lists", "after object 1, byte 68: " + more, []string{"[" + secret + "]\n[" + secret + "]"}},
		{"garbage after the list", "object 1, byte 2: " + more, []string{"[]secret"}},
		{"] after lines", "after object 1, byte 66: it is not JSON", []string{secret + "\n]"}},
		{"code page", "object 2, byte 82: " + page, []string{"[" + secret + `, {"model": "caf` + "\xe9 secret\"}]"}},
		{"code page, packed, with a mark", "object 1, byte 18: " + page, []string{gzipped(t, "\ufeff"+`[{"model": "caf`+"\xe9 secret\"}]")}},
		{"code page in a member that is not used", "object 1, byte 39: " + page, []string{`[{"model": "a.b", "fields": {}, "x": ["` + "\xff\"]}]"}},
		{"code page between objects", "after object 1, byte 66: " + page, []string{"[" + secret + "\xa0," + secret + "]"}},
		{"bytes of a surrogate", "object 1, byte 12: " + page, []string{`[{"model": "` + "\xed\xa0\x80\"}]"}},
		{"high half", "object 2, byte 103: " + half, []string{"[" + secret + `,{"model": "a.b", "fields": {"x": "\\\ud800"}}]`}},
		{"half in a name", "object 1, byte 30: " + half, []string{`[{"model": "a.b", "fields": {"\ud83dx": 1}}]`}},
		{"half in a member that is not used", "object 1, byte 45: " + half, []string{`[{"model": "a.b", "fields": {}, "x": {"y": ["\udfff"]}}]`}},
	}
	for _, test := range tests {
		t.Run(test.name, test.run)
	}
}

func TestDumpOfOtherKinds(t *testing.T) {
	const again = "python manage.py dumpdata --format json -o FILE"
	const load = "load it into a database and give that "
	sqlite := "SQLite format 3\x00" + strings.Repeat("\x00", 100)
	tests := []dumpRefusal{
		{"XML", "it is XML (a dump of dumpdata --format xml?); make it with: " + again, []string{`<?xml version="1.0" encoding="utf-8"?>` + "\n<django-objects>", "\n<django-objects version=\"1.0\">"}},
		{"YAML", "it is YAML (a dump of dumpdata --format yaml?); make it with: " + again, []string{"- model: auth.user\n  pk: 1\n", "- fields: {a: 1}\n  model: auth.user\n", gzipped(t, "---\n- model: auth.user\n")}},
		{"MySQL, MariaDB", "it is an SQL dump of MySQL's or MariaDB's; " + load + "(mysql DATABASE < FILE), or make a dump with: " + again, []string{"-- MySQL dump 10.13  Distrib 8.0\n", "/*!40101 SET NAMES utf8 */;\n", "/*M!999999\\- enable the sandbox mode */ \n"}},
		{"SQLite .dump, Python iterdump", "it is an SQL dump (of SQLite's?); " + load + "(sqlite3 NEW < FILE), or make a dump with: " + again, []string{"PRAGMA foreign_keys=OFF;\nBEGIN TRANSACTION;\n", "BEGIN TRANSACTION;\nCREATE TABLE"}},
		{"SQL", "it is an SQL dump; " + load + "(psql DATABASE < FILE, or so with mysql or sqlite3), or make a dump with: " + again, []string{"create table `auth_user` (", "INSERT INTO auth_user VALUES ('secret')", "-- users\n"}},
		{"CSV", "it looks like CSV; make a dump with: " + again, []string{"id,password,username\n1,secret,ann\n", "\ufeff\"id\";\"password\"\r\n"}},
		{"UTF-16, little", "it is UTF-16 (PowerShell's > writes that, dumpdata's -o does not): iconv -f UTF-16 -t UTF-8 FILE > NEW", []string{"\xff\xfe[\x00]\x00"}},
		{"UTF-16, big", "it is UTF-16: iconv -f UTF-16 -t UTF-8 FILE > NEW", []string{"\xfe\xff\x00[\x00]"}},
		{"UTF-16 without a mark, little", "it is UTF-16LE: iconv -f UTF-16LE -t UTF-8 FILE > NEW", []string{"[\x00]\x00"}},
		{"UTF-16 without a mark, big", "it is UTF-16BE: iconv -f UTF-16BE -t UTF-8 FILE > NEW", []string{"\x00[\x00{"}},
		{"UTF-32, little", "it is UTF-32: iconv -f UTF-32 -t UTF-8 FILE > NEW", []string{"\xff\xfe\x00\x00[\x00\x00\x00"}},
		{"UTF-32 without a mark, big", "it is UTF-32BE: iconv -f UTF-32BE -t UTF-8 FILE > NEW", []string{"\x00\x00\x00[\x00\x00\x00]"}},
		{"UTF-32 without a mark, little", "it is UTF-32LE: iconv -f UTF-32LE -t UTF-8 FILE > NEW", []string{"[\x00\x00\x00]\x00\x00\x00"}},
		{"UTF-16 in gzip", "unpacked it is UTF-16: gzip -dc < FILE | iconv -f UTF-16 -t UTF-8 > NEW", []string{gzipped(t, "\xfe\xff\x00[\x00]")}},
		{"zstd", "it is zstd data: zstd -dc FILE > NEW", []string{"\x28\xb5\x2f\xfd\x24"}},
		{"xz", "it is xz data: xz -dc FILE > NEW", []string{"\xfd7zXZ\x00\x00"}},
		{"lzma", "it is lzma data: xz -dc FILE > NEW", []string{"\x5d\x00\x00\x80\x00\xff"}},
		{"zip", "it is a zip archive: unzip -p FILE > NEW", []string{"PK\x03\x04\x14\x00"}},
		{"zip in gzip", "unpacked it is a zip archive: gzip -dc < FILE | funzip > NEW", []string{gzipped(t, "PK\x03\x04\x14\x00")}},
		{"gzip twice", "unpacked it is gzip data: gzip -dc < FILE | gzip -dc > NEW", []string{gzipped(t, gzipped(t, "[]"))}},
		{"tar in gzip", "it is a tar archive; unpack it: gzip -dc < FILE | tar -xf -", []string{gzipped(t, "a.json"+strings.Repeat("\x00", 251)+"ustar\x00")}},
		{"SQLite", "it is a SQLite database and no dump: give it alone", []string{sqlite}},
		{"SQLite in gzip", "unpacked it is a SQLite database: gzip -dc < FILE > NEW", []string{gzipped(t, sqlite)}},
		{"pg_dump", "it is an SQL dump of pg_dump's; " + load + "(psql DATABASE < FILE), or make a dump with: " + again, []string{"--\n-- PostgreSQL database dump\n--\n"}},
		{"pg_dump in gzip", "it is an SQL dump of pg_dump's; " + load + "(gzip -dc < FILE | psql DATABASE), or make a dump with: " + again, []string{gzipped(t, "--\n-- PostgreSQL database dump\n--\n")}},
		{"pg_dump, custom", "it is an SQL dump of pg_dump's; " + load + "(pg_restore --no-owner --dbname DATABASE < FILE), or make a dump with: " + again, []string{"PGDMP\x01\x0e\x00"}},
	}
	for _, test := range tests {
		t.Run(test.name, test.run)
	}
}

func TestDumpFiles(t *testing.T) {
	a, b := mustDumpFile(t, "a.json", "["+annInDump+","+annInDump+"]"), mustDumpFile(t, "b.jsonl.gz", gzipped(t, annInDump))
	other := mustDumpFile(t, "a.json", annInDump)
	tests := []struct{ paths, want []string }{
		{[]string{a, b}, []string{
			"1 a.json, object 1: auth.user 1 ann", "2 a.json, object 2: auth.user 1 ann", "3 b.jsonl.gz, object 1: auth.user 1 ann"}},
		{[]string{other, b, a}, []string{ // two files of the same name
			"1 " + other + ", object 1: auth.user 1 ann", "2 b.jsonl.gz, object 1: auth.user 1 ann",
			"3 " + a + ", object 1: auth.user 1 ann", "4 " + a + ", object 2: auth.user 1 ann"}},
	}
	for _, test := range tests {
		got, err := dumped(t, test.paths...)
		if diff := cmp.Diff(test.want, got); diff != "" || err != nil {
			t.Errorf("%v\n%s", err, diff)
		}
	}
}

// An unreadable file is noticed before the first one is read.
func TestDumpFilesThatAreNone(t *testing.T) {
	good, folder := mustDumpFile(t, "a.json", "["+annInDump+"]"), t.TempDir()
	missing := filepath.Join(folder, "missing")
	for path, want := range map[string]string{
		folder:      "it is a directory",
		mustFifo(t): "it is a pipe or a device, and a dump is read more than once: write it into a file",
		"/dev/null": "it is a pipe or a device, and a dump is read more than once: write it into a file",
		missing:     "no such file or directory",
	} {
		lines, err := dumped(t, good, path)
		if err == nil || err.Error() != path+": "+want || lines != nil || errors.Is(err, os.ErrNotExist) != (path == missing) {
			t.Errorf("%s: %v, %v", path, lines, err)
		}
	}
}

func TestDumpStops(t *testing.T) {
	path := mustDumpFile(t, "a.json", "["+annInDump+","+annInDump+","+annInDump+"]")
	enough := errors.New("enough")
	n := 0
	err := eachDumpObject(t.Context(), []string{path, path}, func(dumpObject) error { n++; return enough })
	if err != enough || n != 1 {
		t.Errorf("%d objects, %v", n, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	n = 0
	err = eachDumpObject(ctx, []string{path}, func(dumpObject) error { n++; cancel(); return nil })
	if err != context.Canceled || n != 1 {
		t.Errorf("%d objects, %v", n, err)
	}
	if err := eachDumpObject(ctx, []string{path}, nil); err != context.Canceled {
		t.Error(err)
	}
}

// Characters and objects may straddle the end of any buffer.
func TestDumpOfLargeObjects(t *testing.T) {
	var content strings.Builder
	var want []int
	content.WriteString("[")
	for i, size := range []int{1, dumpBuffer - 100, dumpBuffer, dumpBuffer + 1, 1 << 18, 7} {
		if i > 0 {
			content.WriteString(",")
		}
		fmt.Fprintf(&content, `{"model": "a.b", "pk": %d, "fields": {"username": "%s"}}`, i, strings.Repeat("é€😀", size))
		want = append(want, size)
	}
	content.WriteString("]")
	for _, content := range []string{content.String(), gzipped(t, content.String())} {
		var got []int
		err := eachDumpObject(t.Context(), []string{mustDumpFile(t, "a", content)}, func(o dumpObject) error {
			text, _, err := dumpScalar(o.Fields["username"])
			if strings.Trim(text, "é€😀") != "" {
				t.Errorf("object %d is damaged", o.Number)
			}
			got = append(got, utf8.RuneCountInString(text)/3)
			return err
		})
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%v\n%s", err, diff)
		}
	}
}

// The offset of a byte that is not UTF-8 is right wherever the buffers end.
func TestDumpOffsets(t *testing.T) {
	for shift := range 9 {
		at := dumpBuffer - 4 + shift
		begin := `[{"model": "a.b", "fields": {"x": "`
		content := begin + strings.Repeat("a", at-len(begin)) + "\xe2\x82" + `"}}]`
		path := mustDumpFile(t, "a.json", content)
		_, err := dumped(t, path)
		if want := fmt.Sprintf("%s: object 1, byte %d: not UTF-8", path, at); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%v; want %s", err, want)
		}
	}
}

// A small file that unpacks to a huge one does not exhaust memory.
func TestDumpTooLarge(t *testing.T) {
	const size = 3 * dumpBuffer
	text, _, err := openDumpText(strings.NewReader(strings.Repeat("[", size)))
	if err != nil {
		t.Fatal(err)
	}
	text.stop = t.Context().Err
	text.allow(dumpBuffer)
	got, err := io.ReadAll(text)
	if err == nil || err.Error() != "it is larger than 256 MB" || len(got) < dumpBuffer || len(got) >= size {
		t.Errorf("%d bytes, %v", len(got), err)
	}
}

func TestDumpScalar(t *testing.T) {
	tests := []struct {
		raw, want string
		ok        bool
	}{
		{raw: ""},
		{raw: "null"},
		{raw: `""`, ok: true},
		{raw: `"null"`, want: "null", ok: true},
		{raw: `"a\"\\\/\u00e9\ud83d\ude00\u0000\ufffd"`, want: "a\"\\/é😀\x00\ufffd", ok: true},
		{raw: `"\u2028<&>"`, want: "\u2028<&>", ok: true},
		{raw: "true", want: "true", ok: true},
		{raw: "-12345678901234567890.10e+2", want: "-12345678901234567890.10e+2", ok: true},
		{raw: "[]", want: "[]", ok: true},
		{raw: "[ 1,\n\t\"a b\\u00e9<\" ]", want: `[1,"a b\u00e9<"]`, ok: true},
		{raw: `{"b": {"a": null}}`, want: `{"b":{"a":null}}`, ok: true},
	}
	for _, test := range tests {
		got, ok, err := dumpScalar(json.RawMessage(test.raw))
		if got != test.want || ok != test.ok || err != nil {
			t.Errorf("%s: %q, %v, %v", test.raw, got, ok, err)
		}
	}
	for _, raw := range []string{`"\ud800"`, `["\udc00"]`, "\"\xff\"", "[\"\xff\"]", `"\ud8`, `"a`, "NaN", "[1", `"a" 1`, "\u00a01"} {
		if text, ok, err := dumpScalar(json.RawMessage(raw)); text != "" || ok || err == nil {
			t.Errorf("%q: %q, %v", raw, text, ok)
		}
	}
}

// FuzzDumpFile reads files: whatever they contain, each text of an object is UTF-8, and
// an error is a single line that begins with the path. Members match those that
// encoding/json finds.
func FuzzDumpFile(f *testing.F) {
	for _, content := range []string{
		"[" + annInDump + "]", annInDump + "\n" + annInDump, "[]", "\ufeff[]", gzipped(f, "["+annInDump+"]"), bzipped,
		`[{"model": "a.b", "pk": [1, "\ud83d\ude00"], "fields": {"a\u0000": "\ud800", "b": {"c": "` + "\xe9" + `"}, "d": NaN}}]`,
		"\xff\xfe[\x00]\x00", "--\n-- PostgreSQL database dump", "- model: a", "a,b\n", "<?xml", "PK\x03\x04", "",
		` {"a\u0062": "\\\"}", "": {"]": [[], -1, {"x": "{"}]} ,"c":1,"c":null} `,
	} {
		f.Add([]byte(content))
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		raw := bytes.Trim(content, dumpSpace)
		var want map[string]json.RawMessage
		if utf8.Valid(raw) && loneSurrogate(raw) < 0 && json.Unmarshal(raw, &want) == nil {
			if diff := cmp.Diff(want, dumpMembers(raw)); diff != "" {
				t.Error(diff)
			}
		}
		path := mustDumpFile(t, "dump.json", string(content))
		n := 0
		err := eachDumpObject(t.Context(), []string{path}, func(o dumpObject) error {
			if n++; o.Number != n || o.Model == "" || o.Fields == nil || !utf8.ValidString(o.Model) {
				t.Errorf("object %d: %d %q %v", n, o.Number, o.Model, o.Fields)
			}
			if text, _, err := dumpScalar(o.PK); err != nil || !utf8.ValidString(text) {
				t.Errorf("object %d: pk %q, %v", n, text, err)
			}
			for name, raw := range o.Fields {
				text, _, err := dumpScalar(raw)
				if err != nil || !utf8.ValidString(text) || !utf8.ValidString(name) {
					t.Errorf("object %d: %q %q, %v", n, name, text, err)
				}
			}
			return nil
		})
		if err != nil && (!strings.HasPrefix(err.Error(), path+": ") || strings.Contains(err.Error(), "\n")) {
			t.Errorf("error %q", err)
		}
	})
}
