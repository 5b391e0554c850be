package page_test

import (
	"bufio"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/console/page"
)

// A lateWriter notes that the deadline for reading is taken away.
type lateWriter struct {
	http.ResponseWriter
	endless bool
}

func (l *lateWriter) Unwrap() http.ResponseWriter { return l.ResponseWriter }

func (l *lateWriter) SetReadDeadline(t time.Time) error {
	l.endless = t.IsZero()
	return http.NewResponseController(l.ResponseWriter).SetReadDeadline(t)
}

// TestStream sends events as they come, past the deadlines of the server.
func TestStream(t *testing.T) {
	next, ended := make(chan string), make(chan error, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		late := &lateWriter{ResponseWriter: w}
		err := http.NewResponseController(w).SetWriteDeadline(time.Now().Add(-time.Second))
		s, begun := page.NewStream(late)
		if err = errors.Join(err, begun); !late.endless {
			err = errors.Join(err, errors.New("the deadline for reading stays"))
		}
		for text := range next {
			err = errors.Join(err, s.Send("step", map[string]string{"text": text}), s.Comment(), r.Context().Err())
		}
		ended <- err
	}))
	defer server.Close()
	res, err := http.Get(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if got := res.Header.Get("Content-Type"); got != "text/event-stream; charset=utf-8" {
		t.Errorf("Content-Type: %s", got)
	}
	body := bufio.NewReader(res.Body)
	want := func(lines ...string) {
		for _, want := range lines {
			if line, err := body.ReadString('\n'); line != want {
				t.Errorf("%q (%v), want %q", line, err, want)
			}
		}
	}
	want(":\n", "\n")
	for _, c := range []struct{ text, want string }{
		{"one", `{"text":"one"}`}, {"two\nlines <b>", `{"text":"two\nlines \u003cb\u003e"}`},
	} {
		next <- c.text
		want("event: step\n", "data: "+c.want+"\n", "\n", ":\n", "\n")
	}
	close(next)
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if rest, err := io.ReadAll(body); len(rest) > 0 || err != nil {
		t.Errorf("then %q, %v", rest, err)
	}
}
