package differential

// Djoser is the API of profile djoser. With activations, it sends all of djoser's mails: SEND_ACTIVATION_EMAIL,
// SEND_CONFIRMATION_EMAIL, PASSWORD_CHANGED_EMAIL_CONFIRMATION and USERNAME_CHANGED_EMAIL_CONFIRMATION.
func Djoser(activations bool) API {
	api := API{Name: "djoser", Staff: true, Churn: true, Endpoints: []Endpoint{
		{Path: "/auth/token/login/", Weight: 230, Body: JSONBody, Fields: credentials()},
		{Path: "/auth/token/login", Weight: 20, Body: JSONBody, Fields: credentials()},
		{Path: "/auth/token/logout/", Weight: 30, Token: MostlyToken},
		{Path: "/auth/token/logout", Weight: 10, Token: MostlyToken},
		{Path: "/auth/users/", Weight: 120, Body: JSONBody, Fields: []Field{
			{"email", NewEmail}, {"username", NewUsername}, {"password", NewPassword},
		}},
		{Method: "GET", Path: "/auth/users/", Weight: 20, Token: MostlyToken},
		{Method: "GET", Path: "/auth/users/me/", Weight: 50, Token: MostlyToken},
		{Method: "PUT", Path: "/auth/users/me/", Weight: 25, Token: MostlyToken, Body: JSONBody, Fields: []Field{{"email", NewEmail}}},
		{Method: "PATCH", Path: "/auth/users/me/", Weight: 25, Token: MostlyToken, Body: JSONBody, Fields: []Field{{"email", NewEmail}, {"username", Username}}},
		{Method: "DELETE", Path: "/auth/users/me/", Weight: 20, Token: MostlyToken, Body: JSONBody, Fields: currentPassword()},
		{Method: "GET", Path: "/auth/users/{id}/", Weight: 40, Token: MostlyToken},
		{Method: "PUT", Path: "/auth/users/{id}/", Weight: 20, Token: MostlyToken, Body: JSONBody, Fields: []Field{{"email", NewEmail}}},
		{Method: "PATCH", Path: "/auth/users/{id}/", Weight: 20, Token: MostlyToken, Body: JSONBody, Fields: []Field{{"email", NewEmail}, {"id", Username}}},
		{Method: "DELETE", Path: "/auth/users/{id}/", Weight: 20, Token: MostlyToken, Body: JSONBody, Fields: currentPassword()},
		{Path: "/auth/users/set_password/", Weight: 50, Token: MostlyToken, Body: JSONBody, Fields: []Field{{"new_password", NewPassword}, {"current_password", Password}}},
		{Path: "/auth/users/set_username/", Weight: 50, Token: MostlyToken, Body: JSONBody, Fields: []Field{{"new_username", OtherName}, {"current_password", Password}}},
		{Path: "/auth/users/reset_password/", Weight: 60, Body: JSONBody, Fields: []Field{{"email", KnownEmail}}},
		{Path: "/auth/users/reset_username/", Weight: 60, Body: JSONBody, Fields: []Field{{"email", KnownEmail}}},
		{Path: "/auth/users/reset_password_confirm/", Weight: 35, Body: JSONBody, Links: []string{PasswordReset, UsernameReset}, Fields: []Field{{"uid", UID}, {"token", LinkToken}, {"new_password", NewPassword}}},
		{Path: "/auth/users/reset_username_confirm/", Weight: 35, Body: JSONBody, Links: []string{UsernameReset, PasswordReset}, Fields: []Field{{"uid", UID}, {"token", LinkToken}, {"new_username", OtherName}}},
		{Path: "/auth/users/activation/", Weight: 20, Body: JSONBody, Links: []string{PasswordReset, UsernameReset}, Fields: []Field{{"uid", UID}, {"token", LinkToken}}},
		{Path: "/auth/users/resend_activation/", Weight: 20, Body: JSONBody, Fields: []Field{{"email", KnownEmail}}},
	}}
	if !activations {
		return api
	}
	api.Name = "djoser-activation"
	for i, e := range api.Endpoints {
		switch e.Path {
		case "/auth/users/activation/":
			// Elsewhere, links of activations are not followed: once used, they change passwords at djoser, and then all that
			// follows would be different.
			api.Endpoints[i].Weight, api.Endpoints[i].Links = 120, []string{Activation, Activation, Activation, PasswordReset, UsernameReset}
		case "/auth/users/resend_activation/":
			api.Endpoints[i].Weight = 40
		}
	}
	return api
}

func currentPassword() []Field { return []Field{{"current_password", Password}} }
