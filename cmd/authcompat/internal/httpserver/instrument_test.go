package httpserver

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/metrics"
	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/hashing"
	"github.com/authcompat/authcompat/core/password"
	"github.com/authcompat/authcompat/dialects"
	"github.com/authcompat/authcompat/profiles"
)

// TestPanicsShowNoSecret panics where secrets are within reach.
func TestPanicsShowNoSecret(t *testing.T) {
	secret := "canary1x9e3779b97f4a7c15"
	encoded := base64.StdEncoding.EncodeToString([]byte(secret))[:12]
	for name, do := range map[string]func(){
		"a text":          func() { panic("password " + secret) },
		"an error":        func() { panic(errors.New(secret)) },
		"a runtime error": func() { _ = []string{secret}[len(secret)] },
		"a failed assertion": func() {
			var v any = secret
			_ = v.(fmt.Stringer)
		},
		"a hash":          func() { panic(&password.Panic{Value: secret, Stack: []byte("its stack")}) },
		"a wrapped error": func() { panic(fmt.Errorf("of %s: %w", secret, os.ErrInvalid)) },
	} {
		t.Run(name, func(t *testing.T) {
			var log bytes.Buffer
			h := Instrument(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { do() }), "p", InstrumentOptions{
				Recorder: metrics.New(nil), Bodies: NewBodyBudget(), Log: slog.New(slog.NewJSONHandler(&log, nil)), Requests: LogAll,
			})
			func() {
				defer func() {
					if cause := recover(); cause != http.ErrAbortHandler {
						t.Errorf("panic %v", cause)
					}
				}()
				h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("POST", "/"+secret, strings.NewReader(secret)))
			}()
			if !strings.Contains(log.String(), "a defect of this program") {
				t.Errorf("not logged: %s", log.String())
			}
			if strings.Contains(log.String(), secret) || strings.Contains(log.String(), encoded) {
				t.Errorf("the log shows the secret: %s", log.String())
			}
		})
	}
}

// TestErrorsAreLoggedNotSent checks that the cause of an error stays on the server.
func TestErrorsAreLoggedNotSent(t *testing.T) {
	p, err := profiles.Load("ocd-users")
	if err != nil {
		t.Fatal(err)
	}
	passwords, err := hashing.NewDjangoHasher(1)
	if err != nil {
		t.Fatal(err)
	}
	handler, err := dialects.New(p, core.New(core.Config{Backend: core.Backend{Store: brokenStore{}}, Hasher: passwords}))
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	h := Instrument(handler, p.Name, InstrumentOptions{
		Recorder: metrics.New(nil), Bodies: NewBodyBudget(), Log: slog.New(slog.NewJSONHandler(&log, nil)), Requests: LogFailures,
	})
	w := httptest.NewRecorder()
	r := httptest.NewRequest("POST", "/api/login/", strings.NewReader(`{"username": "alice", "password": "secret"}`))
	r.Header.Set("Content-Type", "application/json")
	h.ServeHTTP(w, r)
	if w.Code != 500 || strings.Contains(w.Body.String(), "broken") || !strings.Contains(log.String(), "the store is broken") {
		t.Errorf("%d %s, log %s", w.Code, w.Body.String(), log.String())
	}
}

// brokenStore returns an error of no kind that core knows.
type brokenStore struct{ core.Store }

func (brokenStore) Account(context.Context, string) (core.Account, error) {
	return core.Account{}, errors.New("the store is broken")
}
