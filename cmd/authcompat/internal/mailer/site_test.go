package mailer

import (
	"errors"
	"testing"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/maillink"
	"github.com/google/go-cmp/cmp"
)

func TestLinks(t *testing.T) {
	profiles := map[string]ProfileLinks{
		"djoser":  {URLs: map[core.MailKind]string{core.MailPasswordReset: "#/password/reset/confirm/{uid}/{token}", core.MailActivation: "/activate/{uid}/{token}"}},
		"dj-rest": {URLs: map[core.MailKind]string{core.MailPasswordReset: "https://app.example.org/reset?uid={uid}&token={token}", core.MailEmailVerification: "/confirm/{key}/"}, UID: maillink.Base36, AllEmails: true},
	}
	account := core.Account{User: core.User{ID: 46656, Email: "bürger@example.org"}, PasswordHash: "pbkdf2_sha256$1$a$b", LastLogin: time.Date(2026, 2, 3, 4, 5, 6, 789012000, time.UTC)}
	key := &maillink.Generator{Secrets: []string{"k3y-ü-with $ympols and more than sixty-four bytes, which HMAC would hash itself"}}
	const token = "diul4i-be66b4e9737fba3891cfacad4711c4f5"
	for _, c := range []struct {
		name, profile, site, domain string
		kind                        core.MailKind
		want                        string
		wantSite                    string
		fails                       bool
	}{
		{"a path", "djoser", "", "www.example.org", core.MailPasswordReset, "https://www.example.org/#/password/reset/confirm/NDY2NTY/" + token, "www.example.org", false},
		{"another scheme", "djoser", "Shop", "http://localhost:3000/", core.MailActivation, "http://localhost:3000/activate/NDY2NTY/" + token, "Shop", false},
		{"a URL", "dj-rest", "Shop", "www.example.org", core.MailPasswordReset, "https://app.example.org/reset?uid=1000&token=", "Shop", false},
		{"a key", "dj-rest", "", "www.example.org", core.MailEmailVerification, "https://www.example.org/confirm/NDY2NTY:1xXwpe:eJPU3_6oB6NtmRKrbND18CrumBMiQiQGCgelXYzOzDY/", "www.example.org", false},
		{"no link", "dj-rest", "", "www.example.org", core.MailConfirmation, "", "www.example.org", false},
		{"a kind that the profile lacks", "dj-rest", "", "www.example.org", core.MailActivation, "", "", true},
		{"a profile that is gone", "other", "", "www.example.org", core.MailActivation, "", "", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := &Site{Name: c.site, Domain: c.domain, Links: key, Now: func() time.Time { return time.Date(2026, 11, 30, 8, 33, 54, 999999000, time.UTC) },
				Profile: func(name string) (ProfileLinks, bool) { p, ok := profiles[name]; return p, ok }}
			got, err := s.Link(core.Mail{Kind: c.kind, Profile: c.profile}, Recipient{Account: account, AddressID: 46656})
			if c.profile == "dj-rest" && c.kind == core.MailPasswordReset {
				c.want += got.Token
			}
			if (err != nil) != c.fails || got.URL != c.want || got.SiteName != c.wantSite {
				t.Errorf("%+v, %v, want %s", got, err, c.want)
			}
			s.Links = nil
			if _, err := s.Link(core.Mail{Kind: core.MailPasswordReset, Profile: "djoser"}, Recipient{Account: account}); err == nil {
				t.Error("a link without a key")
			}
		})
	}
	if d := cmp.Diff(maillink.User{ID: 46656, PasswordHash: "pbkdf2_sha256$1$a$b", Email: "bürger@example.org", LastLogin: account.LastLogin}, account.LinkUser()); d != "" {
		t.Error(d)
	}
}

// TestNoLinkWithoutPassword holds that no link is made for a user whose password an operator has taken while the mail
// waited: it would be as good as the password.
func TestNoLinkWithoutPassword(t *testing.T) {
	urls := map[core.MailKind]string{core.MailPasswordReset: "/r/{uid}/{token}", core.MailUsernameReset: "/n/{uid}/{token}", core.MailActivation: "/a/{uid}/{token}", core.MailEmailVerification: "/v/{key}"}
	profiles := map[string]ProfileLinks{"djoser": {URLs: urls}, "later": {URLs: urls, PasswordLater: true}, "allauth": {URLs: urls, AllEmails: true}}
	s := &Site{Domain: "www.example.org", Links: &maillink.Generator{Secrets: []string{"secret"}}, Profile: func(name string) (ProfileLinks, bool) { p, ok := profiles[name]; return p, ok }}
	for _, c := range []struct {
		profile string
		kind    core.MailKind
		denied  bool
	}{
		{"djoser", core.MailActivation, true},
		{"djoser", core.MailPasswordReset, true},
		{"djoser", core.MailUsernameReset, true},
		{"djoser", core.MailEmailVerification, false},
		{"djoser", core.MailPasswordChanged, false},
		{"later", core.MailActivation, false},
		{"later", core.MailPasswordReset, true},
		{"allauth", core.MailActivation, true},
		{"allauth", core.MailPasswordReset, false},
	} {
		for encoded, denied := range map[string]bool{"pbkdf2_sha256$1$a$b": false, "!": c.denied, "!random": c.denied} {
			_, err := s.Link(core.Mail{Kind: c.kind, Profile: c.profile}, Recipient{Account: core.Account{User: core.User{ID: 1, Email: "a@example.org"}, PasswordHash: encoded}})
			if errors.Is(err, errNothing) != denied || err != nil && !denied {
				t.Errorf("%s, %s, %q: %v", c.profile, c.kind, encoded, err)
			}
		}
	}
}
