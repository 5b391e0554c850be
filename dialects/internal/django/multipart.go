package django

import (
	"bytes"
	"html"
	"iter"
	"regexp"
	"strings"

	"github.com/authcompat/authcompat/dialects/internal/pyjson"
)

// MultipartError is a multipart body that Django refuses, with the text of its
// MultiPartParserError.
type MultipartError struct{ Text string }

// Error is MultiPartParserError's text.
func (e *MultipartError) Error() string { return e.Text }

// The limits of a multipart body (django/http/multipartparser.py and the settings
// DATA_UPLOAD_MAX_NUMBER_FIELDS and DATA_UPLOAD_MAX_NUMBER_FILES).
const (
	// maxPartHeader is how many bytes of a part are searched for the end of its
	// header.
	maxPartHeader = 1024
	// maxParts is MaxFields and the two empty parts around the boundaries.
	maxParts = MaxFields + 2
	maxFiles = 100
)

// Multipart is what a multipart body holds: text fields by name, and the names
// of uploaded files by the name of their field.
type Multipart struct {
	Values Values
	Files  map[string]string
}

// ParseMultipart reads a multipart/form-data body as Django 3.2 does
// (django/http/multipartparser.py), which ignores text around the parts and a missing
// end. contentType is the header as it came. The error is a
// *MultipartError, or ErrTooManyFields for too many fields or files.
func ParseMultipart(body []byte, contentType string, charset pyjson.Charset) (Multipart, error) {
	boundary, err := boundaryOf(contentType)
	if err != nil {
		return Multipart{}, err
	}
	m := Multipart{make(Values), make(map[string]string)}
	parts, files := 0, 0
	for raw, last := range splitParts(body, "--"+boundary) {
		p := readPart(raw, charset)
		if p.kind == partFile {
			files++
		} else {
			parts++
		}
		if parts > maxParts || files > maxFiles {
			return Multipart{}, ErrTooManyFields
		}
		switch {
		case !p.named:
		case p.kind == partField:
			m.Values[p.name] = p.text()
		case p.kind == partFile && p.filename != "":
			if !p.readable() {
				return Multipart{}, &MultipartError{"Could not decode base64 data."}
			}
			// Django completes a file when the next part begins, and not without one.
			if !last {
				m.Files[p.name] = p.filename
			}
		}
	}
	return m, nil
}

// validBoundary is cgi.valid_boundary.
var validBoundary = regexp.MustCompile(`^[ -~]{0,200}[!-~]$`)

// boundaryOf gives the boundary that a Content-Type names (MultiPartParser.
// __init__).
func boundaryOf(contentType string) (string, error) {
	if !strings.HasPrefix(contentType, "multipart/") {
		return "", &MultipartError{"Invalid Content-Type: " + Latin1(contentType)}
	}
	for i := range len(contentType) {
		if contentType[i] >= 0x80 {
			return "", &MultipartError{"Invalid non-ASCII Content-Type in multipart: " + Latin1(contentType)}
		}
	}
	h, _ := ParseHeader(contentType)
	boundary, ok := h.Lookup("boundary")
	if !ok {
		return "", &MultipartError{"Invalid boundary in multipart: None"}
	}
	if !validBoundary.MatchString(boundary.Value) {
		return "", &MultipartError{"Invalid boundary in multipart: " + boundary.Value}
	}
	return boundary.Value, nil
}

// splitParts cuts a body at each separator and drops the line end before it.
// What follows the last separator is a part too, unless it is empty. One part is
// found at a time: a body may have more than anybody reads. last says that no other
// one follows.
func splitParts(body []byte, separator string) iter.Seq2[[]byte, bool] {
	return func(yield func(part []byte, last bool) bool) {
		for len(body) > 0 {
			before, after, found := bytes.Cut(body, []byte(separator))
			if found {
				before = bytes.TrimSuffix(before, []byte("\n"))
				before = bytes.TrimSuffix(before, []byte("\r"))
			}
			body = after
			if !yield(before, len(body) == 0) {
				return
			}
		}
	}
}

type partKind int

const (
	partRaw partKind = iota // not a field: text around the parts, or a part without a disposition
	partField
	partFile
)

// part is one part of a multipart body.
type part struct {
	kind     partKind
	named    bool
	name     string
	filename string // "": the file is ignored
	data     []byte
	encoding string // of the transfer
	charset  pyjson.Charset
}

// readPart reads the header of a part (parse_boundary_stream).
func readPart(raw []byte, charset pyjson.Charset) part {
	p := part{charset: charset}
	end := bytes.Index(raw[:min(len(raw), maxPartHeader)], []byte("\r\n\r\n"))
	if end < 0 {
		return p
	}
	p.data = raw[end+4:]
	for line := range strings.SplitSeq(string(raw[:end]), "\r\n") {
		h, ok := ParseHeader(line)
		name, value, colon := strings.Cut(h.Value, ":")
		switch {
		case !ok || !colon:
		case name == "content-disposition":
			p.disposition(h)
		case name == "content-transfer-encoding":
			p.encoding = strings.Trim(value, blanks)
		}
	}
	return p
}

// disposition reads the name and the kind of a part.
func (p *part) disposition(h Header) {
	name, named := h.Lookup("name")
	p.name, p.named = name.stripped().text(p.charset), named
	p.kind, p.filename = partField, ""
	if filename, _ := h.Lookup("filename"); filename.Value != "" {
		p.kind = partFile
		p.filename = sanitizeFilename(filename.text(p.charset))
	}
}

// sanitizeFilename is MultiPartParser.sanitize_file_name, which removes directories.
func sanitizeFilename(name string) string {
	name = html.UnescapeString(name)
	name = name[strings.LastIndexAny(name, `/\`)+1:]
	if name == "." || name == ".." {
		return ""
	}
	return name
}

// text is the value of a field.
func (p *part) text() string {
	data := p.data
	if p.encoding == "base64" {
		if decoded, ok := DecodeBase64(data); ok {
			data = decoded
		}
	}
	return p.charset.DecodeReplacing(data)
}

// readable tells whether the content of a file can be read: base64 has to be
// whole groups.
func (p *part) readable() bool {
	if p.encoding != "base64" {
		return true
	}
	data := bytes.Join(bytes.Fields(p.data), nil)
	_, ok := DecodeBase64(data)
	return ok && len(data)%4 == 0
}
