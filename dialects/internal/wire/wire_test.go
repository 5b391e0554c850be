package wire

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/profiles"
)

// TestBodyLimit reads bodies as long as they may be, and one byte longer, with a length
// and in chunks.
func TestBodyLimit(t *testing.T) {
	for _, chunked := range []bool{false, true} {
		for _, size := range []int{0, 1, MaxBody, MaxBody + 1} {
			r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(strings.Repeat("x", size)))
			if chunked {
				r.ContentLength = -1
			}
			body, err := Body(httptest.NewRecorder(), r)
			if size <= MaxBody && (err != nil || len(body) != size) {
				t.Errorf("%d bytes, chunked %t: %d bytes, %v", size, chunked, len(body), err)
			}
			if size > MaxBody && (!errors.Is(err, ErrBodyTooLarge) || body != nil) {
				t.Errorf("%d bytes, chunked %t: %d bytes, %v", size, chunked, len(body), err)
			}
		}
	}
	r := httptest.NewRequest(http.MethodPost, "/", unread{t})
	r.ContentLength = MaxBody + 1
	if _, err := Body(httptest.NewRecorder(), r); !errors.Is(err, ErrBodyTooLarge) {
		t.Errorf("a length that is too large: %v", err)
	}
}

// unread is a body that must not be read.
type unread struct{ t *testing.T }

func (u unread) Read([]byte) (int, error) {
	u.t.Error("a body whose length is too large was read")
	return 0, io.EOF
}

// TestKept reads bodies twice: with Body, as far as it may, and then whole, with what reading
// them ended with.
func TestKept(t *testing.T) {
	full := &core.Error{Kind: core.KindOverloaded}
	for _, test := range []struct {
		name   string
		body   io.Reader
		length int // of the whole
		want   error
		ends   error
	}{
		{"none", strings.NewReader(""), 0, nil, nil},
		{"one", strings.NewReader("{}"), 2, nil, nil},
		{"as large as may be", strings.NewReader(strings.Repeat("x", MaxBody)), MaxBody, nil, nil},
		{"too large by one byte", strings.NewReader(strings.Repeat("x", MaxBody+1)), MaxBody + 1, ErrBodyTooLarge, nil},
		{"much too large", strings.NewReader(strings.Repeat("x", 3*MaxBody)), 3 * MaxBody, ErrBodyTooLarge, nil},
		{"cut", io.MultiReader(strings.NewReader("{"), failing{io.ErrUnexpectedEOF}), 1, ErrBodyCut, io.ErrUnexpectedEOF},
		{"no memory", io.MultiReader(strings.NewReader("{"), &once{full}, strings.NewReader("rest")), 5, full, nil},
	} {
		kept := Keep(io.NopCloser(test.body))
		r := httptest.NewRequest(http.MethodPost, "/", nil)
		r.Body, r.ContentLength = kept, -1
		if kept.Touched() {
			t.Errorf("%s: it was touched before it was read", test.name)
		}
		for range 2 {
			body, err := Body(nil, r)
			if !errors.Is(err, test.want) || err == nil && len(body) != test.length || !kept.Touched() {
				t.Errorf("%s: %d bytes, %v", test.name, len(body), err)
			}
		}
		if whole, err := io.ReadAll(kept); len(whole) != test.length || !errors.Is(err, test.ends) {
			t.Errorf("%s: %d bytes of %d are left, %v", test.name, len(whole), test.length, err)
		}
	}
	kept := Keep(io.NopCloser(strings.NewReader("unread")))
	if whole, err := io.ReadAll(kept); string(whole) != "unread" || err != nil || kept.Touched() {
		t.Errorf("%q, %v", whole, err)
	}
}

// once is a body whose reading fails once.
type once struct{ err error }

func (o *once) Read([]byte) (int, error) {
	if err := o.err; err != nil {
		o.err = nil
		return 0, err
	}
	return 0, io.EOF
}

// failing is a body whose reading fails.
type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

func TestBodyFails(t *testing.T) {
	full := &core.Error{Kind: core.KindOverloaded, RetryAfter: time.Second}
	for name, test := range map[string]struct {
		err               error
		overloaded, isCut bool
	}{
		"cut":       {io.ErrUnexpectedEOF, false, true},
		"no memory": {full, true, false},
	} {
		body, err := Body(httptest.NewRecorder(), httptest.NewRequest(http.MethodPost, "/", failing{test.err}))
		if body != nil || IsOverloaded(err) != test.overloaded || errors.Is(err, ErrBodyCut) != test.isCut {
			t.Errorf("%s: %q, %v", name, body, err)
		}
	}
}

// TestHeader joins the lines of a header as WSGI servers do, and finds it in one spelling.
func TestHeader(t *testing.T) {
	r := &http.Request{Header: http.Header{"Authorization": {"Token a", "Token b"}, "Content-Type": {"text/plain", "application/json"}}}
	if value, ok := Header(r, "Authorization"); value != "Token a,Token b" || !ok {
		t.Errorf("%q, %t", value, ok)
	}
	if value, ok := Header(r, "Accept"); value != "" || ok {
		t.Errorf("%q, %t", value, ok)
	}
	if got := ContentType(r); got != "application/json" {
		t.Errorf("Content-Type %q", got)
	}
	if got := ContentType(&http.Request{}); got != "" {
		t.Errorf("without one: %q", got)
	}
}

// TestReply checks the spelling of headers, which net/http would change, and the lengths
// of replies.
func TestReply(t *testing.T) {
	for _, test := range []struct {
		reply Reply
		want  http.Header
	}{
		{
			Reply{Status: 401, ContentType: "application/json", Body: []byte("{}"), Always: Prepare([]profiles.Header{{Name: "X-FRAME-options", Value: "DENY"}}),
				Headers: []profiles.Header{{Name: "WWW-Authenticate", Value: "Token"}}},
			http.Header{"X-FRAME-options": {"DENY"}, "WWW-Authenticate": {"Token"}, "Content-Type": {"application/json"}, "Content-Length": {"2"}},
		},
		{Reply{Status: 204}, http.Header{"Content-Type": nil}},
		{Reply{Status: 200}, http.Header{"Content-Type": nil, "Content-Length": {"0"}}},
	} {
		w := httptest.NewRecorder()
		test.reply.Add("Vary", "Accept")
		test.reply.Add("Vary", "Cookie")
		test.reply.Write(w)
		test.want["Vary"] = []string{"Accept", "Cookie"}
		if d := cmp.Diff(test.want, w.Header()); d != "" || w.Code != test.reply.Status || w.Body.String() != string(test.reply.Body) {
			t.Errorf("%d %q (-want +got):\n%s", w.Code, w.Body, d)
		}
	}
}

// outcomes is a ResponseWriter that records outcomes.
type outcomes struct {
	*httptest.ResponseRecorder
	got []any
}

func (o *outcomes) RecordOutcome(endpoint, outcome string, err error) {
	o.got = append(o.got, endpoint, outcome, err)
}

func TestOutcomeIsRecorded(t *testing.T) {
	o := &outcomes{ResponseRecorder: httptest.NewRecorder()}
	cause := errors.New("a cause")
	reply := Reply{Status: 503, Outcome: "unavailable", Err: cause}
	reply.WriteFor(o, "login")
	if len(o.got) != 3 || o.got[0] != "login" || o.got[1] != "unavailable" || o.got[2] != cause {
		t.Errorf("recorded %v", o.got)
	}
}
