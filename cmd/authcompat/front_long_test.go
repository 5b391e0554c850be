package main

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/authcompat/authcompat/core/testenv"
)

// TestFrontForLong sends bodies of gigabytes, which take no memory, leaves WebSockets and a
// stream of events silent for longer than any usual timeout, and stops the server, which
// ends all of them. AUTHCOMPAT_LONG decides how much, and for how long.
func TestFrontForLong(t *testing.T) {
	t.Parallel()
	size, tunnels, silence := int64(64<<20), 50, 3*time.Second
	if os.Getenv("AUTHCOMPAT_LONG") != "" {
		size, tunnels, silence = 4<<30, 1000, 10*time.Minute
	}
	application := webApplication(t)
	p, err := launch(t, append(cheap, "--profile", "ocd-users", "--store", database(t), "--front", "http://"+application)...)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Process.Kill()
	url, address := p.urls["ocd-users"], strings.TrimPrefix(p.urls["ocd-users"], "http://")

	transfer(t, p, size/64) // what is taken once
	before := p.resident(t)
	if more := transfer(t, p, size) - before; more > 16<<10 {
		t.Errorf("%d bytes up and down took %d KiB more", size, more)
	}

	began := time.Now()
	var open []*bufio.Reader
	var pings []io.Writer
	for range tunnels {
		conn, r := opened(t, address, "/ws", webSocket)
		_ = conn.SetDeadline(began.Add(silence + 2*time.Minute))
		open, pings = append(open, r), append(pings, conn)
	}
	conn, events := opened(t, address, "/events", "")
	_ = conn.SetDeadline(began.Add(silence + 2*time.Minute))
	time.Sleep(silence)
	for i, w := range pings {
		_, _ = io.WriteString(w, "ping")
		if got, err := open[i].ReadString('g'); got != "ping" {
			t.Fatalf("tunnel %d after %v: %q, %v", i, silence, got, err)
		}
	}
	if n := p.metric(t, "authcompat_front_streams"); int(n) != tunnels+1 {
		t.Errorf("%v streams after %v", n, silence)
	}
	p.want(t, http.StatusOK, http.MethodGet, url+"/", "", "")

	began = time.Now()
	if err := p.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for _, r := range append(open, events) {
		all.Go(func() { _, _ = io.Copy(io.Discard, r) })
	}
	all.Wait()
	if err := p.Wait(); err != nil || time.Since(began) > 30*time.Second {
		t.Errorf("it ended after %v: %v", time.Since(began), err)
	}
	t.Logf("all ended within %v", time.Since(began))
}

// transfer sends a body up and gets one down, and returns the most memory that the process
// had meanwhile, in KiB.
func transfer(t *testing.T, p *process, size int64) (most int) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		request, _ := http.NewRequest(http.MethodPut, p.urls["ocd-users"]+"/echo", io.LimitReader(zeros{}, size))
		request.ContentLength = size
		reply, err := (&http.Client{}).Do(request)
		if err != nil {
			t.Error(err)
			return
		}
		defer reply.Body.Close()
		if n, err := io.Copy(io.Discard, reply.Body); n != size || err != nil {
			t.Errorf("%d bytes came back of %d: %v", n, size, err)
		}
	}()
	for {
		select {
		case <-done:
			return most
		case <-time.After(20 * time.Millisecond):
			most = max(most, p.resident(t))
		}
	}
}

// resident returns the memory of a process that is in use, in KiB.
func (p *process) resident(t *testing.T) int {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.Process.Pid))
	if err != nil {
		testenv.Missing(t, "the memory of a process is read from /proc: %v", err)
	}
	_, rest, _ := strings.Cut(string(status), "VmRSS:")
	number, _, _ := strings.Cut(strings.TrimSpace(rest), " ")
	n, err := strconv.Atoi(number)
	if err != nil {
		t.Fatal(err)
	}
	return n
}
