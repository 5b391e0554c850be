package main

import (
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
)

// TestRegistrationLimit checks what a client is told who registers too many users.
func TestRegistrationLimit(t *testing.T) {
	t.Parallel()
	for _, r := range registrations() {
		t.Run(r.profile, func(t *testing.T) {
			t.Parallel()
			p := start(t, "--profile", r.profile, "--listen", "127.0.0.1:0", "--store", database(t), "--limit-registrations", "1/1h")
			if a, err := r.register(p, "first"); err != nil || a.status != r.created {
				t.Fatalf("%+v, error %v", a, err)
			}
			if a, err := r.register(p, "second"); err != nil || a.status != http.StatusTooManyRequests || a.header.Get("Retry-After") == "" {
				t.Errorf("the second: %+v, error %v", a, err)
			}
		})
	}
}

// TestRegistrationFlood registers users over 45 connections from one address, as fast as
// it goes: right logins from other addresses are all answered.
func TestRegistrationFlood(t *testing.T) {
	// Not parallel: it would starve the servers of others.
	const connections, logins = 45, 20
	p := start(t, "--profile", "authtokens", "--listen", "127.0.0.1:0", "--store", database(t), "--trusted-proxy", "127.0.0.1", "--password-iterations", "50000", "--hash-concurrency", "1")
	url := p.urls["authtokens"]
	p.want(t, http.StatusCreated, "POST", url+"/api/register/", "", member(0))
	stop := make(chan struct{})
	var flood sync.WaitGroup
	var registered, refused atomic.Int64
	full := make(chan struct{})
	var once sync.Once
	for c := range connections {
		flood.Go(func() {
			for i := 1; ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				a, err := p.send("POST", url+"/api/register/", "", fmt.Sprintf(`{"username": "u%d-%d", "password": "secret"}`, c, i), "X-Forwarded-For", "192.0.2.1")
				switch {
				case err == nil && a.status == http.StatusCreated:
					registered.Add(1)
				default: // or it did not wait any longer
					refused.Add(1)
					once.Do(func() { close(full) })
				}
			}
		})
	}
	<-full
	for i := range logins {
		a, err := p.send("POST", url+"/api/login/", "", member(0), "X-Forwarded-For", fmt.Sprintf("198.51.100.%d", i))
		if err != nil || a.status != http.StatusOK {
			t.Errorf("login %d: status %d, error %v", i, a.status, err)
		}
	}
	close(stop)
	flood.Wait()
	t.Logf("%d registered, %d refused beside %d logins", registered.Load(), refused.Load(), logins)
	if registered.Load() == 0 {
		t.Error("nobody was registered")
	}
}

// TestLimitsClear locks a name out at a running server, and lets it in by the command.
func TestLimitsClear(t *testing.T) {
	t.Parallel()
	store := database(t)
	p := start(t, "--profile", "ocd-users", "--listen", "127.0.0.1:0", "--store", store, "--limit-per-user", "1/1h", "--limit-registrations", "1/1h")
	url := p.urls["ocd-users"]
	p.want(t, http.StatusOK, "POST", url+"/api/register/", "", annsAccount)
	p.want(t, http.StatusBadRequest, "POST", url+"/api/login/", "", `{"username": "ann", "password": "wrong"}`)
	p.want(t, http.StatusBadRequest, "POST", url+"/api/login/", "", annsAccount) // right, but locked out
	if got := command(t, "", "limits", "clear", "--store", store, "--user", "ann"); got != "cleared: it is counted from zero again\n" {
		t.Error(got)
	}
	p.want(t, http.StatusOK, "POST", url+"/api/login/", "", annsAccount)
	p.want(t, http.StatusTooManyRequests, "POST", url+"/api/register/", "", `{"username": "bob", "password": "correct horse battery", "email": "b@example.org"}`)
	command(t, "", "limits", "clear", "--store", store, "--address", "127.0.0.1")
	p.want(t, http.StatusOK, "POST", url+"/api/register/", "", `{"username": "bob", "password": "correct horse battery", "email": "b@example.org"}`)
}
