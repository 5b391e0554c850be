package profiles

import (
	"strings"
	"testing"
)

// TestSharedEmails finds the profiles whose users others can keep from logging in by their address.
func TestSharedEmails(t *testing.T) {
	const login = `
  login: {path: /login/, fields: {NAME: {}, password: {}}, reply: {status: 200, body: {token: $token.key}}}
`
	const register = `
  users: {path: /users/, action: register, fields: {username: {}, email: {}, password: {}}, reply: {status: 201, body: {id: $user.id}}}
`
	const update = `
  me: {path: /me/, action: update, fields: {email: {READ}, username: {read_only: true}}, reply: {status: 200, body: {id: $user.id}}}
`
	const rename = `
  set_username: {path: /name/, fields: {new_username: {role: username}}, reply: {status: 204}}
`
	const confirm = "mails: {email_confirm_url: '/confirm/{key}/'}"
	const verify = `
  verify_email: {path: /verify/, fields: {key: {role: token}}, reply: {status: 200, body: {detail: ok}}}
`
	mandatory := strings.Replace(register, "{id: $user.id}", "{detail: ok}", 1)
	make := func(name, emails, endpoints string) *Profile {
		t.Helper()
		p, err := Parse("f.yaml", []byte("name: "+name+"\nfamily: drf\nstack: drf-3.14\ntokens: {hex: 40, ttl: 1h, per_user: many}\n"+emails+"\nendpoints:"+endpoints))
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	byName := strings.Replace(login, "NAME: {}", "username: {}", 1)
	byEmail := strings.Replace(login, "NAME: {}", "email: {}", 1)
	byEither := strings.Replace(login, "NAME: {}", "name: {role: username_or_email}", 1)
	for _, c := range []struct {
		what string
		all  []*Profile
		want string
	}{
		{"by address", []*Profile{make("a", "", byEmail+register)}, "a"},
		{"by either", []*Profile{make("a", "", byEither+register)}, "a"},
		{"by name", []*Profile{make("a", "", byName+register)}, ""},
		{"unique", []*Profile{make("a", "emails: {unique: true}", byEmail+register)}, ""},
		{"whoever has verified it", []*Profile{make("a", "emails: {verification: optional}\n"+confirm, byEmail+register+verify)}, "a"},
		{"who has not verified it does not log in", []*Profile{make("a", "emails: {verification: mandatory}\n"+confirm, byEmail+mandatory+verify)}, ""},
		{"nobody registers", []*Profile{make("a", "", byEmail)}, ""},
		{"another registers", []*Profile{make("a", "", byEmail), make("b", "", byName+register)}, "a"},
		{"unique at another", []*Profile{make("a", "", byEmail), make("b", "emails: {unique: true}", byName+register)}, ""},
		{"addresses change", []*Profile{make("a", "", byEmail+strings.Replace(update, "READ", "", 1))}, "a"},
		{"names are addresses at another", []*Profile{make("a", "", byEmail), make("b", "usernames: {email: true}", byName+strings.Replace(register, " email: {},", "", 1))}, "a"},
		{"names become addresses at another", []*Profile{make("a", "", byEmail), make("b", "usernames: {email: true}", byName+rename)}, "a"},
		{"names are none", []*Profile{make("a", "", byEmail), make("b", "", byName+rename)}, ""},
		{"addresses stay", []*Profile{make("a", "", byEmail+strings.Replace(update, "READ", "read_only: true", 1))}, ""},
	} {
		var got []string
		for _, p := range SharedEmails(c.all) {
			got = append(got, p.Name)
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s: %v, want %q", c.what, got, c.want)
		}
	}
}

// TestReusedNames finds the profiles whose users can give up a name that somebody else may take.
func TestReusedNames(t *testing.T) {
	const (
		register = "  register: {path: /r/, fields: {username: {}, password: {}}, reply: {status: 201, body: {id: $user.id}}}\n"
		login    = "  login: {path: /l/, fields: {username: {}, password: {}}, reply: {status: 200, body: {t: $token.key}}}\n"
		remove   = "  delete: {path: /d/, reply: {status: 204}}\n"
		rename   = "  set_username: {path: /n/, fields: {new_username: {role: username}}, reply: {status: 204}}\n"
		confirm  = "  reset_username_confirm: {path: /c/, fields: {uid: {}, token: {}, new_username: {role: username}}, reply: {status: 204}}\n"
		update   = "  update: {path: /u/, fields: {username: {}}, reply: {status: 200, body: {id: $user.id}}}\n"
		shown    = "  update: {path: /u/, fields: {username: {read_only: true}, email: {}}, reply: {status: 200, body: {id: $user.id}}}\n"
	)
	for _, test := range []struct {
		endpoints []string // of the profiles a, b, …
		want      string
	}{
		{[]string{register + login}, ""},
		{[]string{register + remove}, "a"},
		{[]string{login + remove}, ""},
		{[]string{login, register + remove}, "b"},
		{[]string{register, login + remove}, "b"},
		{[]string{login + rename}, "a"},
		{[]string{login + confirm, rename}, "a b"},
		{[]string{login + update}, "a"},
		{[]string{register + shown}, ""},
	} {
		var all []*Profile
		for i, endpoints := range test.endpoints {
			p, err := Parse("f.yaml", []byte("name: "+string(rune('a'+i))+"\nfamily: drf\nstack: drf-3.14\ntokens: {hex: 40, ttl: 1h, per_user: many}\nendpoints:\n"+endpoints))
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, p)
		}
		var got []string
		for _, p := range ReusedNames(all) {
			got = append(got, p.Name)
		}
		if strings.Join(got, " ") != test.want {
			t.Errorf("%q: %q, want %q", test.endpoints, got, test.want)
		}
	}
}
