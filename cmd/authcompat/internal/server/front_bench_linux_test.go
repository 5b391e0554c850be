package server

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/httpserver"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/metrics"
	"github.com/authcompat/authcompat/dialects"
	"github.com/authcompat/authcompat/dialects/front"
)

// BenchmarkFront measures requests with a live token through a front that checks it, beside
// a bare ReverseProxy that is tuned as well as the front is, both before one bare server, in
// turns. The ratios, of the time that passes and of the processors' time, are the medians of
// those of the turns; nginx-ratio is that beside an nginx with two workers.
func BenchmarkFront(b *testing.B) {
	application := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"id": 1, "text": "of an application"}`)
	}))
	defer application.Close()
	target, err := url.Parse(application.URL)
	if err != nil {
		b.Fatal(err)
	}
	profile, service, token := checkedService(b)
	bodies := httpserver.NewBodyBudget()
	m := metrics.New(bodies.Bytes)
	count := m.ExchangeCounter(profile.Name, "old", []string{string(front.ResultOK)})
	log := slog.New(slog.DiscardHandler)
	handler, err := dialects.NewBefore(profile, service, func(api front.API) http.Handler {
		return front.New(api, front.Options{
			Old:   front.Application{URL: target, Count: func(r front.Result) { count(string(r)) }},
			Rules: front.NewRules([]front.Rule{{Path: "/private/", Token: front.Needed}}),
		})
	})
	if err != nil {
		b.Fatal(err)
	}
	handler = httpserver.Instrument(handler, profile.Name, httpserver.InstrumentOptions{Recorder: m, Bodies: bodies, Log: log, Requests: httpserver.LogFailures})
	var servers httpserver.Servers
	if err := servers.Listen("127.0.0.1:0", handler, httpserver.ListenOptions{Log: log}); err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(b.Context())
	defer cancel()
	go func() { _ = servers.Serve(ctx, log) }()

	bare := httptest.NewServer(&httputil.ReverseProxy{
		Rewrite:    func(p *httputil.ProxyRequest) { p.SetURL(target); p.Out.Host = p.In.Host; p.SetXForwarded() },
		Transport:  &http.Transport{DisableCompression: true, MaxIdleConns: 512, MaxIdleConnsPerHost: 512},
		BufferPool: &pooled{},
	})
	defer bare.Close()

	defer runtime.KeepAlive(ballast()) // as serve has it
	const turn = 1600                  // requests
	nginx := startNginx(b, target.Host)
	var ratios, cpu, beside []float64
	for b.Loop() {
		plain, plainCPU := load(b, bare.Listener.Addr().String(), frontTarget, token, turn)
		fronted, frontedCPU := load(b, servers[0].Listener.Addr().String(), frontTarget, token, turn)
		if nginx != "" {
			took, _ := load(b, nginx, frontTarget, token, turn)
			beside = append(beside, took.Seconds()/fronted.Seconds())
		}
		ratios, cpu = append(ratios, plain.Seconds()/fronted.Seconds()), append(cpu, plainCPU.Seconds()/frontedCPU.Seconds())
	}
	slices.Sort(ratios)
	slices.Sort(cpu)
	b.ReportMetric(ratios[len(ratios)/2], "ratio")
	b.ReportMetric(cpu[len(cpu)/2], "cpu-ratio")
	if len(beside) > 0 {
		slices.Sort(beside)
		b.ReportMetric(beside[len(beside)/2], "nginx-ratio")
	}
	b.ReportMetric(0, "ns/op")
}

// startNginx starts an nginx with two workers before an application, and returns its address;
// empty: there is none.
func startNginx(b *testing.B, application string) (address string) {
	b.Helper()
	path, err := exec.LookPath("nginx")
	if err != nil {
		path = "/usr/sbin/nginx"
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	address = l.Addr().String()
	_ = l.Close()
	folder := b.TempDir()
	config := `worker_processes 2; events {} http {
		access_log off; client_body_temp_path a; proxy_temp_path b; fastcgi_temp_path c; uwsgi_temp_path d; scgi_temp_path e; keepalive_requests 1000000;
		upstream application { server ` + application + `; keepalive 512; keepalive_requests 1000000; }
		server { listen ` + address + `; location / { proxy_pass http://application; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host $http_host; } } }`
	file := filepath.Join(folder, "nginx.conf")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		b.Fatal(err)
	}
	cmd := exec.Command(path, "-p", folder, "-e", "stderr", "-c", file, "-g", "daemon off; pid nginx.pid;")
	if err := cmd.Start(); err != nil {
		return ""
	}
	b.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait() // it ends by the signal
	})
	for range 500 {
		if conn, err := net.Dial("tcp", address); err == nil {
			_ = conn.Close()
			return address
		}
		time.Sleep(10 * time.Millisecond)
	}
	return ""
}

// pooled is a pool of buffers.
type pooled struct{ sync.Pool }

func (p *pooled) Get() []byte {
	if b, ok := p.Pool.Get().(*[]byte); ok {
		return *b
	}
	return make([]byte, 32<<10)
}

func (p *pooled) Put(b []byte) { p.Pool.Put(&b) }

// frontTarget is a path that needs a token, as the application has it.
const frontTarget = "/private/list/?page=2"

// load sends requests for a target over 16 connections, and returns how long all of them took, and how
// much of the processors, client and application included.
func load(b *testing.B, address, target, token string, requests int) (wall, cpu time.Duration) {
	b.Helper()
	const connections = 16
	request := "GET " + target + " HTTP/1.1\r\nHost: api.example\r\nUser-Agent: app/1.0\r\nAccept: application/json\r\nAuthorization: Token " + token + "\r\n\r\n"
	var all sync.WaitGroup
	began, used := time.Now(), processorTime(b)
	for range connections {
		all.Go(func() {
			if err := repeat(address, request, requests/connections); err != nil {
				b.Error(err)
			}
		})
	}
	all.Wait()
	return time.Since(began), processorTime(b) - used
}

// processorTime returns how much of the processors the process has used.
func processorTime(b *testing.B) time.Duration {
	b.Helper()
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// repeat sends a request many times over one connection.
func repeat(address, request string, times int) error {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return err
	}
	defer conn.Close()
	r := bufio.NewReader(conn)
	for range times {
		if _, err := io.WriteString(conn, request); err != nil {
			return err
		}
		length := 0
		for first := true; ; first = false {
			line, err := r.ReadString('\n')
			if err != nil {
				return err
			}
			if first && !strings.HasPrefix(line, "HTTP/1.1 200 ") {
				return fmt.Errorf("answer %q", line)
			}
			if line == "\r\n" {
				break
			}
			_, _ = fmt.Sscanf(line, "Content-Length: %d", &length)
		}
		if _, err := r.Discard(length); err != nil {
			return err
		}
	}
	return nil
}
