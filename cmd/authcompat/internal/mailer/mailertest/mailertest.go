// Package mailertest has an SMTP server for tests.
package mailertest

import (
	"net"
	"net/textproto"
	"strings"
	"sync"
	"testing"
)

// TakeMails starts an SMTP server on loopback, which ends with the test, and returns its port and
// the texts of the mails that it takes, with lines that end in \r\n.
func TakeMails(tb testing.TB) (port int, texts <-chan string) {
	tb.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	all := make(chan string, 16)
	var served sync.WaitGroup
	served.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			served.Go(func() { take(conn, all) })
		}
	})
	tb.Cleanup(func() {
		_ = listener.Close()
		served.Wait()
	})
	return listener.Addr().(*net.TCPAddr).Port, all
}

// take says yes to all that one client says.
func take(conn net.Conn, all chan<- string) {
	defer conn.Close()
	text := textproto.NewConn(conn)
	for reply := "220 ready"; text.PrintfLine("%s", reply) == nil; reply = "250 ok" {
		line, err := text.ReadLine()
		if err != nil {
			return
		}
		if line != "DATA" {
			continue
		}
		_ = text.PrintfLine("354 go ahead") // an error is that of the next line
		lines, err := text.ReadDotLines()
		if err != nil {
			return
		}
		all <- strings.Join(lines, "\r\n")
	}
}
