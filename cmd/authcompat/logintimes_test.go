package main

import (
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/argon2"
	"golang.org/x/crypto/bcrypt"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/hashing"
	"github.com/authcompat/authcompat/core/password"
	"github.com/authcompat/authcompat/store"
)

// mixed makes accounts of several formats: a quarter cheap, half at the usual
// cost, a quarter expensive, so that the median login takes the usual time.
func mixed(t testing.TB, dsn string, accounts int) {
	t.Helper()
	s, err := store.Open(context.Background(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	cheap, usual := hashOf(t, 20_000), hashOf(t, 200_000)
	crypted, err := bcrypt.GenerateFromPassword([]byte("right"), 10)
	if err != nil {
		t.Fatal(err)
	}
	salt := []byte("saltsaltsalt")
	argon := argon2.IDKey([]byte("right"), salt, 2, 65536, 2, 32)
	dear := []string{
		"bcrypt$" + string(crypted),
		fmt.Sprintf("argon2$argon2id$v=19$m=65536,t=2,p=2$%s$%s", base64.RawStdEncoding.EncodeToString(salt), base64.RawStdEncoding.EncodeToString(argon)),
	}
	for i := range accounts {
		hash := usual
		switch i % 4 {
		case 0:
			hash = cheap
		case 1:
			hash = dear[i/4%2]
		}
		for kind, u := range map[string]core.NewUser{
			"active":   {PasswordHash: hash},
			"inactive": {PasswordHash: hash, Inactive: true},
			"unusable": {PasswordHash: "!unusable"},
		} {
			u.Username, u.CreatedAt = fmt.Sprintf("%s-%d", kind, i), time.Now()
			if _, err := s.CreateUser(context.Background(), u, nil, nil); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func hashOf(t testing.TB, iterations int) string {
	t.Helper()
	p, err := hashing.NewDjangoHasher(iterations)
	if err != nil {
		t.Fatal(err)
	}
	encoded, err := p.Hash(context.Background(), "right")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := password.CostOf(encoded); err != nil {
		t.Fatal(err)
	}
	return encoded
}

// loginOf is the request of a login and the status of its failure, for one profile
// of each family.
func loginOf() map[string]struct {
	path, kind, body string
	failed           int
} {
	return map[string]struct {
		path, kind, body string
		failed           int
	}{
		"ocd-users":  {"/api/login/", "application/json", `{"username": "%s", "password": "wrong"}`, 400},
		"authtokens": {"/api/login/", "application/json", `{"username": "%s", "password": "wrong"}`, 401},
		"form-auth":  {"/auth/login", "application/x-www-form-urlencoded", "username=%s&password=wrong", 200},
	}
}

// TestLoginTimes measures whether the duration of a login reveals that a name exists. The
// kinds alternate, so that other load on the machine affects all of them.
func TestLoginTimes(t *testing.T) {
	long(t)
	const accounts = 200
	dsn := database(t)
	mixed(t, dsn, accounts)
	for profile, login := range loginOf() {
		t.Run(profile, func(t *testing.T) {
			p := start(t, "--profile", profile, "--listen", "127.0.0.1:0", "--store", dsn, "--limits", "off")
			eventually(t, "the mix is known", func() bool { return p.metric(t, "authcompat_active_tokens") == 0 })
			took := loginTimes(t, accounts, func(name string) {
				t.Helper()
				body := strings.NewReader(fmt.Sprintf(login.body, name))
				r, err := p.client.Post(p.urls[profile]+login.path, login.kind, body)
				if err != nil {
					t.Fatal(err)
				}
				defer r.Body.Close()
				if _, err := io.Copy(io.Discard, r.Body); err != nil || r.StatusCode != login.failed {
					t.Fatalf("status %d, %v", r.StatusCode, err)
				}
			})
			compareTimes(t, took)
		})
	}
}

// loginKinds are the kinds of names that fail to log in.
func loginKinds() []string { return []string{"unknown", "wrong password", "inactive", "unusable"} }

// loginTimes measures logins that fail, by kind.
func loginTimes(t *testing.T, accounts int, login func(name string)) map[string][]time.Duration {
	const samples, warm = 400, 10
	took := make(map[string][]time.Duration)
	name := func(kind string) string {
		n := rand.N(accounts)
		switch kind {
		case "wrong password":
			return fmt.Sprintf("active-%d", n)
		case "unknown":
			return fmt.Sprintf("nobody-%d", rand.Uint32())
		}
		return fmt.Sprintf("%s-%d", kind, n)
	}
	for i := range samples + warm {
		for _, j := range rand.Perm(len(loginKinds())) {
			kind := loginKinds()[j]
			began := time.Now()
			login(name(kind))
			if i >= warm {
				took[kind] = append(took[kind], time.Since(began))
			}
		}
	}
	return took
}

// compareTimes requires the medians of the kinds to be within 2 % or 1 ms of each other.
func compareTimes(t *testing.T, took map[string][]time.Duration) {
	medians := make(map[string]time.Duration)
	for _, kind := range loginKinds() {
		slices.Sort(took[kind])
		n := len(took[kind])
		medians[kind] = took[kind][n/2]
		t.Logf("%-15s median %v, quartiles %v and %v, %d samples", kind, medians[kind], took[kind][n/4], took[kind][3*n/4], n)
	}
	for a, longer := range medians {
		for b, shorter := range medians {
			if d := longer - shorter; d > time.Millisecond && float64(d) > 0.02*float64(shorter) {
				t.Errorf("%s takes %v longer than %s", a, d, b)
			}
		}
	}
}
