package browse_test

import (
	"bytes"
	"iter"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"gopkg.in/yaml.v3"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/console/browse"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/console/target"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/console/target/targettest"
	"github.com/authcompat/authcompat/profiles"
)

func describe(t *testing.T, name string) browse.API {
	t.Helper()
	there := targettest.API(t, name)
	a, err := browse.Describe(there.Profile, there.Exchanges)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// find returns the endpoint of a name.
func find(t *testing.T, a browse.API, name string) browse.Endpoint {
	t.Helper()
	i := slices.IndexFunc(a.Endpoints, func(e browse.Endpoint) bool { return e.Name == name })
	if i < 0 {
		t.Fatalf("%s has no endpoint %s", a.Name, name)
	}
	return a.Endpoints[i]
}

// TestDescribe has the description of an API say what its document does.
func TestDescribe(t *testing.T) {
	a := describe(t, "snippit")
	want := browse.Tokens{
		Looks: "40 lower-case hex digits", Shown: []string{"Authorization: Token …"}, Lasts: "15 days from the login",
		Moves: "Each use and each login moves the end to 15 days from then, once that is more than 1 minute later",
		Each:  "One a user: each login shows the live one again",
		Ends:  []string{"POST /api/auth/logout/: the token of the request", "An operator who revokes it; while its user is inactive it is refused"},
	}
	if d := cmp.Diff(want, a.Tokens); d != "" {
		t.Error(d)
	}
	login := find(t, a, "login")
	if got := login.Success.Body.String(); !strings.HasPrefix(got, `{"expiration_date": {$token.expiry|milliseconds}, "token": "{$token.key}", "user": {`) {
		t.Errorf("the answer is %s", got)
	}
	if d := cmp.Diff([]string{"application/x-www-form-urlencoded", "multipart/form-data", "application/json"}, login.Reads); d != "" {
		t.Error(d)
	}
	disabled := slices.IndexFunc(login.Refused, func(r browse.Answer) bool {
		return r.Status == 400 && r.Body.String() == `{"non_field_errors": ["User account is disabled."]}`
	})
	if disabled < 0 || len(login.Refused[disabled].Exchanges) == 0 || login.Refused[disabled].Exchanges[0].Silent {
		t.Errorf("the documented error of a disabled account: %+v", login.Refused)
	}
	if len(login.Sections) == 0 || strings.Contains(strings.Join(login.Sections, ""), "apis/snippit.md") {
		t.Errorf("the sections are %q", login.Sections)
	}

	for name, want := range map[string]string{"knox-5": "10 hours from the login", "authtokens": "For ever", "form-auth": "1 day from the login"} {
		if got := describe(t, name).Tokens.Lasts; got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
	register := find(t, describe(t, "authtokens"), "register")
	if got := register.Fields[0]; got.Name != "username" || !got.Required || len(got.Limits) != 2 || got.Limits[0] != "at most 30 characters" || len(got.Refused) != 4 {
		t.Errorf("the username is %+v", got)
	}
	throttled := register.Refused[slices.IndexFunc(register.Refused, func(r browse.Answer) bool { return r.Status == 429 })]
	if len(throttled.Own) != 1 || throttled.Own[0] != (profiles.Header{Name: "Retry-After", Value: "{seconds}"}) {
		t.Errorf("headers of its own: %v", throttled.Own)
	}
}

// TestExchanges has every exchange of a file be somewhere in the description, and most answers of exchanges be found among
// those described.
func TestExchanges(t *testing.T) {
	for _, name := range profiles.Builtin() {
		file := targettest.API(t, name).Exchanges
		a := describe(t, name)
		seen := map[string]bool{}
		for _, e := range a.Exchanges {
			seen[e.Name] = true
		}
		documented, answers := 0, 0
		for _, e := range a.Endpoints {
			for _, x := range e.Exchanges {
				seen[x.Name] = true
			}
			if len(e.Success.Exchanges) == 0 && name != "djoser" && name != "dj-rest-auth" {
				t.Errorf("%s: no exchange has %s succeed", name, e.Name)
			}
			for _, r := range e.Refused {
				answers++
				if len(r.Exchanges) > 0 {
					documented++
				}
			}
		}
		for _, e := range file.Exchanges {
			if !seen[e.Name] {
				t.Errorf("%s: the exchange %q is nowhere", name, e.Name)
			}
		}
		if documented < 5 {
			t.Errorf("%s: exchanges have %d of %d answers", name, documented, answers)
		}
		t.Logf("%s: exchanges have %d of %d answers", name, documented, answers)
	}
}

// pages returns the pages of a profile, without its YAML, one after the other.
func pages(t *testing.T, p *profiles.Profile) iter.Seq[string] {
	t.Helper()
	h := views([]target.Target{{Name: "it", Profile: p}})
	paths := []string{"/console/profiles/it/"}
	for _, e := range p.Endpoints {
		paths = append(paths, "/console/profiles/it/endpoints/"+e.Name)
	}
	return func(yield func(string) bool) {
		for _, path := range paths {
			status, body := get(t, h, path)
			if status != http.StatusOK {
				t.Errorf("%s: status %d\n%s", path, status, body)
			}
			if !yield(body) {
				return
			}
		}
	}
}

// same tells whether the pages of a profile are those that there were.
func same(before []string, now iter.Seq[string]) bool {
	i := 0
	for page := range now {
		if i == len(before) || page != before[i] {
			return false
		}
		i++
	}
	return i == len(before)
}

// TestOneByteOfAProfileIsSeen changes one letter of each value and each key of an API's profile, and expects the pages to change
// wherever it still is one.
func TestOneByteOfAProfileIsSeen(t *testing.T) {
	// What says how older servers keep tokens, and no client meets, is not on the pages.
	hidden := []string{"legacy_format"}
	for _, name := range profiles.Builtin() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			source, err := os.ReadFile(filepath.Join("..", "..", "..", "..", "..", "profiles", name+".yaml"))
			if err != nil {
				t.Fatal(err)
			}
			before := slices.Collect(pages(t, targettest.API(t, name).Profile))
			var root yaml.Node
			if err := yaml.Unmarshal(source, &root); err != nil {
				t.Fatal(err)
			}
			tried := 0
			for _, node := range scalars(&root) {
				if slices.Contains(hidden, node.Value) {
					continue
				}
				text := withLetter(source, node)
				changed, err := profiles.Parse(name+".yaml", text)
				if err != nil || bytes.Equal(text, source) {
					continue // it is no profile any more, or has no letter
				}
				tried++
				if same(before, pages(t, changed)) {
					t.Errorf("line %d: %q is changed, and the pages are not", node.Line, node.Value)
				}
			}
			if tried < 10 {
				t.Errorf("only %d values were changed", tried)
			}
		})
	}
}

// scalars returns the keys and values of a file.
func scalars(n *yaml.Node) []*yaml.Node {
	if n.Kind == yaml.ScalarNode {
		return []*yaml.Node{n}
	}
	var all []*yaml.Node
	for _, c := range n.Content {
		all = append(all, scalars(c)...)
	}
	return all
}

// withLetter returns the source with the first letter or digit of a scalar replaced.
func withLetter(source []byte, node *yaml.Node) []byte {
	lines := strings.SplitAfter(string(source), "\n")
	line := lines[node.Line-1]
	for i := node.Column - 1; i < min(len(line), node.Column+len(node.Value)); i++ {
		other := byte('q')
		switch c := line[i]; {
		case c >= '0' && c <= '9':
			other = '0' + (c-'0'+1)%10
		case c == 'q':
			other = 'j'
		case c >= 'A' && c <= 'Z':
			other = 'Q'
		case c < 'a' || c > 'z':
			continue
		}
		lines[node.Line-1] = line[:i] + string(other) + line[i+1:]
		break
	}
	return []byte(strings.Join(lines, ""))
}
