package overlay_test

import (
	"testing"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/maillink"
	"github.com/authcompat/authcompat/core/overlay"
)

const allauthDDL = authtokenDDL + `; CREATE TABLE account_emailaddress (id integer PRIMARY KEY AUTOINCREMENT, email varchar(254) NOT NULL, verified bool NOT NULL,
	"primary" bool NOT NULL, user_id integer NOT NULL REFERENCES auth_user (id), UNIQUE (user_id, email))`

// TestAddressesWithoutAChange verifies addresses as the engine does, and verifies none.
func TestAddressesWithoutAChange(t *testing.T) {
	w := newWorld(t, allauthDDL)
	policy := core.Policy{Issuer: "api", Realm: core.DefaultRealm, TokenHex: 40, Reuse: true, EmailVerification: core.EmailVerificationMandatory}
	for _, engine := range []*core.Service{w.engine, w.shadow} {
		if err := engine.AddPolicy(policy); err != nil {
			t.Fatal(err)
		}
	}
	keys := &maillink.Generator{Secrets: []string{"secret"}}
	now := time.Now()
	w.user(t, policy, "ann") // the first address
	w.exec(t, `INSERT INTO account_emailaddress (email, verified, "primary", user_id) SELECT 'ANN@example.com', TRUE, FALSE, 99`)
	kind := func(err error) core.Kind {
		if err == nil {
			return -1
		}
		return core.KindOf(err)
	}
	ask := func(engine *core.Service, key string) core.Kind {
		return kind(engine.VerifyEmail(overlay.With(t.Context(), overlay.NewRequest()), policy, keys, key))
	}
	login := func(engine *core.Service) core.Kind {
		_, err := engine.Login(overlay.With(t.Context(), overlay.NewRequest()), policy, "ann", "secret")
		return kind(err)
	}
	both := func(what string, do func(*core.Service) core.Kind, want core.Kind) {
		t.Helper()
		if got := do(w.shadow); got != want {
			t.Errorf("%s, in the shadow: %v, want %v", what, got, want)
		}
		if got := do(w.engine); got != want {
			t.Errorf("%s: %v, want %v", what, got, want)
		}
	}
	first := keys.MakeEmailKey(1, now)
	both("a key of nobody's", func(s *core.Service) core.Kind { return ask(s, keys.MakeEmailKey(7, now)) }, core.KindInvalidCredentials)
	both("a login before", login, core.KindEmailUnverified)
	both("an address that another has verified", func(s *core.Service) core.Kind { return ask(s, first) }, -1)
	both("a login after that", login, core.KindEmailUnverified)
	w.exec(t, `DELETE FROM account_emailaddress WHERE user_id = 99`)
	if got := ask(w.shadow, first); got != -1 {
		t.Errorf("%v", got)
	}
	if got := login(w.engine); got != core.KindEmailUnverified {
		t.Errorf("the shadow has verified the address: %v", got)
	}
	both("a good key", func(s *core.Service) core.Kind { return ask(s, first) }, -1)
	both("a login after", login, -1)
	both("a used key", func(s *core.Service) core.Kind { return ask(s, first) }, core.KindInvalidCredentials)
	if taken, err := w.shadow.EmailVerified(overlay.With(t.Context(), overlay.NewRequest()), "Ann@Example.com"); err != nil || !taken {
		t.Errorf("%t, %v", taken, err)
	}
}
