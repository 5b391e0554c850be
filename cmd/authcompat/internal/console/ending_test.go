package console

import (
	"bufio"
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"testing"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/console/page"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/httpserver"
)

// TestStreamEndsWithTheServer has a stream not hold up a server that is told to end.
func TestStreamEndsWithTheServer(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, end := context.WithCancel(context.Background())
	defer end()
	var servers httpserver.Servers
	log := slog.New(slog.DiscardHandler)
	servers.Take(listener, ending(ctx, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, err := page.NewStream(w); err != nil {
			t.Error(err)
		}
		<-r.Context().Done()
	})), httpserver.ListenOptions{Log: log})
	done := make(chan error, 1)
	go func() { done <- servers.Serve(ctx, log) }()
	res, err := http.Get("http://" + listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body := bufio.NewReader(res.Body)
	if line, err := body.ReadString('\n'); line != ":\n" || err != nil {
		t.Fatalf("the stream begins with %q, %v", line, err)
	}
	end()
	if rest, err := io.ReadAll(body); string(rest) != "\n" || err != nil {
		t.Errorf("then %q, %v", rest, err)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}
