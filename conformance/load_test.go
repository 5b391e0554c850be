package conformance

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// head is the start of a file to which exchanges can be appended.
const head = `profile: p
usernames: {max: 30}
exchanges:
`

func TestLoadReportsAllProblems(t *testing.T) {
	data, err := os.ReadFile("testdata/bad.yaml")
	if err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile("testdata/bad.txt")
	if err != nil {
		t.Fatal(err)
	}
	_, err = Load("testdata/bad.yaml", data)
	var problems Problems
	if !errors.As(err, &problems) {
		t.Fatalf("got %v", err)
	}
	if diff := cmp.Diff(strings.TrimSpace(string(want)), err.Error()); diff != "" {
		t.Error(diff)
	}
}

func TestLoadProblems(t *testing.T) {
	for _, test := range []struct{ name, text, want string }{
		{"empty", "", "f:1:1: is empty"},
		{"a comment only", "# nothing\n", "f:1:1: is empty"},
		{"no mapping", "[]", "f:1:1: want a mapping"},
		{"syntax", "profile: p\nusernames: {max: 30\nexchanges: []\n", "f:2:1: did not find expected ',' or '}'"},
		{"tab", "profile: p\n\tx: y\n", "f:2:1: found a tab character that violates indentation"},
		{"two documents", head + "  []\n---\na: b\n", "f:5:1: a file holds one YAML document"},
		{"profile's name", "profile: P p\nusernames: {max: 30}\nexchanges: []\n", `f:1:10: profile: "P p" is not a profile's name`},
		{"key is no word", head + "  - {[a]: b}\n", "f:4:6: exchanges[0]: want a word as key\nf:4:5: exchanges[0].name: is missing\nf:4:5: exchanges[0].source: is missing\nf:4:5: exchanges[0].steps: is missing"},
		{"tag", "profile: !!binary cA==\nusernames: {max: 30}\nexchanges: []\n", "f:1:10: profile: want text without the tag !!binary\nf:1:10: profile: \"cA==\" is not a profile's name"},
		{"former keys", "profile: p\nusernames: {max: 30}\nevery_answer: {headers: {A: b}}\nexchanges:\n" +
			"  - {name: n, source: s, ours: r, users: {john: {password: x, own: true}}, steps: [{request: {method: GET, path: /}, answer: {status: 200, headers: {Content-Type: ~}, empty: true}}]}\n",
			"f:3:1: every_answer: is called defaults.response now\nf:5:26: exchanges[0].ours: is called authcompat_only now\n" +
				"f:5:63: exchanges[0].users.john.own: is called dedicated now\nf:5:118: exchanges[0].steps[0].answer: is called response now"},
		{"links", head + `  - name: n
    source: s
    users: {john: {password: x}, new: {new: true}}
    steps:
      - {link: {user: ann, uid: U, token: a}, request: &get {method: GET, path: /}, response: &ok {status: 200, headers: {Content-Type: ~}, empty: true}}
      - {link: {user: new, uid: b, token: a}, request: *get, response: *ok}
      - {link: {}, request: *get, response: *ok}
      - {email_key: {user: ann, key: K}, request: *get, response: *ok}
      - {email_key: {user: john, key: a}, request: *get, response: *ok}
      - {email_key: {}, request: *get, response: *ok}
`, "f:8:33: exchanges[0].steps[0].link.uid: is no name: want small letters, digits and underscores\n" +
			"f:8:9: exchanges[0].steps[0].link.user: there is no user ann\nf:9:9: exchanges[0].steps[1].link.user: user new does not exist when the exchange begins\n" +
			"f:9:9: exchanges[0].steps[1].link: a is captured already\nf:10:16: exchanges[0].steps[2].link.user: is missing\nf:10:16: exchanges[0].steps[2].link.uid: is missing\nf:10:16: exchanges[0].steps[2].link.token: is missing\n" +
			"f:11:9: exchanges[0].steps[3].email_key.user: there is no user ann\nf:11:38: exchanges[0].steps[3].email_key.key: is no name: want small letters, digits and underscores\n" +
			"f:12:9: exchanges[0].steps[4].email_key: a is captured already\nf:13:21: exchanges[0].steps[5].email_key.user: is missing\nf:13:21: exchanges[0].steps[5].email_key.key: is missing"},
		{"no steps", head + "  - {name: n, source: s, steps: []}\n", "f:4:33: exchanges[0].steps: want one step or more"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := Load("f", []byte(test.text))
			if err == nil {
				t.Fatal("accepted")
			}
			want := strings.Split(test.want, "\n")
			for _, line := range want {
				if !strings.Contains(err.Error(), line) {
					t.Errorf("want %s\ngot\n%v", line, err)
				}
			}
			if got := strings.Split(err.Error(), "\n"); len(got) != len(want) {
				t.Errorf("got\n%v", err)
			}
		})
	}
}

// An alias inside its own anchor, or aliases that multiply, must be reported as a problem and must
// not exhaust the stack or the memory.
func TestLoadAliases(t *testing.T) {
	loop := head + "  - name: n\n    source: s\n    steps: [{request: {method: GET, path: /, json: &a [*a]}, response: {status: 200, headers: {Content-Type: ~}, empty: true}}]\n"
	if _, err := Load("f", []byte(loop)); err == nil || !strings.Contains(err.Error(), "is nested more than 50 deep") {
		t.Errorf("a loop: %v", err)
	}
	bomb := "a: &a [x, x, x, x, x, x, x, x, x]\n"
	for name := 'b'; name < 'i'; name++ {
		bomb += string(name) + ": &" + string(name) + " [" + strings.Repeat("*"+string(name-1)+", ", 9) + "]\n"
	}
	bomb = head + "  - name: n\n    source: s\n    steps: [{request: {method: GET, path: /, json: {" +
		strings.ReplaceAll(strings.TrimSpace(bomb), "\n", ", ") + "}}, response: {status: 200, headers: {Content-Type: ~}, empty: true}}]\n"
	if _, err := Load("f", []byte(bomb)); err == nil || !strings.Contains(err.Error(), "has more than 200000 values") {
		t.Errorf("a bomb: %.300v", err)
	}
}

func TestLoad(t *testing.T) {
	const name = "testdata/fake.yaml"
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	f, err := Load(name, data)
	if err != nil {
		t.Fatal(err)
	}
	if f.Profile != "fake" || f.Name != name || f.Exchanges[0].Position.String() != "testdata/fake.yaml:13:5" {
		t.Errorf("got %s, %s, %v", f.Profile, f.Name, f.Exchanges[0].Position)
	}
}

func FuzzLoad(f *testing.F) {
	for _, pattern := range []string{"testdata/*.yaml", "exchanges/*.yaml"} {
		names, err := filepath.Glob(pattern)
		if err != nil || len(names) == 0 {
			f.Fatalf("%s: %d files, %v", pattern, len(names), err)
		}
		for _, name := range names {
			data, err := os.ReadFile(name)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(data)
		}
	}
	for _, text := range []string{"", "[]", "a: *a", head + "  []\n---\na: b\n", head + "  - {[a]: b}\n", "profile: !!binary cA==\n", head + "  - &a {name: *a}\n"} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := Load("f", data)
		if err == nil && (file.Profile == "" || file.Exchanges == nil && file.usernameMax == 0) {
			t.Error("loaded without what is required")
		}
		var problems Problems
		if err != nil && (!errors.As(err, &problems) || len(problems) == 0) {
			t.Errorf("not a list of problems: %v", err)
		}
	})
}
