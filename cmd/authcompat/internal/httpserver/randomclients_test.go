package httpserver

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// answerAsAsked reads as much of the body, and uses as much of net/http, as the header field Do says, and answers with the
// header field Id and the number of bytes read.
func answerAsAsked(w http.ResponseWriter, r *http.Request) {
	read := int64(0)
	for _, do := range r.Header.Get("Do") {
		switch do {
		case 'a':
			n, _ := io.Copy(io.Discard, r.Body)
			read += n
		case 'p':
			n, _ := io.CopyN(io.Discard, r.Body, 3)
			read += n
		case 'd':
			_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(time.Hour))
		case 'w':
			ctx, cancel := context.WithTimeout(r.Context(), time.Millisecond)
			<-ctx.Done()
			cancel()
		case 'f':
			_ = http.NewResponseController(w).Flush()
		}
	}
	fmt.Fprintf(w, "%s %d", r.Header.Get("Id"), read)
}

// randomRequests returns requests for answerAsAsked, and the replies. Only the last may have chunks, since the connection ends
// with its reply.
func randomRequests(random *rand.Rand) (text string, replies []string) {
	var b strings.Builder
	for id, last := 0, random.IntN(6); id <= last; id++ {
		body, read, do := strings.Repeat("b", []int{0, 0, 1, 4, 5000, 70000}[random.IntN(6)]), 0, ""
		for _, step := range "pdwaf" {
			if random.IntN(3) > 0 {
				continue
			}
			do += string(step)
			switch step {
			case 'p':
				read = min(len(body), 3)
			case 'a':
				read = len(body)
			}
		}
		fmt.Fprintf(&b, "%s / HTTP/1.1\r\nHost: x\r\nDo: %s\r\nId: %d\r\n", []string{"GET", "POST"}[random.IntN(2)], do, id)
		switch {
		case id == last && body != "" && random.IntN(3) == 0:
			fmt.Fprintf(&b, "Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n", len(body), body)
		case body != "":
			fmt.Fprintf(&b, "Content-Length: %d\r\n\r\n%s", len(body), body)
		default:
			b.WriteString("\r\n")
		}
		replies = append(replies, fmt.Sprintf("%d %d", id, read))
	}
	return b.String(), replies
}

// sendInPieces sends a text, and then, with half, no more.
func sendInPieces(c net.Conn, random *rand.Rand, text string, half bool) {
	size := []int{7, 100, 5000, 1 << 20}[random.IntN(4)]
	if len(text) > 10_000 {
		size = max(size, 5000)
	}
	for text != "" {
		n := min(len(text), 1+random.IntN(size))
		if _, err := io.WriteString(c, text[:n]); err != nil {
			return // the reader says what is missing
		}
		text = text[n:]
	}
	if half {
		_ = c.(interface{ CloseWrite() error }).CloseWrite()
	}
}

// TestRandomClients has clients send requests in pieces, without waiting for replies, with bodies that nobody reads, or not to
// the end, and end what they send before they have the replies: each gets all of them, in order.
func TestRandomClients(t *testing.T) {
	const seed, clients, each = 1, 8, 25
	api := Instrument(http.HandlerFunc(answerAsAsked), "p", InstrumentOptions{Recorder: new(counted), Bodies: NewBodyBudget(), Log: slog.New(slog.DiscardHandler), Requests: LogNone})
	plain := mustServe(t, new(counted), answerAsAsked)
	secure, _ := mustServeTLSWith(t, new(counted), api.ServeHTTP)
	for name, dial := range map[string]func() (net.Conn, error){
		"plain": func() (net.Conn, error) { return net.Dial("tcp", plain) },
		"TLS":   func() (net.Conn, error) { return tls.Dial("tcp", secure, &tls.Config{InsecureSkipVerify: true}) },
	} {
		t.Run(name, func(t *testing.T) {
			var running sync.WaitGroup
			for client := range uint64(clients) {
				running.Go(func() {
					random := rand.New(rand.NewPCG(seed, client))
					for range each {
						c, err := dial()
						if err != nil {
							t.Error(err)
							return
						}
						text, replies := randomRequests(random)
						go sendInPieces(c, rand.New(rand.NewPCG(seed, random.Uint64())), text, random.IntN(3) == 0)
						wantReplies(t, c, replies)
						c.Close()
					}
				})
			}
			running.Wait()
		})
	}
}

// wantReplies reads the replies to all requests of a connection.
func wantReplies(t *testing.T, c net.Conn, replies []string) {
	t.Helper()
	if err := c.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Error(err)
	}
	from := bufio.NewReader(c)
	for i, want := range replies {
		reply, err := http.ReadResponse(from, nil)
		if err != nil {
			t.Errorf("reply %d of %d: %v", i, len(replies), err)
			return
		}
		if got, err := io.ReadAll(reply.Body); err != nil || string(got) != want {
			t.Errorf("status %d, %q, want %q, error %v", reply.StatusCode, got, want, err)
			return
		}
	}
}
