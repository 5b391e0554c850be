package consoletest

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/console"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/console/guard"
)

// Serve serves a console until the test ends, and returns its URL with the key. What it is called and its key need not be
// among the options.
func Serve(t *testing.T, o console.Options) string {
	t.Helper()
	o.Key, o.Hosts = guard.NewKey(), []string{"127.0.0.1"}
	if o.Mode == "" {
		o.Mode = "a test"
	}
	handler, err := console.New(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return guard.URL(server.Listener.Addr().String(), o.Key)
}

// Session begins a session at the URL with a console's key, and returns a client that has it, and the URL of /console/.
func Session(t *testing.T, address string) (client *http.Client, root string) {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	client = &http.Client{Jar: jar}
	res, err := client.Get(address)
	if status, body := Read(t, res, err); status != http.StatusOK {
		t.Fatalf("the key leads to a page with status %d\n%s", status, body)
	}
	root, _, _ = strings.Cut(address, "?")
	return client, root
}

// Read returns the status and the body of a response, which it closes. It fails the test for an error, also for that
// with which the response came.
func Read(t *testing.T, res *http.Response, err error) (status int, body string) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(text)
}
