package mailer

import (
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
	account := core.Account{User: core.User{ID: 46656, Email: "bürger@example.org"}, PasswordHash: "!unusable", LastLogin: time.Date(2026, 2, 3, 4, 5, 6, 789012000, time.UTC)}
	key := &maillink.Generator{Secrets: []string{"k3y-ü-with $ympols and more than sixty-four bytes, which HMAC would hash itself"}}
	const token = "diul4i-51bd1f8deea2277bfa0e63946ae38db3"
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
	if d := cmp.Diff(maillink.User{ID: 46656, PasswordHash: "!unusable", Email: "bürger@example.org", LastLogin: account.LastLogin}, account.LinkUser()); d != "" {
		t.Error(d)
	}
}
