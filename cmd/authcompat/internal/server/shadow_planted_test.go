package server

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/authcompat/authcompat/conformance/shadow"
	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/dialects"
	"github.com/authcompat/authcompat/profiles"
)

// plant is a difference of the old server.
type plant struct {
	name, request string // one of askPlanted
	change        func(*httptest.ResponseRecorder)
	place         string
	kind          shadow.Kind
}

// body changes the body.
func body(old, new string) func(*httptest.ResponseRecorder) {
	return func(w *httptest.ResponseRecorder) {
		changed := strings.Replace(w.Body.String(), old, new, 1)
		w.Body.Reset()
		w.Body.WriteString(changed)
	}
}

// headerSet sets a header, or removes it.
func headerSet(name string, values ...string) func(*httptest.ResponseRecorder) {
	return func(w *httptest.ResponseRecorder) {
		w.Header()[name] = values
		if len(values) == 0 {
			delete(w.Header(), name)
		}
	}
}

// spelt spells the name of a header otherwise.
func spelt(name, otherwise string) func(*httptest.ResponseRecorder) {
	return func(w *httptest.ResponseRecorder) {
		w.Header()[otherwise] = w.Header()[name]
		delete(w.Header(), name)
	}
}

func status(to int) func(*httptest.ResponseRecorder) {
	return func(w *httptest.ResponseRecorder) { w.Code = to }
}

// bodyWith has a function change the body.
func bodyWith(change func(string) string) func(*httptest.ResponseRecorder) {
	return func(w *httptest.ResponseRecorder) {
		changed := change(w.Body.String())
		w.Body.Reset()
		w.Body.WriteString(changed)
	}
}

// swapped exchanges the two members of the login's reply.
func swapped(text string) string {
	expiry, token, _ := strings.Cut(strings.Trim(text, "{}"), `,"token"`)
	return `{"token"` + token + "," + expiry + "}"
}

// expiry returns a login's reply with another expiry.
func expiry(value string) func(*httptest.ResponseRecorder) {
	return bodyWith(func(text string) string {
		_, rest, _ := strings.Cut(text, `,"token"`)
		return `{"expiry":` + value + `,"token"` + rest
	})
}

// hours is an expiry in so many hours, as knox shows it.
func hours(n time.Duration) string {
	return strconv.Quote(time.Now().UTC().Add(n * time.Hour).Format("2006-01-02T15:04:05.000000Z"))
}

