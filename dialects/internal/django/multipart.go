package django

import (
	"bytes"
	"encoding/base64"
	"regexp"
	"strings"

	"github.com/authcompat/authcompat/dialects/internal/pyjson"
)

// MultipartError is a multipart body that Django can't begin to read, with
// MultiPartParserError's text.
type MultipartError struct{ Text string }

func (e *MultipartError) Error() string { return e.Text }

// maxPartHeader is how many bytes of a part are searched for the end of its
// header (django/http/multipartparser.py, parse_boundary_stream).
const maxPartHeader = 1024

// validBoundary is cgi.valid_boundary.
var validBoundary = regexp.MustCompile(`^[ -~]{0,200}[!-~]$`)

// ParseMultipart reads a multipart/form-data body as Django 3.2 does
// (django/http/multipartparser.py): forgiving about what surrounds the parts and
// about a missing end. Values are text fields, files the names of fields that
// held a file. contentType is the header as it came.
func ParseMultipart(body []byte, contentType string, charset pyjson.Charset) (values Values, files map[string]bool, err error) {
	for i := 0; i < len(contentType); i++ {
		if contentType[i] >= 0x80 {
			return nil, nil, &MultipartError{"Invalid non-ASCII Content-Type in multipart: " + Latin1(contentType)}
		}
	}
	_, params := ParseHeader(contentType)
	boundary := Get(params, "boundary")
	if boundary == "" {
		return nil, nil, &MultipartError{"Invalid boundary in multipart: None"}
	}
	if !validBoundary.MatchString(boundary) {
		return nil, nil, &MultipartError{"Invalid boundary in multipart: " + boundary}
	}
	values, files = make(Values), make(map[string]bool)
	fields := 0
	for _, raw := range splitParts(body, "--"+boundary) {
		p, ok := readPart(raw, charset)
		if !ok {
			continue
		}
		if p.file {
			files[p.name] = true
			continue
		}
		if fields++; fields > MaxFields {
			return nil, nil, ErrTooManyFields
		}
		values[p.name] = p.value
	}
	return values, files, nil
}

// splitParts cuts a body at each separator and drops the line end before it.
// What follows the last separator is a part too.
func splitParts(body []byte, separator string) [][]byte {
	var parts [][]byte
	for {
		before, after, found := bytes.Cut(body, []byte(separator))
		if found {
			before = bytes.TrimSuffix(before, []byte("\n"))
			before = bytes.TrimSuffix(before, []byte("\r"))
		}
		parts = append(parts, before)
		if !found {
			return parts
		}
		body = after
	}
}

// part is one field of a multipart body.
type part struct {
	name  string
	value string
	file  bool
}

// readPart reads a part; ok is false for what is no field: the text around the
// parts, a header without a name, a file without a file name.
func readPart(raw []byte, charset pyjson.Charset) (p part, ok bool) {
	head := raw[:min(len(raw), maxPartHeader)]
	end := bytes.Index(head, []byte("\r\n\r\n"))
	if end < 0 {
		return part{}, false
	}
	var disposition []Param
	var found bool
	encoding := ""
	for line := range strings.SplitSeq(string(raw[:end]), "\r\n") {
		name, rest, colon := strings.Cut(line, ":")
		if !colon {
			continue
		}
		value, params := ParseHeader(rest)
		switch strings.ToLower(strings.TrimRight(name, " \t")) {
		case "content-disposition":
			disposition, found = params, true
		case "content-transfer-encoding":
			encoding = strings.TrimSpace(value)
		}
	}
	p.name = strings.TrimSpace(charset.DecodeReplacing([]byte(Get(disposition, "name"))))
	if !found || Get(disposition, "name") == "" {
		return part{}, false
	}
	if Get(disposition, "filename") != "" {
		p.file = true
		return p, true
	}
	data := raw[end+4:]
	if encoding == "base64" {
		if decoded, err := base64.StdEncoding.DecodeString(string(data)); err == nil {
			data = decoded
		}
	}
	p.value = charset.DecodeReplacing(data)
	return p, true
}
