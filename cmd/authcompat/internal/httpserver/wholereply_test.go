package httpserver

import (
	"bytes"
	"io"
	"log/slog"
	"net"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// wholeWriter is wire.WholeWriter.
type wholeWriter interface {
	WriteWhole(before, after string, body []byte) bool
}

// TestWholeReplies asks for replies that are handed to the connection, and for the same ones that net/http writes: they are
// the same to the byte, for whatever net/http has to say about the connection as well.
func TestWholeReplies(t *testing.T) {
	sent := map[bool]int{}
	address := mustServe(t, &counted{}, func(w http.ResponseWriter, r *http.Request) {
		body := bytes.Repeat([]byte{'x'}, map[string]int{"/none": 0, "/long": maxWhole, "/longer": maxWhole + 1}[r.URL.Path])
		if r.URL.Path == "/" {
			body = []byte(`{"a": "b"}`)
		}
		if r.URL.Path == "/touched" {
			w.Header()["X-More"] = []string{"1"}
		}
		if r.URL.Path == "/reason" {
			w.(*responseRecorder).SetReason("Fine")
		}
		if r.URL.RawQuery == "whole" {
			ok := w.(wholeWriter).WriteWhole("Allow: GET\r\nContent-Length: ", "\r\nVary: Accept\r\n", body)
			if sent[ok]++; ok {
				return
			}
		}
		w.Header()["Allow"] = []string{"GET"}
		w.Header()["Vary"] = []string{"Accept"}
		w.Header()["Content-Type"] = nil
		w.Header()["Content-Length"] = []string{strconv.Itoa(len(body))}
		w.WriteHeader(http.StatusOK)
		_, _ = w.Write(body)
	})
	ask := func(request string) string {
		conn := mustDial(t, address, request+"GET /last HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
		replies, err := io.ReadAll(conn)
		if err != nil {
			t.Fatalf("%.40q: %v", request, err)
		}
		return regexp.MustCompile(`Date: \w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT\r\n`).ReplaceAllString(string(replies), "Date: …\r\n")
	}
	for _, test := range []struct {
		request string
		whole   bool
	}{
		{"GET /TARGET HTTP/1.1\r\nHost: x\r\n\r\n", true},
		{"GET /noneTARGET HTTP/1.1\r\nHost: x\r\n\r\n", true},
		{"GET /longTARGET HTTP/1.1\r\nHost: x\r\n\r\n", true},
		{"GET /longerTARGET HTTP/1.1\r\nHost: x\r\n\r\n", false},
		{"GET /TARGET HTTP/1.1\r\nHost: x\r\n\r\nGET /TARGET HTTP/1.1\r\nHost: x\r\n\r\n", true},
		{"GET /TARGET HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", true},
		{"POST /TARGET HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", true},
		{"POST /TARGET HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nab", false},
		{"POST /TARGET HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", false},
		{"HEAD /TARGET HTTP/1.1\r\nHost: x\r\n\r\n", false},
		{"GET /TARGET HTTP/1.0\r\nHost: x\r\n\r\n", false},
		{"GET /TARGET HTTP/1.0\r\nHost: x\r\nConnection: keep-alive\r\n\r\n", false},
		{"GET /touchedTARGET HTTP/1.1\r\nHost: x\r\n\r\n", false},
		{"GET /reasonTARGET HTTP/1.1\r\nHost: x\r\n\r\n", false},
	} {
		clear(sent)
		want, got := ask(strings.ReplaceAll(test.request, "TARGET", "")), ask(strings.ReplaceAll(test.request, "TARGET", "?whole"))
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%.40q (-net/http's +ours):\n%s", test.request, diff)
		}
		if sent[test.whole] == 0 || sent[!test.whole] > 0 || !strings.HasPrefix(got, "HTTP/1.") {
			t.Errorf("%.40q: sent whole %v, want %t", test.request, sent, test.whole)
		}
	}
}

// TestWholeRepliesEndWithTheirServer gives one while the server stops: it is the last one of its connection.
func TestWholeRepliesEndWithTheirServer(t *testing.T) {
	var servers Servers
	stopping := make(chan struct{})
	handler := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		servers[0].HTTP.SetKeepAlivesEnabled(false) // as Shutdown does first
		close(stopping)
		if !w.(wholeWriter).WriteWhole("Content-Length: ", "\r\n", []byte("ok")) {
			t.Error("not sent whole")
		}
	})
	log := slog.New(slog.DiscardHandler)
	api := Instrument(handler, "p", InstrumentOptions{Recorder: &counted{}, Bodies: NewBodyBudget(), Log: log, Requests: LogNone})
	if err := servers.Listen("127.0.0.1:0", api, ListenOptions{Log: log}); err != nil {
		t.Fatal(err)
	}
	go func() { _ = servers[0].HTTP.Serve(servers[0].Listener) }() // until it is closed
	t.Cleanup(servers.Close)
	conn := mustDial(t, servers[0].Listener.Addr().String(), "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	<-stopping
	reply, err := io.ReadAll(conn)
	if err != nil || !strings.HasSuffix(string(reply), "\r\nConnection: close\r\n\r\nok") {
		t.Errorf("%q, %v", reply, err)
	}
}

// TestSecondReplies has a handler write more behind a whole reply: nothing of the two is sent.
func TestSecondReplies(t *testing.T) {
	for _, empty := range []string{
		"HTTP/1.1 200 OK\r\nDate: x\r\nContent-Length: 2\r\n\r\nab",
		"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
		"",
	} {
		here, there := net.Pipe()
		go func() { _, _ = io.Copy(io.Discard, there) }()
		m := &middleware{}
		c := &clientConn{Conn: here, reply: &wholeReply{text: []byte("x"), pool: &m.replies}}
		c.handled.Store(true)
		if _, err := c.Write([]byte(empty)); err != errNotEmpty {
			t.Errorf("%q: %v", empty, err)
		}
		_, _ = here.Close(), there.Close()
	}
}
