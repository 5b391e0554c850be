package console_test

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/console"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/console/guard"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/console/operate"
)

// paths are the pages that the navigation leads to.
func paths() []string {
	var all []string
	for _, view := range []string{"profiles", "try", "suite", "users", "tokens", "audit", "callers", "cutover", "metrics"} {
		all = append(all, "/console/"+view+"/")
	}
	return all
}

// address serves a console with all views, and returns the URL with its key.
func address(t *testing.T) string {
	t.Helper()
	key := guard.NewKey()
	handler, err := console.New(t.Context(), console.Options{Key: key, Hosts: []string{"127.0.0.1"}, Operate: &operate.Options{Write: true}, Mode: "a test"})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return guard.URL(server.Listener.Addr().String(), key)
}

// open serves a console with all views, and returns its URL and a client that has its key.
func open(t *testing.T) (string, *http.Client) {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	client, withKey := &http.Client{Jar: jar}, address(t)
	if status, _ := get(t, client, withKey); status != http.StatusOK {
		t.Fatalf("the key leads to a page with status %d", status)
	}
	url, _, _ := strings.Cut(withKey, "/console/")
	return url, client
}

func get(t *testing.T, client *http.Client, url string) (int, string) {
	t.Helper()
	res, err := client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(body)
}

// TestPages has every link of the navigation lead to a page that marks it as the current one.
func TestPages(t *testing.T) {
	url, client := open(t)
	for _, path := range paths() {
		status, body := get(t, client, url+path)
		if status != http.StatusOK {
			t.Errorf("%s: status %d", path, status)
		}
		if want := `<a href="` + path + `" aria-current="page">`; !strings.Contains(body, want) || strings.Count(body, "aria-current") != 1 {
			t.Errorf("%s: its link is not marked as the current one:\n%s", path, body)
		}
		if strings.Count(body, "<h1>") != 1 {
			t.Errorf("%s: not one heading:\n%s", path, body)
		}
	}
	if status, body := get(t, client, url+"/console/nothing"); status != http.StatusNotFound || !strings.Contains(body, "There is no such page.") {
		t.Errorf("an unknown path: status %d\n%s", status, body)
	}
}
