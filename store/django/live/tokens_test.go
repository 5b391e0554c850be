package live_test

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/store/django/djangotest"
	"github.com/authcompat/authcompat/store/django/live"
	"github.com/authcompat/authcompat/store/postgres/postgrestest"
)

// TestTokenWithoutText issues tokens of which only the digest is known: Django could not
// read them, so that none is written.
func TestTokenWithoutText(t *testing.T) {
	for table, ddl := range map[string]string{"knox_authtoken": djangotest.KnoxDDL, "authtoken_token": djangotest.AuthtokenDDL} {
		for name, create := range databases(djangotest.UsersDDL, ddl) {
			t.Run(table+" on "+name, func(t *testing.T) {
				d := create(t)
				s := mustOpen(t, d.source)
				user, err := s.CreateUser(t.Context(), core.NewUser{Username: "ann", PasswordHash: "!"}, nil, nil)
				if err != nil {
					t.Fatal(err)
				}
				token := core.Token{Digest: keyOf("first").SHA256(), UserID: user.ID, Realm: core.DefaultRealm, CreatedAt: time.Now()}
				if err := s.IssueToken(t.Context(), token, "", 0, nil); err == nil {
					t.Error("issued")
				}
				token.Reusable = true
				if _, err := s.ReuseToken(t.Context(), token, "", time.Now(), nil); err == nil {
					t.Error("issued to be reused")
				}
				if n := d.count(t, `SELECT count(*) FROM `+table); n != 0 {
					t.Errorf("%d rows were written", n)
				}
			})
		}
	}
}

// TestForeignTokenSlides uses a token that knox itself issued through an API whose policy
// slides: knox's row gets the later expiry, at most once an interval, and none beyond the
// longest life (knox/auth.py 5.0.2, renew_token).
func TestForeignTokenSlides(t *testing.T) {
	created := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	text := strings.Repeat("0123456789abcdef", 4)
	for name, create := range databases(djangotest.UsersDDL, djangotest.KnoxDDL) {
		t.Run(name, func(t *testing.T) {
			d := create(t)
			s := mustOpen(t, d.source)
			user, err := s.CreateUser(t.Context(), core.NewUser{Username: "ann", PasswordHash: "!", CreatedAt: created}, nil, nil)
			if err != nil {
				t.Fatal(err)
			}
			digest := hex.EncodeToString(core.Presented(text).Knox5())
			if err := d.exec(t, fmt.Sprintf(`INSERT INTO knox_authtoken (digest, created, expiry, token_key, user_id) VALUES ('%s', '%s', '%s', '%s', %d)`,
				digest, stamp(created), stamp(created.Add(10*time.Hour)), text[:15], user.ID)); err != nil {
				t.Fatal(err)
			}
			now := created
			engine := core.New(core.Config{Backend: s.(*live.Store).Backend(), Clock: func() time.Time { return now }})
			policy := core.Policy{Issuer: "knox", Realm: core.DefaultRealm, TokenHex: 64, TTL: 10 * time.Hour, Sliding: true, MaxTTL: 12 * time.Hour}
			for _, step := range []struct {
				after   time.Duration
				sliding bool
				ends    time.Duration
			}{
				{30 * time.Minute, false, 10 * time.Hour},
				{time.Minute, true, 10 * time.Hour},
				{time.Minute + time.Second, true, 10*time.Hour + time.Minute + time.Second},
				{time.Hour, true, 11 * time.Hour},
				{10 * time.Hour, true, 12 * time.Hour},
				{11 * time.Hour, true, 12 * time.Hour},
			} {
				now, policy.Sliding = created.Add(step.after), step.sliding
				if _, err := engine.Authenticate(t.Context(), policy, core.Presented(text)); err != nil {
					t.Fatalf("after %v: %v", step.after, err)
				}
				if n := d.count(t, fmt.Sprintf(`SELECT count(*) FROM knox_authtoken WHERE expiry = '%s'`, stamp(created.Add(step.ends)))); n != 1 {
					t.Errorf("after %v: knox's row does not end %v after its creation", step.after, step.ends)
				}
			}
			now = created.Add(12 * time.Hour)
			if _, err := engine.Authenticate(t.Context(), policy, core.Presented(text)); core.KindOf(err) != core.KindTokenExpired {
				t.Errorf("after its longest life: %v", err)
			}
		})
	}
}

// stamp is a time as Django writes it to SQLite; PostgreSQL reads it in the session's zone, UTC.
func stamp(at time.Time) string { return at.UTC().Format("2006-01-02 15:04:05.999999") }

// TestTokenLimitIsolated issues tokens at once in a database whose transactions see what there
// was when they began.
func TestTokenLimitIsolated(t *testing.T) {
	for _, level := range []string{"repeatable read", "serializable"} {
		t.Run(level, func(t *testing.T) {
			dsn := postgrestest.With(t, postgresDSN(t, djangotest.UsersDDL, djangotest.KnoxDDL), "wait", patient)
			s := mustOpen(t, postgrestest.With(t, dsn, "default_transaction_isolation", level))
			user, err := s.CreateUser(t.Context(), core.NewUser{Username: "ann", PasswordHash: "!"}, nil, nil)
			if err != nil {
				t.Fatal(err)
			}
			const limit = 3
			var issued atomic.Int32
			var done sync.WaitGroup
			for i := range 4 * limit {
				done.Go(func() {
					key := keyOf(fmt.Sprint(i))
					token := core.Token{Digest: key.SHA256(), Plaintext: key, UserID: user.ID, Realm: core.DefaultRealm, CreatedAt: time.Unix(0, 0), ExpiresAt: time.Unix(1, 0)}
					switch err := s.IssueToken(t.Context(), token, "", limit, nil); {
					case err == nil:
						issued.Add(1)
					case !errors.Is(err, core.ErrTokenLimit):
						t.Error(err)
					}
				})
			}
			done.Wait()
			if n := issued.Load(); n != limit {
				t.Errorf("%d tokens, want %d", n, limit)
			}
		})
	}
}
