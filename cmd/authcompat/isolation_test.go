package main

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
)

// TestReplyIsOnesOwn mixes valid and malformed requests of many users. Buffers are
// reused between requests, and must never reveal another user's data.
func TestReplyIsOnesOwn(t *testing.T) {
	t.Parallel()
	const users, rounds = 20, 60
	p := start(t, "--profile", "snippit@127.0.0.1:0", "--profile", "ocd-users@127.0.0.1:0", "--store", database(t),
		"--limits", "off", "--password-iterations", "1")
	tokens := make([]string, users)
	name := func(i int) string { return fmt.Sprintf("user-%d-%s", i, strings.Repeat("x", i)) }
	for i := range tokens {
		body := fmt.Sprintf(`{"username": %q, "email": "%[1]s@example.com", "password": "secret"}`, name(i))
		tokens[i] = tokenIn(t, p.want(t, http.StatusOK, "POST", p.urls["ocd-users"]+"/api/register/", "", body).body)
	}
	var all sync.WaitGroup
	for i, token := range tokens {
		all.Go(func() {
			for range rounds {
				own, err := p.send("GET", p.urls["snippit"]+"/api/account/"+name(i)+"/", token, "")
				if err != nil || own.status != http.StatusOK || !strings.HasPrefix(own.body, fmt.Sprintf(`{"username": %q, `, name(i))) {
					t.Errorf("user %d: %d %s, %v", i, own.status, own.body, err)
					return
				}
				bad, err := p.send("GET", p.urls["snippit"]+"/api/account/"+name(i)+"/", strings.Repeat("0", 40), "")
				if err != nil || bad.body != `{"status_code": 401, "detail": "Invalid token"}` {
					t.Errorf("a bad token: %d %s, %v", bad.status, bad.body, err)
					return
				}
			}
		})
	}
	all.Wait()
}
