package server

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/authcompat/authcompat/core/cutover"
)

// raw sends bytes, shuts the sending side if it is told to, and returns all that is answered
// until the connection is closed.
func (s *switchedServer) raw(t *testing.T, request string, shut bool) string {
	t.Helper()
	c, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(30 * time.Second))
	if _, err := io.WriteString(c, request); err != nil {
		t.Fatal(err)
	}
	if shut {
		_ = c.(*net.TCPConn).CloseWrite()
	}
	all, _ := io.ReadAll(c)
	return string(all)
}

// TestSwitchedBodies sends bodies that may name users as odd clients do, through a whole server.
func TestSwitchedBodies(t *testing.T) {
	s := startSwitched(t, "[login, other]")
	s.user(t, "ann")
	s.user(t, "bob")
	s.put(t, cutover.Rule{Endpoint: "login", Users: []string{"ann"}})
	const head = "POST /api/login/ HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nConnection: close\r\n"
	for _, name := range []string{"ann", "bob"} {
		body := loginOf(name)
		for what, request := range map[string]string{
			"length":    fmt.Sprintf("%sContent-Length: %d\r\n\r\n%s", head, len(body), body),
			"chunks":    fmt.Sprintf("%sTransfer-Encoding: chunked\r\n\r\n3\r\n%s\r\n%x\r\n%s\r\n0\r\n\r\n", head, body[:3], len(body)-3, body[3:]),
			"asked for": fmt.Sprintf("%sExpect: 100-continue\r\nContent-Length: %d\r\n\r\n%s", head, len(body), body),
		} {
			for _, shut := range []bool{false, true} {
				answer := s.raw(t, request, shut)
				asked := strings.Count(answer, "HTTP/1.1 100 Continue\r\n\r\n")
				if asked > 1 || what != "asked for" && asked > 0 {
					t.Errorf("%s, %s: told %d times to send", name, what, asked)
				}
				want := "old"
				if name == "ann" {
					want = `"token":"`
				}
				if !strings.Contains(answer, "HTTP/1.1 200 OK\r\n") || !strings.Contains(answer, want) {
					t.Errorf("%s, %s, half closed %t: %q, want %s", name, what, shut, answer, want)
				}
				if got, want := s.old.got(), fmt.Sprintf("POST /api/login/ [] %q identity=0", body); name == "bob" && got != want {
					t.Errorf("%s: the old side got %s, want %s", what, got, want)
				}
			}
		}
	}
	// A body that no endpoint of the API reads is nobody's, and goes on beyond the budget.
	const large = 100 << 20
	for _, length := range []int64{large, -1} {
		r, err := http.NewRequest(http.MethodPost, s.url+"/api/login/", io.LimitReader(zeros{}, large))
		if err != nil {
			t.Fatal(err)
		}
		r.ContentLength = length
		reply, err := s.client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := io.ReadAll(reply.Body)
		reply.Body.Close()
		if got, want := s.old.got(), fmt.Sprintf("POST /api/login/ [] %q identity=0", fmt.Sprintf("%d bytes", large)); string(answer) != "old" || err != nil || got != want {
			t.Errorf("length %d: %q, %v; the old side got %s", length, answer, err, got)
		}
		if length > 0 {
			s.want(t, "old", "POST", "/api/login/", "", loginOf("bob"))
		}
	}
	if n := s.bodies.Bytes(); n != 0 {
		t.Errorf("%v bytes of bodies are kept", n)
	}
}

// zeros is an endless body of spaces.
type zeros struct{}

func (zeros) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = ' '
	}
	return len(b), nil
}
