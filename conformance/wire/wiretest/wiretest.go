// Package wiretest has servers that answer what no library would send.
package wiretest

import (
	"bufio"
	"io"
	"net"
	"strings"
	"testing"
)

// Serve answers every connection with the same bytes once it has read a request's head, and what came with it, and then closes it. It
// returns its URL, and the requests' bytes, of which it keeps the first eight that nobody takes.
func Serve(tb testing.TB, response string) (url string, requests <-chan string) {
	tb.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { listener.Close() })
	received := make(chan string, 8)
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				select {
				case received <- readHead(conn):
				default:
				}
				_, _ = io.WriteString(conn, response)
			}()
		}
	}()
	return "http://" + listener.Addr().String(), received
}

func readHead(r io.Reader) string {
	reader, head := bufio.NewReader(r), ""
	for !strings.HasSuffix(head, "\r\n\r\n") {
		line, err := reader.ReadString('\n')
		if err != nil {
			return head
		}
		head += line
	}
	body := make([]byte, reader.Buffered())
	_, _ = io.ReadFull(reader, body)
	return head + string(body)
}
