package metrics_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/metrics"
	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/cutover"
	"github.com/authcompat/authcompat/store/sqlite/sqlitetest"
)

// TestCutoverIsCounted counts how often a server reads and sets the state of a cutover. That
// another server was faster is no failure of the store.
func TestCutoverIsCounted(t *testing.T) {
	m := metrics.New(func() float64 { return 0 })
	b := m.Instrument(sqlitetest.MustOpen(t).Backend())
	state := cutover.State{Key: bytes.Repeat([]byte{1}, cutover.KeySize)}
	if err := b.Cutover.SetCutover(t.Context(), 0, state, nil); err != nil {
		t.Fatal(err)
	}
	if err := b.Cutover.SetCutover(t.Context(), 0, state, nil); !errors.Is(err, core.ErrConflict) {
		t.Errorf("error %v", err)
	}
	if s, err := b.Cutover.CutoverState(t.Context()); err != nil || s.Version != 1 {
		t.Errorf("%+v, %v", s, err)
	}
	w := httptest.NewRecorder()
	m.Handler(slog.New(slog.DiscardHandler)).ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	for _, line := range []string{
		`authcompat_store_operation_duration_seconds_count{operation="cutover_state"} 1`,
		`authcompat_store_operation_duration_seconds_count{operation="set_cutover"} 2`,
		`authcompat_store_operation_errors_total{operation="set_cutover"} 0`,
	} {
		if !strings.Contains(w.Body.String(), line+"\n") {
			t.Errorf("no line %s", line)
		}
	}
	if none := m.Instrument(core.Backend{}); none.Cutover != nil {
		t.Error("a store without a cutover has one")
	}
}

// slow is a store that takes its time to find nothing.
type slow struct{ core.Store }

func (slow) FindToken(context.Context, string, core.Presented) (core.Token, core.User, error) {
	time.Sleep(2 * time.Second)
	return core.Token{}, core.User{}, core.ErrNotFound
}

// TestFindTokenIsTimed has a look-up counted with the time that it took, however long the server has run.
func TestFindTokenIsTimed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := metrics.New(func() float64 { return 0 })
		store := m.Instrument(core.Backend{Store: slow{}}).Store
		time.Sleep(time.Hour)
		if _, _, err := store.FindToken(t.Context(), "", ""); !errors.Is(err, core.ErrNotFound) {
			t.Errorf("error %v", err)
		}
		w := httptest.NewRecorder()
		m.Handler(slog.New(slog.DiscardHandler)).ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
		for _, line := range []string{
			`authcompat_store_operation_duration_seconds_sum{operation="find_token"} 2`,
			`authcompat_store_operation_errors_total{operation="find_token"} 0`,
		} {
			if !strings.Contains(w.Body.String(), line+"\n") {
				t.Errorf("no line %s", line)
			}
		}
	})
}

// remembering is a store that has one token in memory.
type remembering struct{ slow }

func (remembering) CachedToken(realm string, p core.Presented) (core.Token, core.User, bool) {
	return core.Token{Realm: realm}, core.User{ID: 7}, p == "known"
}

// TestTokenInMemoryIsNoOperation has only those look-ups counted that the database has to answer.
func TestTokenInMemoryIsNoOperation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := metrics.New(func() float64 { return 0 })
		store := m.Instrument(core.Backend{Store: remembering{}}).Store
		if token, user, err := store.FindToken(t.Context(), "realm", "known"); err != nil || user.ID != 7 || token.Realm != "realm" {
			t.Errorf("token %v of user %v, error %v", token, user, err)
		}
		if _, _, err := store.FindToken(t.Context(), "realm", "unknown"); !errors.Is(err, core.ErrNotFound) {
			t.Errorf("error %v", err)
		}
		w := httptest.NewRecorder()
		m.Handler(slog.New(slog.DiscardHandler)).ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
		for _, line := range []string{
			`authcompat_store_operation_duration_seconds_sum{operation="find_token"} 2`,
			`authcompat_store_operation_duration_seconds_count{operation="find_token"} 1`,
		} {
			if !strings.Contains(w.Body.String(), line+"\n") {
				t.Errorf("no line %s", line)
			}
		}
	})
}
