package yamlfile

import (
	"bytes"
	"sort"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/unicode"
	"gopkg.in/yaml.v3"
)

// characters checks that a file is UTF-8 and has only characters that YAML allows. The
// library does not say where others are.
func (r *Reader) characters(data []byte) bool {
	line, column := 1, 1
	for len(data) > 0 {
		c, size := utf8.DecodeRune(data)
		switch {
		case c == utf8.RuneError && size == 1:
			r.Add(r.position(line, column), "", "byte 0x%02x is not UTF-8", data[0])
			return false
		case c == 0:
			r.Add(r.position(line, column), "", "NUL is not a character of YAML")
			return false
		case c < ' ' && c != '\t' && c != '\n' && c != '\r', c >= 0x7f && c < 0xa0 && c != 0x85, c == 0xfffe, c == 0xffff:
			r.Add(r.position(line, column), "", "control character %U is not a character of YAML", c)
			return false
		}
		column++
		if c == '\n' {
			line, column = line+1, 1
		}
		data = data[size:]
	}
	return true
}

// decodeUTF16 returns a file in UTF-8 that begins with the mark of UTF-16, and others as they are.
func decodeUTF16(data []byte) []byte {
	if !bytes.HasPrefix(data, []byte("\xff\xfe")) && !bytes.HasPrefix(data, []byte("\xfe\xff")) {
		return data
	}
	decoded, err := unicode.UTF16(unicode.LittleEndian, unicode.ExpectBOM).NewDecoder().Bytes(data)
	if err != nil {
		return data // whose first byte is refused
	}
	return decoded
}

// syntax adds an error of the library, which names a line at best.
func (r *Reader) syntax(err error, data []byte) {
	if rest, ok := strings.CutPrefix(err.Error(), "yaml: unknown anchor '"); ok {
		name, _, _ := strings.Cut(rest, "'")
		line, column := find(data, "*"+name)
		r.Add(r.position(line, column), "", "alias *%s has no anchor &%s before it", name, name)
		return
	}
	text, line := parseYAMLError(err)
	if strings.HasPrefix(text, "did not find expected key") || strings.HasPrefix(text, "did not find expected '-'") {
		line = locate(data, text)
	}
	lines := strings.Split(string(data), "\n")
	line = min(line, len(lines))
	content := strings.TrimLeft(lines[line-1], " ")
	column := len(lines[line-1]) - len(content) + 1
	if tab := r.Format.Tab; tab != "" && strings.HasPrefix(content, "\t") {
		text = tab
	}
	r.Add(r.position(line, column), "", "%s", text)
}

// parseYAMLError gives the text of an error of the library, and the line where the
// broken part begins. The library counts the lines of its scanner from 1, and those of
// its parser from 0.
func parseYAMLError(err error) (text string, line int) {
	text = strings.TrimPrefix(err.Error(), "yaml: ")
	rest, ok := strings.CutPrefix(text, "line ")
	if !ok {
		return text, 1
	}
	number, text, _ := strings.Cut(rest, ": ")
	line, _ = strconv.Atoi(number)
	for _, ofParser := range []string{
		"did not find expected <", "did not find expected node content", "did not find expected key",
		"did not find expected '-' indicator", "did not find expected ',' or", "found undefined tag handle",
		"found duplicate %", "found incompatible YAML document",
	} {
		if strings.HasPrefix(text, ofParser) {
			return text, line + 1
		}
	}
	return text, line
}

// locate gives the first line with which the library fails with a message: the error in
// a block can be far below its beginning.
func locate(data []byte, text string) int {
	lines := bytes.SplitAfter(data, []byte("\n"))
	return 1 + sort.Search(len(lines)-1, func(i int) bool {
		var n yaml.Node
		err := yaml.Unmarshal(bytes.Join(lines[:i+1], nil), &n)
		if err == nil {
			return false
		}
		got, _ := parseYAMLError(err)
		return got == text
	})
}

// find finds a text outside of comments. It gives 1, 1 if there is none.
func find(data []byte, text string) (line, column int) {
	for i, content := range strings.Split(string(data), "\n") {
		at := strings.Index(content, text)
		if at >= 0 && !strings.Contains(content[:at], "#") {
			return i + 1, utf8.RuneCountInString(content[:at]) + 1
		}
	}
	return 1, 1
}
