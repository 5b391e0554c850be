package dialects_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/authcompat/authcompat/dialects"
	"github.com/authcompat/authcompat/profiles"
	"github.com/authcompat/authcompat/profiles/template"
)

func builtin(t *testing.T, name string) *profiles.Profile {
	t.Helper()
	p, err := profiles.Load(name)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func mustDescribe(t *testing.T, p *profiles.Profile) dialects.Answers {
	t.Helper()
	all, err := dialects.Describe(p)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// described returns the keys of the messages that a profile's endpoints answer with.
func described(t *testing.T, p *profiles.Profile) map[string]bool {
	t.Helper()
	keys := map[string]bool{}
	all := mustDescribe(t, p)
	answers := all.Other
	for _, e := range all.Endpoints {
		answers = append(answers, e.Refusals...)
	}
	for _, a := range answers {
		for _, key := range a.Body.Messages() {
			keys[key] = true
		}
	}
	return keys
}

// field changes the fields of one role in a profile.
func field(p *profiles.Profile, r profiles.Role, change func(*profiles.Field)) {
	for i := range p.Endpoints {
		for k := range p.Endpoints[i].Fields {
			if f := &p.Endpoints[i].Fields[k]; f.Role == r {
				change(f)
			}
		}
	}
}

// TestEveryMessageIsDescribed has each message of a family be one that is described, some of them of a profile that has what no
// built-in one has.
func TestEveryMessageIsDescribed(t *testing.T) {
	strict := func(p *profiles.Profile) {
		p.Passwords.Validators = []profiles.PasswordValidator{profiles.ValidateSimilarity, profiles.ValidateMinLength, profiles.ValidateCommon, profiles.ValidateNumeric}
		p.Passwords.MinLength = 8
		p.Tokens.Limit = 3
	}
	attribute := func(kind template.Type) func(*profiles.Profile) {
		return func(p *profiles.Profile) {
			field(p, profiles.RoleEmail, func(f *profiles.Field) { f.Role, f.Type.Type = profiles.RoleAttribute, kind })
		}
	}
	type change struct {
		profile string
		make    func(*profiles.Profile)
	}
	for family, changes := range map[profiles.Family][]change{
		profiles.DRF: {
			{"djoser", strict}, {"djoser", attribute(template.TypeBoolean)}, {"djoser", attribute(template.TypeDate)}, {"djoser", attribute(template.TypeInteger)},
			{"djoser", func(p *profiles.Profile) {
				p.Mails.ShowEmailNotFound = true
				p.Emails.Unique, p.Emails.Verification = true, profiles.VerificationMandatory
				p.Endpoints = slices.DeleteFunc(slices.Clone(p.Endpoints), func(e profiles.Endpoint) bool { return e.Action == profiles.Register })
				field(p, profiles.RoleCurrentPassword, func(f *profiles.Field) { f.Role, f.MinLength = profiles.RoleUsernameAgain, 3 })
			}},
			{"djoser", func(p *profiles.Profile) { // accounts without names
				for i := range p.Endpoints {
					e := &p.Endpoints[i]
					if e.Action == profiles.Update {
						e.Fields = slices.DeleteFunc(slices.Clone(e.Fields), func(f profiles.Field) bool { return f.Role == profiles.RoleUsername })
					}
				}
			}},
			{"ocd-users", func(*profiles.Profile) {}}, {"dj-rest-auth", func(*profiles.Profile) {}}, {"snippit", func(*profiles.Profile) {}}, {"drf-authtoken", func(*profiles.Profile) {}}, {"knox", func(*profiles.Profile) {}},
		},
		profiles.FormJSON: {
			{"form-auth", strict}, {"form-auth", func(p *profiles.Profile) {
				basic := profiles.Authentication{Kind: profiles.AuthenticateBasic, Word: "api"}
				logout := &p.Endpoints[2]
				logout.Authentication = append([]profiles.Authentication{basic}, logout.Authentication...)
				change := *logout
				change.Name, change.Action, change.Path = "change", profiles.SetPassword, "/auth/change"
				change.Fields = []profiles.Field{{Name: "old", Role: profiles.RoleCurrentPassword, Required: true}, {Name: "new", Role: profiles.RolePassword, Required: true}}
				p.Endpoints = append(p.Endpoints, change)
			}},
		},
		profiles.PlainJSON: {
			{"authtokens", strict}, {"authtokens", func(p *profiles.Profile) {
				p.Tokens.TTL = 1
				register := &p.Endpoints[0]
				register.Fields = append(register.Fields, profiles.Field{Name: "email", Role: profiles.RoleEmail}, profiles.Field{Name: "again", Role: profiles.RolePasswordAgain})
				change := p.Endpoints[2]
				change.Name, change.Action, change.Path = "change", profiles.SetPassword, "/api/change/"
				change.Fields = []profiles.Field{{Name: "old", Role: profiles.RoleCurrentPassword, Required: true}, {Name: "password", Role: profiles.RolePassword, Required: true}}
				p.Endpoints = append(p.Endpoints, change)
			}},
		},
	} {
		keys := map[string]bool{}
		all := map[string]bool{}
		for _, c := range changes {
			p := builtin(t, c.profile)
			for key := range p.Messages {
				all[key] = true
			}
			c.make(p)
			for key := range described(t, p) {
				keys[key] = true
			}
		}
		for key := range all {
			if !keys[key] {
				t.Errorf("%s: %s is never described", family, key)
			}
		}
	}
}

// TestDescribedMessages has a letter that is changed in a message change the answers that have it, and no others.
func TestDescribedMessages(t *testing.T) {
	for _, name := range profiles.Builtin() {
		p := builtin(t, name)
		before := mustDescribe(t, p)
		for key := range described(t, p) {
			changed := *p
			changed.Messages = profiles.Messages{}
			for k, sentence := range p.Messages {
				changed.Messages[k] = sentence
			}
			changed.Messages[key] = "X" + p.Messages[key]
			after := mustDescribe(t, &changed)
			for _, e := range p.Endpoints {
				compared(t, name+" "+key, key, before.Endpoints[e.Name].Refusals, after.Endpoints[e.Name].Refusals)
			}
		}
	}
}

func compared(t *testing.T, what, key string, before, after []dialects.Answer) {
	t.Helper()
	if len(before) != len(after) {
		return // two answers have become different
	}
	for i := range before {
		first, second := before[i].Body.String(), after[i].Body.String()
		if has := slices.Contains(before[i].Body.Messages(), key); has != (first != second) || has && !strings.Contains(second, "X") {
			t.Errorf("%s: %s has become %s", what, first, second)
		}
	}
}

// TestDescribe has what an endpoint answers say what a reader of its document knows.
func TestDescribe(t *testing.T) {
	login := mustDescribe(t, builtin(t, "knox")).Endpoints["login"]
	if got, want := login.Success.Body.String(), `{"expiry":{$token.expiry},"token":"{$token.key}"}`; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	users := mustDescribe(t, builtin(t, "djoser")).Endpoints["user_list"]
	if got, want := users.Success.Body.String(), `[{"email":"{$user.email}","id":{$user.id},"username":"{$user.username}"}{more users}]`; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	// Where a session is looked for, caches are told so, unless the request was refused before.
	for _, a := range mustDescribe(t, builtin(t, "dj-rest-auth")).Endpoints["user"].Refusals {
		want := profiles.Header{Name: "Vary", Value: "Accept, Cookie"}
		if a.Stage == dialects.StageRequest {
			want.Value = "Accept"
		}
		if page := len(a.Body.Messages()) == 0; !page && !slices.Contains(a.Headers, want) {
			t.Errorf("%v: %v, want %v", a.When, a.Headers, want)
		}
	}
	taken := dialects.AnswersBySentence(mustDescribe(t, builtin(t, "djoser")).Endpoints["user_create"].Refusals, 400, `{"username": ["A user with that username already exists."]}`)
	if len(taken) == 0 || taken[0].Stage != dialects.StageField || taken[0].Field != "username" {
		t.Errorf("a username that is taken is described as %+v", taken)
	}
	// The order of the checks is the stack's: to 3.3, what is accepted came last.
	for name, want := range map[string]dialects.Stage{"snippit": dialects.StageClient, "ocd-users": dialects.StageRequest} {
		refusals := mustDescribe(t, builtin(t, name)).Endpoints["logout"].Refusals
		i := slices.IndexFunc(refusals, func(a dialects.Answer) bool { return a.Status == 406 })
		if got := refusals[i].Stage; got != want || (want == dialects.StageClient) != (refusals[i-1].Status == 404 && refusals[0].Status == 401) {
			t.Errorf("%s: 406 is at the stage %s, and the first refusal is %+v", name, got, refusals[0])
		}
	}
	if _, err := dialects.Describe(&profiles.Profile{Name: "x", Family: "none"}); err == nil || !strings.Contains(err.Error(), `no family "none"`) {
		t.Errorf("an unknown family: %v", err)
	}
}
