package djangosettings

import (
	"fmt"
	"testing"

	"github.com/authcompat/authcompat/profiles"
)

// verifies says who verifies an address, whether there is an endpoint for it, and of a registration whether it takes
// an address and gives a token.
func verifies(p *profiles.Profile) any {
	_, there := p.Endpoint(profiles.VerifyEmail)
	register, _ := p.Endpoint(profiles.Register)
	email, _ := register.Field(profiles.RoleEmail)
	return fmt.Sprint(string(p.Emails.Verification)+" ", there, email.Required, register.ShowsToken() && there)
}

// TestVerification fills in who has to verify an address, and what goes with it.
func TestVerification(t *testing.T) {
	for _, tt := range []struct{ settings, want string }{
		{withAuth + "ACCOUNT_EMAIL_VERIFICATION = 'none'", "none false false false"},
		{withAuth, "optional true false true"},
		{withAuth + "from allauth.account.app_settings import EmailVerificationMethod\nACCOUNT_EMAIL_VERIFICATION = EmailVerificationMethod.MANDATORY", "mandatory true true false"},
		{"INSTALLED_APPS = ['dj_rest_auth', 'allauth']\nACCOUNT_LOGIN_METHODS = {'email'}", "none false false false"},
	} {
		if got := verifies(mustProfile(t, mustInspect(t, tt.settings))); got != tt.want {
			t.Errorf("%s\ngot  %s\nwant %s", tt.settings, got, tt.want)
		}
	}
}
