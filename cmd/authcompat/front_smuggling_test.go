package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"
)

// smugglingShapes returns requests with another one in their body, whose end servers could
// see in different places. Both name the case.
func smugglingShapes() (shapes []string) {
	lengths := []string{
		"", "Content-Length: 5\r\n", "Content-Length: 0\r\n", "Content-Length: +5\r\n", "Content-Length: 5, 5\r\n", "Content-Length: 5\r\nContent-Length: 6\r\n",
		"Content-Length: 0x5\r\n", "Content_Length: 0\r\n", "Content-Length: -1\r\n", "Content-Length : 5\r\n",
	}
	codings := []string{
		"", "Transfer-Encoding: chunked\r\n", "Transfer-Encoding : chunked\r\n", "Transfer-Encoding:\tchunked\r\n", "transfer-encoding: Chunked\r\n", "Transfer-Encoding: xchunked\r\n",
		"Transfer-Encoding: chunked, identity\r\n", "Transfer-Encoding: identity\r\n", "Transfer_Encoding: chunked\r\n", "Transfer-Encoding: \x0bchunked\r\n", " Transfer-Encoding: chunked\r\n",
		"X: y\nTransfer-Encoding: chunked\r\n", "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", "Connection: Transfer-Encoding\r\nTransfer-Encoding: chunked\r\n", "Connection: Content-Length\r\n",
	}
	for _, length := range lengths {
		for _, coding := range codings {
			shapes = append(shapes, length+coding)
		}
	}
	return shapes
}

// TestSmuggling sends requests that hide others: genuine Django behind a front sees as many
// as the client has answers of it.
func TestSmuggling(t *testing.T) {
	t.Parallel()
	django := startDjango(t)
	p, address := startFront(t, "{old: http://"+django+", paths: [{path: /case/hidden/, token: refuse}]}")
	shapes := smugglingShapes()
	answers := make([]string, len(shapes))
	var all sync.WaitGroup
	slots := make(chan struct{}, 16)
	for i, shape := range shapes {
		all.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			body := fmt.Sprintf("0\r\n\r\nGET /case/hidden/%d/ HTTP/1.1\r\nHost: x\r\n\r\n", i)
			answers[i] = halfClosed(address, fmt.Sprintf("POST /case/%d/ HTTP/1.1\r\nHost: x\r\n%s\r\n%s", i, shape, body))
		})
	}
	all.Wait()
	seen := strings.Fields(p.want(t, http.StatusOK, http.MethodGet, "http://"+address+"/seen/", "", "").body)
	total := 0
	for i, shape := range shapes {
		count := 0
		for _, path := range seen {
			if path == fmt.Sprintf("/case/hidden/%d/", i) {
				t.Errorf("%q: the hidden request got past the rules", shape)
			}
			if path == fmt.Sprintf("/case/%d/", i) {
				count++
			}
		}
		total += count
		if got := strings.Count(answers[i], "Server: gunicorn\r\n"); got != count {
			t.Errorf("%q: seen %d times, answered %d times: %q", shape, count, got, answers[i])
		}
	}
	t.Logf("%d shapes, of which %d were passed on", len(shapes), total)
	if total < 10 {
		t.Errorf("only %d were passed on", total)
	}
}

// halfClosed sends bytes and no more, and returns all that is answered.
func halfClosed(address, request string) string {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return err.Error()
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(30 * time.Second))
	_, _ = io.WriteString(conn, request)
	_ = conn.(*net.TCPConn).CloseWrite()
	answer, err := io.ReadAll(conn)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return err.Error()
	}
	return string(answer)
}
