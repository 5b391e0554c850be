package suite

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"golang.org/x/net/html"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/console/target"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/console/target/targettest"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/inprocess"
	"github.com/authcompat/authcompat/conformance"
)

// running returns a target that is a running server, which is reached through its API alone, what reaches behind it, and the
// number of requests that it got.
func running(t testing.TB, name string) (target.Target, conformance.State, *atomic.Int32) {
	t.Helper()
	var requests atomic.Int32
	count := func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			requests.Add(1)
			next.ServeHTTP(w, r)
		})
	}
	there := targettest.Served(t, name, inprocess.Options{Around: count})
	state := there.State
	there.Own, there.State = false, nil
	return there, state, &requests
}

// A console is the view, served.
type console struct {
	*httptest.Server
	t testing.TB
}

// serve serves the view of some targets. Its runs end with the test.
func serve(t testing.TB, o Options) *console {
	t.Helper()
	ctx, end := context.WithCancel(context.Background())
	v, err := New(ctx, o)
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	v.Register(mux)
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	t.Cleanup(end) // before: streams end with runs
	return &console{server, t}
}

// A sheet is a page as a browser without scripts sees it.
type sheet struct {
	status int
	path   string // at which redirects ended
	source string
	text   string // what people read, with one blank between words
}

func (c *console) get(path string, query url.Values) *sheet {
	c.t.Helper()
	response, err := http.Get(c.URL + path + "?" + query.Encode())
	return c.read(response, err)
}

// of gets the page of a target.
func (c *console) of(name string) *sheet {
	c.t.Helper()
	return c.get(path, url.Values{"target": {name}})
}

func (c *console) post(path string, fields url.Values) *sheet {
	c.t.Helper()
	response, err := http.PostForm(c.URL+path, fields)
	return c.read(response, err)
}

// run starts a run with the fields of a form.
func (c *console) run(name string, fields url.Values) *sheet {
	c.t.Helper()
	fields.Set("target", name)
	return c.post(path+"run", fields)
}

func (c *console) read(response *http.Response, err error) *sheet {
	c.t.Helper()
	if err != nil {
		c.t.Fatal(err)
	}
	defer response.Body.Close()
	source, err := io.ReadAll(response.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	if len(source) > 100_000 {
		c.t.Errorf("%s has %d bytes", response.Request.URL, len(source))
	}
	s := &sheet{status: response.StatusCode, path: response.Request.URL.RequestURI(), source: string(source)}
	root, err := html.Parse(bytes.NewReader(source))
	if err != nil {
		c.t.Fatal(err)
	}
	var words []string
	for n := range root.Descendants() {
		if n.Type == html.TextNode && n.Parent.Data != "option" && !hidden(n) {
			words = append(words, strings.Fields(n.Data)...)
		}
	}
	s.text = strings.Join(words, " ")
	return s
}

// hidden reports whether a browser does not show a node.
func hidden(n *html.Node) bool {
	for ; n != nil; n = n.Parent {
		for _, a := range n.Attr {
			if a.Key == "hidden" {
				return true
			}
		}
	}
	return false
}

// follow returns the address of the events that a page leads to.
func (s *sheet) follow(t testing.TB) string {
	t.Helper()
	_, rest, found := strings.Cut(s.source, `data-follow="`)
	address, _, _ := strings.Cut(rest, `"`)
	if !found {
		t.Fatalf("nothing can be followed: %s", s.text)
	}
	return html.UnescapeString(address)
}

// An event is one of a stream.
type event struct {
	kind string
	data string
}

// A stream is a stream of events that is being read.
type stream struct {
	t    testing.TB
	body io.Closer
	from *bufio.Reader
}

// watch begins to read a stream.
func (c *console) watch(address string) *stream {
	c.t.Helper()
	response, err := http.Get(c.URL + address)
	if err != nil {
		c.t.Fatal(err)
	}
	if response.StatusCode != http.StatusOK || response.Header.Get("Content-Type") != "text/event-stream; charset=utf-8" {
		c.t.Fatalf("%s: %s, %s", address, response.Status, response.Header.Get("Content-Type"))
	}
	c.t.Cleanup(func() { _ = response.Body.Close() })
	return &stream{c.t, response.Body, bufio.NewReader(response.Body)}
}

// next returns the next event; ok is false at the end of the stream.
func (s *stream) next() (e event, ok bool) {
	for {
		text, err := s.from.ReadString('\n')
		switch text = strings.TrimSuffix(text, "\n"); {
		case err != nil:
			return event{}, false
		case strings.HasPrefix(text, "event: "):
			e.kind = text[len("event: "):]
		case strings.HasPrefix(text, "data: "):
			e.data = text[len("data: "):]
		case text == "" && e.kind != "":
			return e, true
		}
	}
}

// all returns the events until the end of the stream.
func (s *stream) all() (all []event) {
	for {
		e, ok := s.next()
		if !ok {
			return all
		}
		all = append(all, e)
	}
}

// until waits for an event of a kind, and returns the number of those before it.
func (s *stream) until(kind string) (before int) {
	s.t.Helper()
	for ; ; before++ {
		e, ok := s.next()
		if !ok {
			s.t.Fatalf("the stream ends before its %s", kind)
		}
		if e.kind == kind {
			return before
		}
	}
}

// decode returns the data of an event.
func decode[T any](t testing.TB, e event) (data T) {
	t.Helper()
	if err := json.Unmarshal([]byte(e.data), &data); err != nil {
		t.Fatalf("%s: %v", e.data, err)
	}
	return data
}

// exchange gets the page of an exchange.
func (c *console) exchange(name, exchange string) *sheet {
	c.t.Helper()
	file, err := conformance.Builtin(name)
	if err != nil {
		c.t.Fatal(err)
	}
	number := 1 + slices.IndexFunc(file.Exchanges, func(e conformance.Exchange) bool { return e.Name == exchange })
	return c.get(path+"exchange", url.Values{"target": {name}, "number": {strconv.Itoa(number)}})
}

// finish waits for the end of a run that a page shows, and returns its target's page then.
func (c *console) finish(name string, s *sheet) *sheet {
	c.t.Helper()
	if strings.Contains(s.source, "data-follow") { // else it was quick
		c.watch(s.follow(c.t)).until("end")
	}
	return c.of(name)
}

// has fails the test unless a page shows all of the texts.
func (s *sheet) has(t testing.TB, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if !strings.Contains(s.text, text) {
			t.Errorf("%s does not show %q:\n%s", s.path, text, s.text)
		}
	}
}

// lacks fails the test if a page shows one of the texts.
func (s *sheet) lacks(t testing.TB, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if strings.Contains(s.text, text) {
			t.Errorf("%s shows %q:\n%s", s.path, text, s.text)
		}
	}
}