func plants() []plant {
	const credentials = `{"non_field_errors":["Unable to log in with provided credentials."]}`
	return []plant{
		{"another status of success", "login", status(201), "status", shadow.KindStatus},
		{"another status of a refusal", "wrong", status(401), "status", shadow.KindStatus},
		{"a status without a body", "logout", status(200), "status", shadow.KindStatus},
		{"a header less", "login", headerSet("Vary"), "header Vary", shadow.KindExtra},
		{"a header more", "login", headerSet("X-Old", "1"), "header X-Old", shadow.KindMissing},
		{"a header's value", "login", headerSet("X-Frame-Options", "SAMEORIGIN"), "header X-Frame-Options", shadow.KindValue},
		{"the order in a header", "login", headerSet("Allow", "OPTIONS, POST"), "header Allow", shadow.KindValue},
		{"the spelling of a header", "bad", spelt("WWW-Authenticate", "Www-Authenticate"), "header WWW-Authenticate", shadow.KindSpelling},
		{"a header in two lines", "login", headerSet("Referrer-Policy", "same", "origin"), "header Referrer-Policy", shadow.KindValue},
		{"the charset", "login", headerSet("Content-Type", "application/json; charset=utf-8"), "header Content-Type", shadow.KindValue},
		{"a space behind a colon", "wrong", body(`":[`, `": [`), "behind key body.non_field_errors", shadow.KindSpace},
		{"a space behind a comma", "login", body(`,"token"`, `, "token"`), "before body.token", shadow.KindSpace},
		{"a line break at the end", "wrong", body(`]}`, "]}\n"), "end of body", shadow.KindSpace},
		{"a space before a bracket", "wrong", body(`]}`, "] }"), "end of body", shadow.KindSpace},
		{"the order of keys", "login", bodyWith(swapped), "body", shadow.KindOrder},
		{"a key less", "login", bodyWith(func(text string) string { return "{" + text[strings.Index(text, `"token"`):] }), "body.expiry", shadow.KindExtra},
		{"a key more", "login", body(`{`, `{"id":1,`), "body.id", shadow.KindMissing},
		{"another key", "wrong", body("non_field_errors", "detail"), "body.detail", shadow.KindMissing},
		{"a key written otherwise", "login", body(`"token"`, `"\u0074oken"`), "key body.token", shadow.KindEscape},
		{"an id as a text", "register", body(`"id":`, `"id":"`), "body", shadow.KindSyntax},
		{"an id as a number with a fraction", "register", body(`,"username"`, `.0,"username"`), "body.user.id", shadow.KindType},
		{"a number for a text", "register", body(`"email":""`, `"email":0`), "body.user.email", shadow.KindType},
		{"null for an empty text", "register", body(`"email":""`, `"email":null`), "body.user.email", shadow.KindType},
		{"a list for a text", "wrong", body(`["Unable`, `[["Unable`), "body", shadow.KindSyntax},
		{"a message", "wrong", body("credentials.", "credentials!"), "body.non_field_errors[0]", shadow.KindValue},
		{"a message in other capitals", "wrong", body("Unable", "unable"), "body.non_field_errors[0]", shadow.KindValue},
		{"a message more", "wrong", body(`"]`, `","Again."]`), "body.non_field_errors", shadow.KindLength},
		{"characters escaped", "wrong", body("Unable", `\u0055nable`), "body.non_field_errors[0]", shadow.KindEscape},
		{"a shorter token", "login", bodyWith(func(text string) string { return text[:len(text)-5] + `"}` }), "body.token", shadow.KindForm},
		{"a token of another alphabet", "login", bodyWith(func(text string) string { return text[:len(text)-5] + `XYZ"}` }), "body.token", shadow.KindForm},
		{"an expiry without fractions", "login", expiry(strconv.Quote(time.Now().UTC().Add(10 * time.Hour).Format(time.RFC3339))), "body.expiry", shadow.KindForm},
		{"an expiry with an offset", "login", expiry(strings.Replace(hours(10), "Z", "+00:00", 1)), "body.expiry", shadow.KindForm},
		{"an expiry of another length of life", "login", expiry(hours(24)), "body.expiry", shadow.KindTime},
		{"no expiry", "login", expiry("null"), "body.expiry", shadow.KindType},
		{"an expiry as a number", "login", expiry("1764500000"), "body.expiry", shadow.KindType},
		{"a name in other capitals", "register", body(`"username":"new`, `"username":"New`), "body.user.username", shadow.KindValue},
		{"a text for JSON", "wrong", bodyWith(func(string) string { return "no" }), "body", shadow.KindSyntax},
		{"a body where there is none", "logout", func(w *httptest.ResponseRecorder) { w.Code = 200; w.Body.WriteString("{}") }, "byte 0 of body", shadow.KindBytes},
		{"no body where there is one", "wrong", body(credentials, ""), "byte 0 of body", shadow.KindBytes},
		{"a cookie", "login", headerSet("Set-Cookie", "sessionid=abc; Path=/"), "header Set-Cookie", shadow.KindMissing},
	}
}

