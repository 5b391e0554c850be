package shadow

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"

	"github.com/authcompat/authcompat/conformance/internal/jsontree"
)

// Answer is an answer to a request.
type Answer struct {
	Status int
	Header http.Header // with the names as they are spelt
	Body   []byte
}

// Difference is a place at which two answers differ.
type Difference struct {
	// Place is "status", "header NAME", "body", or a path into a JSON body, as body.user.id or
	// body.errors[0]; a key that is no plain name is masked.
	Place string `json:"place"`
	Kind  Kind   `json:"kind"`
	// Old and Ours are what is there, masked: see [Mask].
	Old  string `json:"old,omitempty"`
	Ours string `json:"ours,omitempty"`
	// SameForm says that the values have the same type and length, so that it may be noise.
	SameForm bool `json:"same_form,omitempty"`
}

// Kind says in what a place differs.
type Kind string

// The kinds.
const (
	KindStatus   Kind = "status"
	KindMissing  Kind = "missing"  // the old server has it, and we don't
	KindExtra    Kind = "extra"    // we have it, and the old server doesn't
	KindValue    Kind = "value"    // another value of the same type
	KindType     Kind = "type"     // of another type: a number with a fraction is one
	KindForm     Kind = "form"     // an issued value of another form or length
	KindTime     Kind = "time"     // an issued time that is further away than the request takes
	KindExisting Kind = "existing" // the old server shows a token that there was, and we issue one
	KindOrder    Kind = "order"    // the keys of an object
	KindLength   Kind = "length"   // the number of items of a list
	KindSpace    Kind = "space"    // white space between values
	KindEscape   Kind = "escape"   // the same text, written otherwise
	KindSpelling Kind = "spelling" // upper and lower case of a header's name
	KindLines    Kind = "lines"    // the same header in another number of lines
	KindSyntax   Kind = "syntax"   // one of the bodies is JSON
	KindBytes    Kind = "bytes"    // bodies that are no JSON
)

// Form is what an issued value is compared by.
type Form string

// The forms.
const (
	FormToken Form = "token" // its length, and the characters that it is made of
	FormTime  Form = "time"  // how it is written, and that it is near
	FormID    Form = "id"    // its type and, as a text, how it is written
)

// Options say how two answers are compared.
type Options struct {
	// Places are those of the values of our answer that were made for it, so that the old server's
	// are others, by Difference.Place.
	Places map[string]Form
	// Existing are the tokens that there were before, of a user for whom we issue one.
	Existing []string
	// Words reports whether a word is one of the API's own texts. Where both refuse a request, and
	// all words of our text are such, they are shown, since nobody has sent them. nil: none is.
	Words func(word string) bool
}

// Compare returns where two answers differ, neither of them too large. Headers that belong to a connection or name a server
// are not compared (see [Ignored]), nor are bodies that the old server sends as HTML.
func Compare(old, ours Answer, options Options) []Difference {
	c := comparison{options: options}
	if c.options.Words != nil && (old.Status < http.StatusBadRequest || ours.Status < http.StatusBadRequest) {
		c.options.Words = nil
	}
	if old.Status != ours.Status {
		c.add(Difference{Place: "status", Kind: KindStatus, Old: strconv.Itoa(old.Status), Ours: strconv.Itoa(ours.Status)})
	}
	c.headers(old.Header, ours.Header)
	c.bodies(old, ours)
	return c.found
}

// comparison is what was found so far.
type comparison struct {
	options Options
	found   []Difference
}

// maxDifferences of two answers are listed: a body of another kind has one at each place.
const maxDifferences = 50

func (c *comparison) add(d Difference) {
	if len(c.found) < maxDifferences {
		c.found = append(c.found, d)
	}
}

// maxInflated bounds a body that was compressed, in bytes: as JSON, it takes a hundred times as much of memory.
const maxInflated = 256 << 10

// TooLarge reports whether the body is more than is compared, without its content coding.
func (a Answer) TooLarge() bool { return len(a.plain()) > maxInflated }

// plain returns the body without its content coding, if that is gzip, or so much of it that it is too large.
func (a Answer) plain() []byte {
	if !strings.EqualFold(strings.TrimSpace(get(a.Header, "Content-Encoding")), "gzip") {
		return a.Body
	}
	unzip, err := gzip.NewReader(bytes.NewReader(a.Body))
	if err != nil {
		return a.Body
	}
	body, err := io.ReadAll(io.LimitReader(unzip, maxInflated+1))
	if err != nil {
		return a.Body
	}
	return body
}

// bodies compares the bodies.
func (c *comparison) bodies(old, ours Answer) {
	if kind, _, err := mime.ParseMediaType(get(old.Header, "Content-Type")); err == nil && kind == "text/html" {
		return
	}
	was, is := old.plain(), ours.plain()
	if bytes.Equal(was, is) && len(c.options.Places) == 0 {
		return
	}
	a, errOld := jsontree.ParseDocument(was)
	b, errOurs := jsontree.ParseDocument(is)
	switch {
	case errOld == nil && errOurs == nil:
		c.nodes("body", a.Root, b.Root)
		if a.After != b.After {
			c.add(Difference{Place: "end of body", Kind: KindSpace, Old: gap(a.After), Ours: gap(b.After)})
		}
	case bytes.Equal(was, is):
	case (errOld == nil) != (errOurs == nil) && len(was) > 0 && len(is) > 0:
		c.add(Difference{Place: "body", Kind: KindSyntax, Old: syntaxOf(was, errOld), Ours: syntaxOf(is, errOurs)})
	default:
		at := 0
		for at < min(len(was), len(is)) && was[at] == is[at] {
			at++
		}
		c.add(Difference{Place: fmt.Sprintf("byte %d of body", at), Kind: KindBytes, Old: bytesOf(was), Ours: bytesOf(is), SameForm: len(was) == len(is)})
	}
}

func syntaxOf(body []byte, err error) string {
	if err == nil {
		return "JSON"
	}
	return bytesOf(body) + ", no JSON"
}

func bytesOf(body []byte) string {
	if len(body) == 1 {
		return "1 byte"
	}
	return strconv.Itoa(len(body)) + " bytes"
}
