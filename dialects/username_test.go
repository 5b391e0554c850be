package dialects_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/hashing"
	"github.com/authcompat/authcompat/core/sealing"
	"github.com/authcompat/authcompat/dialects"
	"github.com/authcompat/authcompat/profiles"
	"github.com/authcompat/authcompat/store/sqlite/sqlitetest"
)

// api serves a profile on a store of its own.
type api struct {
	engine  *core.Service
	handler http.Handler
	paths   map[profiles.Action]string
	form    bool
}

// mustLoad returns a built-in profile whose registration accepts any characters and has
// the given limit on usernames, or for 0 none of its own.
func mustLoad(t *testing.T, name string, limit int) *profiles.Profile {
	t.Helper()
	p, err := profiles.Load(name)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range p.Endpoints {
		for i := range e.Fields {
			if f := &e.Fields[i]; e.Action == profiles.Register && f.Role == profiles.RoleUsername {
				f.MaxLength, f.Characters = limit, profiles.CharactersAny
			}
		}
	}
	return p
}

func newAPI(t *testing.T, p *profiles.Profile) *api {
	t.Helper()
	a := &api{form: p.Family == profiles.FormJSON, paths: map[profiles.Action]string{}}
	for _, e := range p.Endpoints {
		a.paths[e.Action] = e.Path
	}
	hasher, err := hashing.NewDjangoHasher(1)
	if err != nil {
		t.Fatal(err)
	}
	sealer, err := sealing.NewSealer(make([]byte, sealing.KeySize))
	if err != nil {
		t.Fatal(err)
	}
	a.engine = core.New(core.Config{Backend: core.Backend{Store: sqlitetest.MustOpen(t)}, Hasher: hasher, Sealer: sealer})
	if a.handler, err = dialects.New(p, a.engine); err != nil {
		t.Fatal(err)
	}
	return a
}

// post sends credentials and returns the reply's status and body.
func (a *api) post(t *testing.T, action profiles.Action, name string) (int, string) {
	t.Helper()
	values := url.Values{"username": {name}, "password": {"secret"}}
	if action == profiles.Register && a.form {
		values = url.Values{"username": {name}, "email": {"a@example.com"}, "password1": {"secret"}, "password2": {"secret"}, "accept_tos": {"on"}}
	}
	body, contentType := values.Encode(), "application/x-www-form-urlencoded"
	if !a.form {
		body, contentType = `{"username": "`+name+`", "password": "secret"}`, "application/json"
	}
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, a.paths[action], strings.NewReader(body))
	r.Header.Set("Content-Type", contentType)
	w := httptest.NewRecorder()
	a.handler.ServeHTTP(w, r)
	got, err := io.ReadAll(w.Result().Body)
	if err != nil {
		t.Fatal(err)
	}
	return w.Code, string(got)
}

// TestLongUsernames pins the answers from when the engine itself limited names to AbstractUser's
// 150 characters: a profile that sets no limit still has that one.
func TestLongUsernames(t *testing.T) {
	const (
		short = `{"username":["Ensure this field has no more than 150 characters."]}`
		form  = `{"errors": {"username": ["Enter a valid username. This value may contain only letters, numbers, and @/./+/-/_ characters."]}, "success": false, "token": null}`
		plain = `{"error": "Invalid Data: username may contain only alphanumeric, _, @, +, . and - characters"}`
	)
	letters := func(n int) string { return strings.Repeat("\u00e9", n) }
	ligatures := func(n int) string { return strings.Repeat("\ufb01", n) } // NFKC makes two letters of each
	for _, tt := range []struct {
		profile string
		limit   int
		name    string
		status  int
		body    string // if refused
	}{
		{"ocd-users", 0, letters(150), 200, ""},
		{"ocd-users", 0, letters(151), 400, short},
		{"ocd-users", 0, letters(254), 400, short},
		{"ocd-users", 0, letters(255), 400, short},
		{"ocd-users", 0, ligatures(75), 200, ""},
		{"ocd-users", 0, ligatures(76), 400, short},
		{"ocd-users", 100, letters(151), 400, strings.Replace(short, "150", "100", 1)},
		{"ocd-users", 100, ligatures(75), 200, ""},
		{"ocd-users", 100, ligatures(76), 400, short},
		{"ocd-users", 150, letters(151), 400, short},
		{"ocd-users", 150, ligatures(76), 400, short},

		{"form-auth", 0, letters(150), 200, ""},
		{"form-auth", 0, letters(151), 200, form},
		{"form-auth", 0, letters(254), 200, form},
		{"form-auth", 0, letters(255), 200, form},
		{"form-auth", 0, ligatures(75), 200, ""},
		{"form-auth", 0, ligatures(76), 200, form},

		{"authtokens", 0, letters(150), 201, ""},
		{"authtokens", 0, letters(151), 400, plain},
		{"authtokens", 0, letters(254), 400, plain},
		{"authtokens", 0, letters(255), 400, plain},
		{"authtokens", 0, ligatures(76), 201, ""}, // stored without normalisation
	} {
		a := newAPI(t, mustLoad(t, tt.profile, tt.limit))
		what := fmt.Sprintf("%s with limit %d, %d of %.3s", tt.profile, tt.limit, utf8.RuneCountInString(tt.name), tt.name)
		status, body := a.post(t, profiles.Register, tt.name)
		if status != tt.status || tt.body != "" && body != tt.body {
			t.Errorf("%s: %d %s", what, status, body)
		}
		_, err := a.engine.User(t.Context(), norm.NFKC.String(tt.name))
		if tt.profile == "authtokens" {
			_, err = a.engine.User(t.Context(), tt.name)
		}
		if made := err == nil; made != (tt.body == "") {
			t.Errorf("%s: made: %v, %v", what, made, err)
		}
	}
}

