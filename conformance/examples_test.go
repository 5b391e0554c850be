package conformance

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestExampleUsers takes users that are there, those that most exchanges have first, each name once.
func TestExampleUsers(t *testing.T) {
	f, err := Load("f.yaml", []byte(`profile: p
usernames: {max: 150}
exchanges:
  - {name: a, source: s, users: {ann: {password: one}, bob: {new: true}, long: {length: 150, password: x}}, steps: &steps [{request: {method: GET, path: /}, response: {status: 200, headers: {Content-Type: ~}, empty: true}}]}
  - {name: b, source: s, users: {ann: {password: two}, off: {password: x, inactive: true}}, steps: *steps}
  - {name: c, source: s, users: {ann: {password: two}, cat: {password: three, email: cat@example.com}}, steps: *steps}
`))
	if err != nil {
		t.Fatal(err)
	}
	ann, cat := User{Username: "ann", Password: "two"}, User{Username: "cat", Password: "three", Email: "cat@example.com"}
	if diff := cmp.Diff([]User{ann, cat}, f.ExampleUsers(5)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]User{ann}, f.ExampleUsers(1)); diff != "" {
		t.Error(diff)
	}
}
