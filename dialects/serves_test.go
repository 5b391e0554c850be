package dialects_test

import (
	"testing"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/dialects"
	"github.com/authcompat/authcompat/profiles"
)

// What a family does nothing with is refused before it serves anything.
func TestRefusesWhatIsNotServed(t *testing.T) {
	p, err := profiles.Parse("f.yaml", []byte(`name: mails
family: drf
stack: drf-3.14
tokens: {hex: 40, ttl: 10h, per_user: many}
endpoints:
  verify: {action: activate, path: /verify/, fields: {key: {role: token}}, reply: {status: 200}}
`))
	if err != nil {
		t.Fatal(err)
	}
	const want = "profile mails: endpoint verify: family drf does not read keys of django-allauth yet: an activation needs a field with the role uid"
	if _, err := dialects.New(p, core.New(core.Config{})); err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}
