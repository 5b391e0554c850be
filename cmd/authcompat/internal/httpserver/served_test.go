package httpserver

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strconv"
	"strings"
	"testing"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/metrics"
	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/hashing"
	"github.com/authcompat/authcompat/dialects"
	"github.com/authcompat/authcompat/profiles"
	"github.com/authcompat/authcompat/store/sqlite/sqlitetest"
)

// served returns the handler of a profile, whose clients come through a trusted proxy, and
// the path of its login.
func served(t *testing.T, name string) (handler http.Handler, login string) {
	t.Helper()
	return servedFrom(t, name, sqlitetest.MustOpen(t), NewBodyBudget())
}

// servedFrom is served with a store and a budget.
func servedFrom(t *testing.T, name string, store core.Store, bodies *BodyBudget) (handler http.Handler, login string) {
	t.Helper()
	passwords, err := hashing.NewDjangoHasher(1)
	if err != nil {
		t.Fatal(err)
	}
	return servedBy(t, name, store, passwords, bodies)
}

// servedBy is servedFrom with passwords that a hasher checks.
func servedBy(t *testing.T, name string, store core.Store, passwords core.Hasher, bodies *BodyBudget) (handler http.Handler, login string) {
	t.Helper()
	p, err := profiles.Load(name)
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	h, err := dialects.New(p, core.New(core.Config{Backend: core.Backend{Store: store}, Hasher: passwords, Log: log}))
	if err != nil {
		t.Fatal(err)
	}
	e, _ := p.Endpoint(profiles.Login)
	return Instrument(h, p.Name, InstrumentOptions{
		Proxies: Proxies{netip.MustParsePrefix("0.0.0.0/0"), netip.MustParsePrefix("::/0")}, Recorder: metrics.New(nil), Bodies: bodies, Log: log, Requests: LogAll,
	}), e.Path
}

// grow returns a text of at most n bytes.
func grow(text [3]string, n int) string {
	var b strings.Builder
	b.WriteString(text[0])
	for i := 0; ; i++ {
		unit := strings.ReplaceAll(text[1], "#", strconv.Itoa(i))
		if b.Len()+len(unit)+len(text[2]) > n {
			return b.String() + text[2]
		}
		b.WriteString(unit)
	}
}

// request returns a request with a text in a place.
func request(login, place, text string) *http.Request {
	body, kind := "{}", "application/json"
	switch place {
	case "form":
		body, kind = text, "application/x-www-form-urlencoded"
	case "multipart":
		body, kind = text, "multipart/form-data; boundary=x"
	case "json":
		body = text
	case "json in UTF-16":
		body, kind = text, "application/json; charset=utf-16"
	case "Authorization": // which logins don't read
		login = strings.NewReplacer("login", "logout").Replace(login)
	}
	r := httptest.NewRequest(http.MethodPost, login, strings.NewReader(body))
	r.Header.Set("Content-Type", kind)
	switch place {
	case "query": // which is read before it is known that only a slash is missing
		r.Header.Set("Content-Type", kind+"; charset=utf-8")
		r.URL.RawQuery = text
	case "path":
		r.URL.Path = text
	case "method":
		r.Method = text
	case "form", "multipart", "json", "json in UTF-16":
	default:
		r.Header[place] = []string{text}
	}
	return r
}
