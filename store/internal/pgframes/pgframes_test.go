package pgframes

import (
	"encoding/binary"
	"io"
	"net"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/lib/pq"
)

// message is one of the server's, with any announced length.
func message(kind byte, length uint32, body string) string {
	return string(binary.BigEndian.AppendUint32([]byte{kind}, length)) + body
}

// from is a connection on which a server sends a text, in pieces of one byte or as it is.
type from struct {
	net.Conn
	io.Reader
}

func (f from) Read(b []byte) (int, error)  { return f.Reader.Read(b) }
func (f from) Write(b []byte) (int, error) { return len(b), nil }

func TestLimit(t *testing.T) {
	ready := message('Z', 5, "I")
	for _, test := range []struct {
		name, written, sent string
		good                int // bytes of sent
		err                 string
	}{
		{"messages", "", message('1', 4, "") + message('S', 4, "") + message('E', 12, "SFATAL\x00\x00") + ready, 29, ""},
		{"much", "", message('1', 4, "") + message('D', 64<<20+5, "x"), 9, "announces a message of 67108865 bytes"},
		{"between answers", "", ready + message('S', 4, "") + message('N', 4, "") + message('A', 4, "") + message('E', 12, "SFATAL\x00\x00"), 34, ""},
		{"another answer", "", ready + message('N', 4, "") + message('T', 4, ""), 15, "what nobody has asked"},
		{"another end", "", ready + ready, 10, "what nobody has asked"},
		{"4 GiB", "", message('R', 0xffffffff, ""), 4, "announces a message of 4294967291 bytes"},
		{"no length", "", message('D', 3, ""), 4, "announces a message of -1 bytes"},
		{"no encryption", "\x00\x00\x00\x08\x04\xd2\x16\x2f", "N" + message('R', 0xffffffff, ""), 5, "announces"},
		{"encryption", "\x00\x00\x00\x08\x04\xd2\x16\x2f", "S" + message('R', 0xffffffff, ""), 6, ""},
		{"encryption from the start", "\x16\x03\x01", message('R', 0xffffffff, ""), 5, ""},
		{"an error of an old server", "\x00\x00\x00\x08\x04\xd2\x16\x2f", "Ecould not fork\n\x00", 17, ""},
		{"a long one", "", "Ecould" + strings.Repeat("x", 40<<10), 5 + 32<<10, "more than 32768 bytes"},
	} {
		for name, reader := range map[string]io.Reader{"at once": strings.NewReader(test.sent), "bytewise": iotest.OneByteReader(strings.NewReader(test.sent))} {
			t.Run(test.name+" "+name, func(t *testing.T) {
				c := Limit(from{nil, reader})
				if _, err := c.Write([]byte(test.written)); err != nil {
					t.Fatal(err)
				}
				got, err := io.ReadAll(c)
				if string(got) != test.sent[:test.good] {
					t.Errorf("read %d bytes, want %d", len(got), test.good)
				}
				if (err == nil) != (test.err == "") || err != nil && !strings.Contains(err.Error(), test.err) {
					t.Errorf("error %v, want %q", err, test.err)
				}
			})
		}
	}
}

// TestAnswers has a server answer each of two questions, and then once more.
func TestAnswers(t *testing.T) {
	answer := message('C', 4, "") + message('Z', 5, "I")
	server := strings.NewReader(strings.Repeat(answer, 3))
	c := Limit(from{nil, server})
	for range 2 {
		if _, err := c.Write([]byte("question")); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(c, make([]byte, len(answer))); err != nil {
			t.Error(err)
		}
	}
	if _, err := io.ReadFull(c, make([]byte, len(answer))); err == nil {
		t.Error("an answer to no question was read")
	}
}

// TestHostileServer checks with lib/pq itself that a server can't make it allocate what it
// only announces, nor read an error without end.
func TestHostileServer(t *testing.T) {
	for name, answer := range map[string][]byte{
		"length": []byte(message('R', 1<<30, "")),
		"error":  []byte("E" + strings.Repeat("x", 8<<20)),
		"string": []byte(message('E', 12, "SFATAL!!")), // without an end
		// lib/pq takes it for text from this length on, and reads on until it ends.
		"error that is long": []byte(message('E', 40<<20, strings.Repeat("x", 8<<20))),
	} {
		t.Run(name, func(t *testing.T) {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			go func() {
				c, err := l.Accept()
				if err != nil {
					return
				}
				defer c.Close()
				_, _ = c.Read(make([]byte, 1024))
				_, _ = c.Write(answer)
			}()
			config, err := pq.NewConfig("postgres://u@" + l.Addr().String() + "/d?sslmode=disable")
			if err != nil {
				t.Fatal(err)
			}
			connector, err := NewConnector(config, Dialer{})
			if err != nil {
				t.Fatal(err)
			}
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, err = connector.Connect(t.Context())
			runtime.ReadMemStats(&after)
			if err == nil {
				t.Error("connected")
			}
			if grown := after.TotalAlloc - before.TotalAlloc; grown > 1<<20 {
				t.Errorf("%d bytes were allocated", grown)
			}
		})
	}
}