// TestLongNormalizedUsername checks that a plain view whose profile normalises counts
// characters after NFKC, like the other families.
func TestLongNormalizedUsername(t *testing.T) {
	p := mustLoad(t, "authtokens", 0)
	p.Rules.NormalizeUsername = profiles.NormalizeUsernameNFKC
	a := newAPI(t, p)
	for n, want := range map[int]int{75: 201, 76: 400} {
		if status, body := a.post(t, profiles.Register, strings.Repeat("\ufb01", n)); status != want {
			t.Errorf("%d ligatures: %d %s", n, status, body)
		}
	}
}

// TestLoginWithLongUsername logs in with a name that the API would not register, such as an
// imported one or one that an operator created.
func TestLoginWithLongUsername(t *testing.T) {
	name := strings.Repeat("a", 242) + "@example.com"
	for profile, want := range map[string]struct{ right, wrong, taken string }{
		"ocd-users": {
			`{"expiry":`,
			`{"non_field_errors":["Unable to log in with provided credentials."]}`,
			`{"username":["A user with that username already exists."]}`,
		},
		"form-auth": {
			`{"errors": {}, "success": true, "token": "`,
			`{"errors": {"__all__": ["Please enter a correct username and password. Note that both fields may be case-sensitive."]}, "success": false, "token": null}`,
			`{"errors": {"username": ["A user with that username already exists."]}, "success": false, "token": null}`,
		},
		"authtokens": {
			`{"username": "` + name + `", "token": "`,
			`{"error": "Invalid username or password"}`,
			`{"error": "Invalid Data: username may contain only alphanumeric, _, @, +, . and - characters"}`,
		},
	} {
		a := newAPI(t, mustLoad(t, profile, 0))
		if _, err := a.engine.CreateUser(t.Context(), core.Policy{}, core.Registration{Username: name, Password: "secret"}); err != nil {
			t.Fatal(err)
		}
		if _, body := a.post(t, profiles.Login, name); !strings.HasPrefix(body, want.right) {
			t.Errorf("%s, right name: %s", profile, body)
		}
		if _, body := a.post(t, profiles.Login, name[1:]); body != want.wrong {
			t.Errorf("%s, wrong name: %s", profile, body)
		}
		if _, body := a.post(t, profiles.Register, name); body != want.taken {
			t.Errorf("%s, taken: %s", profile, body)
		}
	}
}

// TestHigherLimitOfAProfile lets a profile allow longer names than AbstractUser.
func TestHigherLimitOfAProfile(t *testing.T) {
	for _, profile := range []string{"ocd-users", "form-auth", "authtokens"} {
		a := newAPI(t, mustLoad(t, profile, 254))
		for n, want := range map[int]bool{254: true, 255: false} {
			name := strings.Repeat("a", n)
			_, body := a.post(t, profiles.Register, name)
			if _, err := a.engine.User(t.Context(), name); (err == nil) != want || !want && !strings.Contains(body, "254") {
				t.Errorf("%s, %d characters: %v, %s", profile, n, err, body)
			}
		}
	}
}
