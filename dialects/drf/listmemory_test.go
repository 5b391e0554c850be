package drf_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/dialects"
	"github.com/authcompat/authcompat/dialects/internal/apitest"
	"github.com/authcompat/authcompat/store/sqlite/sqlitetest"
)

const longLists = `
name: lists
family: drf
stack: drf-3.14
tokens: {hex: 40, ttl: never, per_user: one}
attributes: {note: text}
endpoints:
  list:
    path: /users/
    others: visible
    reply: {status: 200, body: {id: $user.id, note: $user.attributes.note}}
`

// slowReader is a client that does not read its reply until it may.
type slowReader struct {
	*httptest.ResponseRecorder
	writing chan<- int // gets the status
	may     <-chan struct{}
}

func (w slowReader) Write(b []byte) (int, error) {
	w.writing <- w.Code
	<-w.may
	return w.ResponseRecorder.Write(b)
}

// TestLongLists has clients that read lists slowly: neither one of them nor all together get more
// memory for that than there is.
func TestLongLists(t *testing.T) {
	p := apitest.MustParse(t, longLists)
	a := apitest.MustNew(t, p, sqlitetest.MustOpen(t))
	const users = 550 // a page and a bit
	note := strings.Repeat("n", 44<<10)
	for i := range users {
		r := core.Registration{Username: fmt.Sprintf("user%d", i), NoPassword: i > 3, Password: "secret", Attributes: map[string]string{"note": note}}
		if _, err := a.Engine.CreateUser(t.Context(), core.Policy{}, r); err != nil {
			t.Fatal(err)
		}
	}
	tokens := make([]string, 4)
	for i := range tokens {
		tokens[i] = a.MustLogin(t, dialects.Policy(p), fmt.Sprintf("user%d", i))
	}
	handler, err := dialects.New(p, a.Engine)
	if err != nil {
		t.Fatal(err)
	}
	writing, may, done := make(chan int), make(chan struct{}), make(chan struct{})
	// begin has a user list all, and gives the status of the reply, which is not read yet.
	begin := func(user int, accept string) int {
		r := httptest.NewRequest(http.MethodGet, "/users/", nil)
		r.Header.Set("Authorization", "Token "+tokens[user])
		r.Header.Set("Accept", accept)
		w := slowReader{httptest.NewRecorder(), writing, may}
		go func() {
			handler.ServeHTTP(w, r)
			if w.Code == http.StatusOK && w.Body.Len() < users*len(note) {
				t.Errorf("%d bytes are no list of all", w.Body.Len())
			}
			done <- struct{}{}
		}()
		return <-writing
	}
	const plain, indented = "application/json", "application/json; indent=4"
	for i, step := range []struct {
		user   int
		accept string
		want   int
	}{
		{0, plain, http.StatusOK},
		{0, plain, http.StatusTooManyRequests}, // one is enough
		{1, indented, http.StatusTooManyRequests},
		{1, plain, http.StatusOK},
		{2, plain, http.StatusTooManyRequests}, // all together
	} {
		if got := begin(step.user, step.accept); got != step.want {
			t.Errorf("%d: user %d asking for %s got %d, want %d", i, step.user, step.accept, got, step.want)
		}
	}
	close(may)
	for range 5 {
		<-done
	}
	if got := begin(2, indented); got != http.StatusOK {
		t.Errorf("alone: %d", got)
	}
	<-done
}
