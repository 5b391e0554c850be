package try

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/console/relay"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/console/target"
	"github.com/authcompat/authcompat/profiles"
)

// A sheet is a page of the view as a browser without scripts sees it.
type sheet struct {
	status int
	size   int
	text   string // what people read, with one blank between words
	source string
	fields url.Values // of the form
}

// serve serves the view of some targets.
func serve(t testing.TB, o relay.Options, targets ...target.Target) *httptest.Server {
	t.Helper()
	v, err := newView(t.Context(), targets, o)
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	v.Register(mux)
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server
}

func open(t testing.TB, server *httptest.Server, query url.Values) *sheet {
	t.Helper()
	response, err := http.Get(server.URL + path + "?" + query.Encode())
	return read(t, response, err)
}

// press presses a button of a page's form.
func (s *sheet) press(t testing.TB, server *httptest.Server, button string) *sheet {
	t.Helper()
	s.fields.Set("do", button)
	response, err := http.PostForm(server.URL+path, s.fields)
	return read(t, response, err)
}

func read(t testing.TB, response *http.Response, err error) *sheet {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var source strings.Builder
	if _, err := io.Copy(&source, response.Body); err != nil {
		t.Fatal(err)
	}
	s := &sheet{status: response.StatusCode, size: source.Len(), source: source.String(), fields: url.Values{}}
	root, err := html.Parse(strings.NewReader(s.source))
	if err != nil {
		t.Fatal(err)
	}
	var words []string
	for n := range root.Descendants() {
		if n.Type == html.TextNode && n.Parent.Data != "option" {
			words = append(words, strings.Fields(n.Data)...)
		}
		if n.Type != html.ElementNode || attribute(n, "name") == "" {
			continue
		}
		name := attribute(n, "name")
		switch n.Data {
		case "input":
			if attribute(n, "type") != "checkbox" {
				s.fields.Set(name, attribute(n, "value"))
			} else if has(n, "checked") {
				s.fields.Set(name, "on")
			}
		case "textarea":
			text := ""
			if n.FirstChild != nil {
				text = n.FirstChild.Data
			}
			s.fields.Set(name, strings.ReplaceAll(text, "\n", "\r\n")) // as browsers send it
		case "select":
			for o := range n.Descendants() {
				if o.Data == "option" && has(o, "selected") {
					s.fields.Set(name, attribute(o, "value"))
				}
			}
		}
	}
	s.text = strings.Join(words, " ")
	return s
}

func attribute(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

func has(n *html.Node, key string) bool {
	for _, a := range n.Attr {
		if a.Key == key {
			return true
		}
	}
	return false
}

func mustEndpoint(t testing.TB, there target.Target, name string) profiles.Endpoint {
	t.Helper()
	e, ok := findEndpoint(there, name)
	if !ok {
		t.Fatalf("%s has no endpoint %s", there.Name, name)
	}
	return e
}
