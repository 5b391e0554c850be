package httpserver

import (
	"log/slog"
	"net/http"
	"net/netip"
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
