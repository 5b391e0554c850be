package wire

import (
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/authcompat/authcompat/profiles"
)

// wholes is a WholeWriter that keeps the last reply as text.
type wholes struct {
	*httptest.ResponseRecorder
	text string
	busy bool // nothing can be sent so
}

func (w *wholes) WriteWhole(before, after string, body []byte) bool {
	if w.busy {
		return false
	}
	w.text = before + strconv.Itoa(len(body)) + after + "\r\n" + string(body)
	return true
}

// TestWhole writes replies by the shorter way where there is one: they have the header and the body of those that are
// written otherwise.
func TestWhole(t *testing.T) {
	of := func(pairs ...string) (headers []profiles.Header) {
		for i := 0; i < len(pairs); i += 2 {
			headers = append(headers, profiles.Header{Name: pairs[i], Value: pairs[i+1]})
		}
		return headers
	}
	always := Prepare(of("X-Frame-Options", "DENY", "Allow", "GET, HEAD", "x-lower", "1", "WWW-Authenticate", "Token", "Allow", "GET"))
	for _, test := range []struct {
		name  string
		reply Reply
		whole bool
	}{
		{"JSON", Reply{Status: 200, Always: always, ContentType: "application/json", Body: []byte("{}")}, true},
		{"another type", Reply{Status: 200, Always: always, ContentType: "text/html; charset=utf-8", Body: []byte("<p>")}, true},
		{"the first type again", Reply{Status: 200, Always: always, ContentType: "application/json", Body: []byte("[]")}, true},
		{"nothing", Reply{Status: 200, Always: always}, true},
		{"no headers", Reply{Status: 200, Always: Prepare(nil), ContentType: "a/b", Body: []byte("x")}, true},
		{"a failure", Reply{Status: 400, Always: always, ContentType: "a/b", Body: []byte("x")}, false},
		{"no content", Reply{Status: 204, Always: always}, false},
		{"a header of its own", Reply{Status: 200, Always: always, Headers: of("Retry-After", "1")}, false},
		{"a page", Reply{Status: 200, Headers: of("Allow", "GET")}, false},
		{"a header of net/http's", Reply{Status: 200, Always: Prepare(of("connection", "close"))}, false},
	} {
		w := &wholes{ResponseRecorder: httptest.NewRecorder()}
		test.reply.Write(w)
		if (w.text != "") != test.whole || test.whole == (len(w.Header()) > 0) {
			t.Errorf("%s: sent whole: %q, header %v", test.name, w.text, w.Header())
		}
		plain := &wholes{ResponseRecorder: httptest.NewRecorder(), busy: true}
		test.reply.Write(plain)
		if plain.Code != test.reply.Status {
			t.Errorf("%s: status %d", test.name, plain.Code)
		}
		if !test.whole {
			continue
		}
		var want strings.Builder
		if err := plain.Header().Write(&want); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want.String()+"\r\n"+plain.Body.String(), w.text); diff != "" {
			t.Errorf("%s (-by header +whole):\n%s", test.name, diff)
		}
	}
}

// recorded is a WholeWriter whose headers another one finishes, as of an API with CORS.
type recorded struct{ http.ResponseWriter }

func (recorded) FinishHeader(h http.Header) { h["Vary"] = []string{"Origin"} }

// TestFinishedRepliesAreNotWhole leaves the last word to whoever has it.
func TestFinishedRepliesAreNotWhole(t *testing.T) {
	w := &wholes{ResponseRecorder: httptest.NewRecorder()}
	reply := Reply{Status: 200, Always: Prepare(nil), ContentType: "a/b", Body: []byte("x")}
	reply.Write(recorded{w})
	if w.text != "" || w.Header().Get("Vary") != "Origin" {
		t.Errorf("%q, header %v", w.text, w.Header())
	}
}
