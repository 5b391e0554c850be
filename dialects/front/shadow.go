package front

import (
	"net/http"

	"github.com/authcompat/authcompat/core/cutover"
	"github.com/authcompat/authcompat/dialects/internal/wire"
)

// Shadow watches the requests to endpoints of the API that the old application answers. It has
// no say in who answers.
type Shadow interface {
	// Wants reports whether it watches a request to an endpoint. It must return quickly.
	Wants(r *http.Request, endpoint string) bool
	// Watch passes a request on, once, to the application, by calling pass. It must not keep the
	// client waiting, nor change w or r for the worse: a ResponseWriter that wraps w has its
	// methods, or a method Unwrap.
	Watch(w http.ResponseWriter, r *http.Request, watched Watched)
}

// Watched is a request that is watched.
type Watched struct {
	Endpoint string
	// Body returns the body of the request, of which nothing is lost. It fails if the body is
	// larger than the API reads, or can't be read.
	Body func() ([]byte, error)
	// Pass sends a request to the application, and its answer to w: the one that is watched, or one
	// of the same method, target and headers, which is asked besides.
	Pass func(w http.ResponseWriter, r *http.Request)
}

// watch passes a request to an endpoint of the API on to the old application, before the eyes of
// the shadow.
func (f *Front) watch(w http.ResponseWriter, r *http.Request, endpoint string) {
	if f.Shadow == nil || f.MaxBody > 0 && r.ContentLength > f.MaxBody || !f.Shadow.Wants(r, endpoint) {
		f.forward(w, r, nil, cutover.Old)
		return
	}
	kept, ok := r.Body.(*wire.Kept)
	if !ok {
		kept = wire.Keep(r.Body)
	}
	request := r
	f.Shadow.Watch(w, r, Watched{
		Endpoint: endpoint,
		Body: func() ([]byte, error) {
			reread := r.WithContext(r.Context())
			reread.Body = kept
			return wire.Body(w, reread)
		},
		Pass: func(to http.ResponseWriter, sent *http.Request) {
			if sent == request && kept.Touched() {
				sent = sent.WithContext(sent.Context()) // net/http looks at the body of the original
				sent.Body = kept
			}
			f.forward(to, sent, nil, cutover.Old)
		},
	})
}
