package explore

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/inprocess"
	"github.com/authcompat/authcompat/conformance"
	"github.com/authcompat/authcompat/profiles"
)

// TestCheckListen takes addresses of this machine alone.
func TestCheckListen(t *testing.T) {
	for address, want := range map[string]bool{
		"127.0.0.1:0": true, "127.0.0.9:8080": true, "[::1]:8080": true, "localhost:8080": true,
		"": false, "8080": false, ":8080": false, "0.0.0.0:8080": false, "[::]:8080": false, "192.0.2.1:8080": false, "example.org:8080": false, "localhost.example.org:80": false, "127.0.0.1": false,
	} {
		if err := CheckListen(address); (err == nil) != want {
			t.Errorf("%q: %v", address, err)
		}
	}
}

// TestExampleUsersLogIn has each example user of each built-in API log in there.
func TestExampleUsersLogIn(t *testing.T) {
	var o Options
	for _, name := range profiles.Builtin() {
		p, err := profiles.Load(name)
		if err != nil {
			t.Fatal(err)
		}
		file, err := conformance.Builtin(name)
		if err != nil {
			t.Fatal(err)
		}
		o.APIs = append(o.APIs, API{p, file})
	}
	all, closeAll, err := serve(t.Context(), o, inprocess.NewClock())
	defer func() {
		if err := closeAll(); err != nil {
			t.Error(err)
		}
	}()
	if err != nil {
		t.Fatal(err)
	}
	for _, target := range all {
		login, ok := target.Profile.Endpoint(profiles.Login)
		if !ok || len(target.Users) == 0 {
			t.Fatalf("%s has no login, or no users", target.Name)
		}
		for _, u := range target.Users {
			r := logIn(t, target.Profile, login, target.URL, u)
			res, err := http.DefaultClient.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			body, _ := io.ReadAll(res.Body)
			_ = res.Body.Close()
			var shown map[string]any
			if err := json.Unmarshal(body, &shown); err != nil || res.StatusCode != login.Reply.Status || shown["success"] == false {
				t.Errorf("%s: %s can't log in: %s\n%s", target.Name, u.Username, res.Status, body)
			}
		}
	}
}

// logIn returns the request with which a user logs in.
func logIn(t *testing.T, p *profiles.Profile, login profiles.Endpoint, server string, u conformance.User) *http.Request {
	t.Helper()
	fields, form := map[string]string{}, url.Values{}
	for _, f := range login.Fields {
		value := u.Password
		switch f.Role {
		case profiles.RoleUsername, profiles.RoleUsernameOrEmail:
			value = u.Username
		case profiles.RoleEmail:
			continue // either will do
		}
		fields[f.Name] = value
		form.Set(f.Name, value)
	}
	text, err := json.Marshal(fields)
	if err != nil {
		t.Fatal(err)
	}
	body, media := string(text), "application/json"
	if p.Family == profiles.FormJSON {
		body, media = form.Encode(), "application/x-www-form-urlencoded"
	}
	r, err := http.NewRequest(login.Methods[0], server+login.Path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", media)
	if len(login.Fields) == 0 { // as knox's own login has it
		r.SetBasicAuth(u.Username, u.Password)
	}
	return r
}
