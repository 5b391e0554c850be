package front

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httputil"
)

// Head returns the head that the application would get for a request, as it is written. The
// request is one that http.ReadRequest has read, from the client at its RemoteAddr.
func (f *Front) Head(r *http.Request) string {
	var head bytes.Buffer
	proxy := httputil.ReverseProxy{Rewrite: f.rewrite, Transport: roundTripper(func(out *http.Request) (*http.Response, error) {
		out.Body = nil
		_, hasLength := r.Header["Content-Length"]
		if err := out.Write(&head); err != nil {
			return nil, err
		}
		written := rewriteHead(nil, head.Bytes(), r.RequestURI, hasLength && r.ContentLength == 0)
		head.Reset()
		head.Write(written)
		return &http.Response{StatusCode: http.StatusOK, Body: http.NoBody}, nil
	})}
	exchanged := context.WithValue(r.Context(), exchangeKey{}, &exchange{Front: f, to: f.old}) // no token is checked
	proxy.ServeHTTP(&nobody{header: make(http.Header)}, r.WithContext(exchanged))
	return head.String()
}

// roundTripper is a http.RoundTripper.
type roundTripper func(*http.Request) (*http.Response, error)

// RoundTrip implements http.RoundTripper.
func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// nobody is a ResponseWriter that nobody reads from.
type nobody struct{ header http.Header }

// Header implements http.ResponseWriter.
func (n *nobody) Header() http.Header { return n.header }

// Write implements http.ResponseWriter.
func (n *nobody) Write(b []byte) (int, error) { return len(b), nil }

// WriteHeader implements http.ResponseWriter.
func (n *nobody) WriteHeader(int) {}
