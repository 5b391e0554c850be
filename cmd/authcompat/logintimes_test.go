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

// mixedHashes are encoded passwords of several formats: a quarter cheap, half at the usual
// cost, a quarter expensive, so that the median login takes the usual time. PBKDF2 comes with
// four numbers of iterations, as Django has raised them.
func mixedHashes(t testing.TB) []string {
	t.Helper()
	crypted, err := bcrypt.GenerateFromPassword([]byte("right"), 10)
	if err != nil {
		t.Fatal(err)
	}
	salt := []byte("saltsaltsalt")
	argon := argon2.IDKey([]byte("right"), salt, 2, 65536, 2, 32)
	old, older, usual, newer := hashOf(t, 30_000), hashOf(t, 20_000), hashOf(t, 200_000), hashOf(t, 216_000)
	return []string{
		older, "bcrypt$" + string(crypted), usual, newer,
		old, fmt.Sprintf("argon2$argon2id$v=19$m=65536,t=2,p=2$%s$%s", base64.RawStdEncoding.EncodeToString(salt), base64.RawStdEncoding.EncodeToString(argon)), usual, newer,
	}
}

// addAccounts makes accounts of each kind, whose passwords are hashed in turn as given.
func addAccounts(t testing.TB, dsn string, accounts int, hashes []string) {
	t.Helper()
	s, err := store.Open(context.Background(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for i := range accounts {
		hash := hashes[i%len(hashes)]
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

// TestLoginTimes measures whether the duration of a login reveals that a name exists: where
// all passwords are hashed alike, and cheaply, so that little hides a difference, and where
// formats and costs are mixed. The kinds alternate in random order, so that other load on the
// machine affects all of them.
func TestLoginTimes(t *testing.T) {
	long(t)
	const accounts, cheap = 200, 20_000
	for name, users := range map[string]struct {
		hashes     []string
		iterations int
	}{
		"one format":    {[]string{hashOf(t, cheap)}, cheap},
		"mixed formats": {mixedHashes(t), 200_000},
	} {
		dsn := database(t)
		addAccounts(t, dsn, accounts, users.hashes)
		for profile, login := range loginOf() {
			t.Run(name+"/"+profile, func(t *testing.T) {
				p := start(t, "--profile", profile, "--listen", "127.0.0.1:0", "--store", dsn, "--limits", "off", "--password-iterations", fmt.Sprint(users.iterations))
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
}

// loginKinds are the kinds of names that fail to log in.
func loginKinds() []string { return []string{"unknown", "wrong password", "inactive", "unusable"} }

// loginTimes measures logins that fail, by kind.
func loginTimes(t *testing.T, accounts int, login func(name string)) map[string][]time.Duration {
	const samples, warm = 1000, 10
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

// The bounds of the chance that a login of one kind takes longer than one of another. With
// 1000 samples of each, its standard error is 0.013.
const minAUC, maxAUC = 0.45, 0.55

// compareTimes requires of each two kinds that a login of the one takes longer than one of
// the other as often as not.
func compareTimes(t *testing.T, took map[string][]time.Duration) {
	for _, kind := range loginKinds() {
		slices.Sort(took[kind])
		n := len(took[kind])
		t.Logf("%-15s median %v, quartiles %v and %v, %d samples", kind, took[kind][n/2], took[kind][n/4], took[kind][3*n/4], n)
	}
	for i, a := range loginKinds() {
		for _, b := range loginKinds()[:i] {
			chance := auc(took[a], took[b])
			t.Logf("%-15s takes longer than %-15s with a chance of %.3f", a, b, chance)
			if chance < minAUC || chance > maxAUC {
				t.Errorf("%s and %s can be told apart: AUC %.3f", a, b, chance)
			}
		}
	}
}

// auc is the area under the ROC curve of an attacker who guesses from the time of one login
// which of two kinds it was: the probability that one of the first takes longer than one of the
// second, where equal times count half (the Mann-Whitney U statistic, divided by its maximum).
// Both are sorted.
func auc(a, b []time.Duration) float64 {
	below, upTo, wins := 0, 0, 0
	for _, x := range a {
		for below < len(b) && b[below] < x {
			below++
		}
		for upTo < len(b) && b[upTo] <= x {
			upTo++
		}
		wins += below + upTo
	}
	return float64(wins) / float64(2*len(a)*len(b))
}

func TestAUC(t *testing.T) {
	for _, test := range []struct {
		a, b []time.Duration
		want float64
	}{
		{[]time.Duration{1, 2, 3}, []time.Duration{1, 2, 3}, 0.5},
		{[]time.Duration{4, 5}, []time.Duration{1, 2, 3}, 1},
		{[]time.Duration{1}, []time.Duration{2}, 0},
		{[]time.Duration{2, 4}, []time.Duration{1, 3}, 0.75},
		{[]time.Duration{1, 1, 1, 9}, []time.Duration{1, 5}, 0.4375},
	} {
		if got := auc(test.a, test.b); got != test.want {
			t.Errorf("%v and %v: %v, want %v", test.a, test.b, got, test.want)
		}
	}
}
