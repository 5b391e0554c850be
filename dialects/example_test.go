package dialects_test

import (
	"context"
	"fmt"
	"log"
	"net/http/httptest"
	"regexp"
	"strings"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/hashing"
	"github.com/authcompat/authcompat/core/password"
	"github.com/authcompat/authcompat/dialects"
	"github.com/authcompat/authcompat/profiles"
	"github.com/authcompat/authcompat/store"
)

// Serve an old API next to a program's other handlers: New combines the engine on
// a store with a profile into a handler.
func ExampleNew() {
	ctx := context.Background()
	users, cleanup, err := store.OpenTemp(ctx, "") // or store.Open(ctx, "sqlite:authcompat.db")
	if err != nil {
		log.Fatal(err)
	}
	defer cleanup()
	hasher, err := hashing.NewDjangoHasher(password.DefaultIterations)
	if err != nil {
		log.Fatal(err)
	}
	engine := core.New(core.Config{Backend: users.Backend, Hasher: hasher})

	profile, err := profiles.Load("knox-auth")
	if err != nil {
		log.Fatal(err)
	}
	handler, err := dialects.New(profile, engine)
	if err != nil {
		log.Fatal(err)
	}
	alice := core.Registration{Username: "alice", Password: "correct horse"}
	if _, err := engine.CreateUser(ctx, dialects.Policy(profile), alice); err != nil {
		log.Fatal(err)
	}

	for _, plain := range []string{"battery staple", "correct horse"} {
		r := httptest.NewRequest("POST", "/auth/login/", strings.NewReader(`{"username": "alice", "password": "`+plain+`"}`))
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		body := regexp.MustCompile(`[0-9a-f]{40}`).ReplaceAllString(w.Body.String(), "TOKEN")
		fmt.Println(w.Code, body)
	}
	// Output:
	// 400 {"non_field_errors":["Unable to log in with provided credentials."]}
	// 200 {"expiry":null,"token":"TOKEN"}
}