// TestPlantedDifferences lets the old server differ in one thing at a time: each is found, and
// named with its place.
func TestPlantedDifferences(t *testing.T) {
	all := plants()
	var mu sync.Mutex
	var planted *plant
	s := startShadowed(t, ", sample: 100%", func(ours http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			kept := httptest.NewRecorder()
			ours.ServeHTTP(kept, r)
			mu.Lock()
			if planted != nil {
				planted.change(kept)
			}
			mu.Unlock()
			for name, values := range kept.Header() {
				w.Header()[name] = values
			}
			w.Header().Del("Content-Length")
			w.WriteHeader(kept.Code)
			_, _ = w.Write(kept.Body.Bytes())
		})
	})
	s.user(t, "ann")
	number := 0
	ask := func(request string) {
		number++
		switch request {
		case "login":
			s.ask(t, "POST", "/api/login/", "", loginOf("ann"))
		case "wrong":
			s.ask(t, "POST", "/api/login/", "", `{"username": "ann", "password": "wrong"}`)
		case "logout":
			s.ask(t, "POST", "/api/logout/", s.user(t, fmt.Sprintf("gone%d", number)), "")
		case "bad":
			s.ask(t, "POST", "/api/logout/", "bad", "")
		case "register":
			s.ask(t, "POST", "/api/register/", "", fmt.Sprintf(`{"username": "new%d", "password": "correct horse battery"}`, number))
		default:
			t.Fatal(request)
		}
		s.await()
		s.shadows.flush()
	}
	last := func() (r shadow.Record, n int) {
		records, err := shadow.Read(s.journal)
		if err != nil {
			t.Fatal(err)
		}
		return records[len(records)-1], len(records)
	}
	for _, request := range []string{"login", "wrong", "logout", "bad", "register"} {
		ask(request)
		if r, _ := last(); r.Verdict != shadow.Same {
			t.Fatalf("%s without a difference: %+v", request, r)
		}
	}
	if len(all) < 30 {
		t.Fatalf("%d differences", len(all))
	}
	for _, p := range all {
		mu.Lock()
		planted = &p
		mu.Unlock()
		_, before := last()
		ask(p.request)
		r, after := last()
		if after != before+1 || r.Verdict != shadow.Differ {
			t.Errorf("%s was not found: %+v", p.name, r)
			continue
		}
		named := false
		for _, d := range r.Differences {
			named = named || d.Place == p.place && d.Kind == p.kind
		}
		if !named {
			t.Errorf("%s: want %s at %s: %+v", p.name, p.kind, p.place, r.Differences)
		}
	}
	text, err := os.ReadFile(s.journal)
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{"secret", "wrong", "ann", "new1", "correct horse"} {
		if bytes.Contains(text, []byte(secret)) {
			t.Errorf("the journal has %q in it", secret)
		}
	}
}

// TestShadowOfReusedTokens compares logins that show one token again: the first is issued, and
// compared by its form, and later ones have to be that.
func TestShadowOfReusedTokens(t *testing.T) {
	ddl := knoxDDL[:strings.Index(knoxDDL, "CREATE TABLE knox_authtoken")] +
		`CREATE TABLE authtoken_token ("key" varchar(40) NOT NULL PRIMARY KEY, created datetime NOT NULL, user_id integer NOT NULL UNIQUE REFERENCES auth_user (id))`
	var other atomic.Bool // the old server shows another token
	s := startShadowedAPI(t, "drf-authtoken", ddl, "[login]", ", sample: 100%", func(ours http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			kept := httptest.NewRecorder()
			ours.ServeHTTP(kept, r)
			if other.Load() {
				bodyWith(func(text string) string { return text[:10] + strings.Repeat("0", 40) + text[50:] })(kept)
			}
			passed(w, kept)
		})
	})
	if _, err := s.engine.CreateUser(t.Context(), dialects.Policy(s.profile), core.Registration{Username: "ann", Password: "secret"}); err != nil {
		t.Fatal(err)
	}
	login, _ := s.profile.Endpoint(profiles.Login)
	for range 3 {
		if status, token := s.ask(t, "POST", login.Path, "", loginOf("ann")); status != http.StatusOK || len(token) != 40 {
			t.Errorf("%d, %d digits", status, len(token))
		}
		s.await()
	}
	other.Store(true)
	s.ask(t, "POST", login.Path, "", loginOf("ann"))
	sum := s.settle(t)
	if sum.Total.Same != 3 || sum.Total.Differ != 1 || len(sum.Found) != 1 || sum.Found[0].Place != "body.token" || sum.Found[0].Kind != shadow.KindValue {
		t.Errorf("%+v %+v", sum.Total, sum.Found)
	}
}
