package differential

import "slices"

// An API describes an old API to the generator, well enough that most requests make sense to it.
type API struct {
	Name      string
	Endpoints []Endpoint
	// Cookies is set where the profile says whether replies vary by cookie: then that is compared,
	// but of pages and where a cookie was sent. Elsewhere it is not: Django's forms and sessions vary
	// by cookie, and cookies are not reproduced.
	Cookies bool
}

// An Endpoint is a path and the requests that are sent to it.
type Endpoint struct {
	Method string // empty: POST
	Path   string
	Weight int // share of the requests, relative to the other endpoints
	Body   Body
	Fields []Field
	Token  Token
	Basic  Basic
}

// A Body is the format of body that an endpoint expects.
type Body int

// The formats.
const (
	NoBody Body = iota
	JSONBody
	FormBody
)

// A Token says how often a request carries a token.
type Token int

// The frequencies.
const (
	SeldomToken Token = iota
	MostlyToken
)

// A Basic says how often an Authorization header is a password, in HTTP Basic.
type Basic int

// The frequencies.
const (
	NoBasic Basic = iota
	HalfBasic
	// MostlyBasic is of an endpoint where one logs in with it: most requests have the header.
	MostlyBasic
)

// A Field is a field of a body.
type Field struct {
	Name string
	Role Role
}

// A Role is the meaning of a field.
type Role int

// registers tells whether the endpoint makes users.
func (e Endpoint) registers() bool {
	return slices.ContainsFunc(e.Fields, func(f Field) bool { return f.Role == NewUsername })
}

// The roles. Those of a new user get made-up values, the others mostly those of an existing one.
const (
	Username Role = iota
	Password
	NewUsername
	NewEmail
	NewPassword
	PasswordAgain
	Accept
)

func credentials() []Field { return []Field{{"username", Username}, {"password", Password}} }

// OCDUsers is the API of profile ocd-users.
func OCDUsers() API {
	return API{Name: "ocd-users", Endpoints: []Endpoint{
		{Path: "/api/login/", Weight: 40, Body: JSONBody, Fields: credentials()},
		{Path: "/api/register/", Weight: 40, Body: JSONBody, Fields: []Field{
			{"username", NewUsername}, {"email", NewEmail}, {"password", NewPassword},
		}},
		{Path: "/api/logout/", Weight: 15, Token: MostlyToken},
		{Path: "/api/logoutall/", Weight: 5, Token: MostlyToken},
	}}
}

// KnoxAuth is the API of profile knox-auth.
func KnoxAuth() API {
	return API{Name: "knox-auth", Endpoints: []Endpoint{
		{Path: "/auth/login/", Weight: 70, Body: JSONBody, Fields: credentials()},
		{Path: "/auth/logout/", Weight: 20, Token: MostlyToken},
		{Path: "/auth/logoutall/", Weight: 10, Token: MostlyToken},
	}}
}

// FormAuth is the API of profile form-auth.
func FormAuth() API {
	return API{Name: "form-auth", Endpoints: []Endpoint{
		{Path: "/auth/login", Weight: 30, Body: FormBody, Fields: credentials()},
		{Path: "/auth/signup", Weight: 45, Body: FormBody, Fields: []Field{
			{"username", NewUsername}, {"password1", NewPassword}, {"password2", PasswordAgain},
			{"email", NewEmail}, {"accept_tos", Accept},
		}},
		{Path: "/auth/logout", Weight: 15, Token: MostlyToken},
		{Path: "/auth/profile", Weight: 5, Token: MostlyToken},
		{Path: "/", Weight: 5, Token: MostlyToken},
	}}
}

// AuthTokens is the API of profile authtokens.
func AuthTokens() API {
	return API{Name: "authtokens", Endpoints: []Endpoint{
		{Path: "/api/login/", Weight: 35, Body: JSONBody, Fields: credentials()},
		{Path: "/api/login", Weight: 5, Body: JSONBody, Fields: credentials()},
		{Path: "/api/register/", Weight: 35, Body: JSONBody, Fields: []Field{
			{"username", NewUsername}, {"password", NewPassword},
		}},
		{Path: "/api/logout/", Weight: 25, Token: MostlyToken},
	}}
}

// Snippit is the API of profile snippit.
func Snippit() API {
	return API{Name: "snippit", Endpoints: []Endpoint{
		{Path: "/api/auth/login/", Weight: 50, Body: JSONBody, Fields: credentials()},
		{Path: "/api/auth/logout/", Weight: 15, Token: MostlyToken},
		{Method: "GET", Path: "/api/account/john/", Weight: 30, Token: MostlyToken},
		{Method: "GET", Path: "/api/account/nobody/", Weight: 5, Token: MostlyToken},
	}}
}

// Builtin returns the APIs of the built-in profiles.
func Builtin() []API {
	return []API{AuthTokens(), KnoxAuth(), FormAuth(), Snippit(), OCDUsers(), DRFAuthtoken(), Knox("knox"), Knox("knox-5")}
}

// Djoser is the API of the example djoser.
func Djoser() API {
	current := []Field{{"current_password", Password}}
	return API{Name: "djoser", Endpoints: []Endpoint{
		{Path: "/auth/token/login/", Weight: 40, Body: JSONBody, Fields: credentials()},
		{Path: "/auth/token/login", Weight: 5, Body: JSONBody, Fields: credentials()},
		{Path: "/auth/token/logout/", Weight: 6, Token: MostlyToken},
		{Path: "/auth/token/logout", Weight: 2, Token: MostlyToken},
		{Path: "/auth/users/", Weight: 14, Body: JSONBody, Fields: []Field{
			{"email", NewEmail}, {"username", NewUsername}, {"password", NewPassword},
		}},
		{Method: "GET", Path: "/auth/users/", Weight: 3, Token: MostlyToken},
		{Method: "GET", Path: "/auth/users/me/", Weight: 5, Token: MostlyToken},
		{Method: "PUT", Path: "/auth/users/me/", Weight: 3, Token: MostlyToken, Body: JSONBody, Fields: []Field{{"email", NewEmail}}},
		{Method: "PATCH", Path: "/auth/users/me/", Weight: 3, Token: MostlyToken, Body: JSONBody, Fields: []Field{{"email", NewEmail}, {"username", Username}}},
		{Method: "GET", Path: "/auth/users/1/", Weight: 3, Token: MostlyToken},
		{Method: "PATCH", Path: "/auth/users/2/", Weight: 2, Token: MostlyToken, Body: JSONBody, Fields: []Field{{"email", NewEmail}}},
		{Method: "DELETE", Path: "/auth/users/2/", Weight: 2, Token: MostlyToken, Body: JSONBody, Fields: current},
		{Path: "/auth/users/set_password/", Weight: 3, Token: MostlyToken, Body: JSONBody, Fields: []Field{{"new_password", Password}, {"current_password", Password}}},
		{Path: "/auth/users/set_username/", Weight: 3, Token: MostlyToken, Body: JSONBody, Fields: []Field{{"new_username", Username}, {"current_password", Password}}},
		{Path: "/auth/users/reset_password/", Weight: 2, Body: JSONBody, Fields: []Field{{"email", NewEmail}}},
		{Path: "/auth/users/reset_username/", Weight: 2, Body: JSONBody, Fields: []Field{{"email", NewEmail}}},
		{Path: "/auth/users/activation/", Weight: 2, Body: JSONBody, Fields: []Field{{"uid", Password}, {"token", Password}}},
	}}
}

// DRFAuthtoken is the API of profile drf-authtoken: the REST framework's own token view.
func DRFAuthtoken() API {
	return API{Name: "drf-authtoken", Cookies: true, Endpoints: []Endpoint{
		{Path: "/api-token-auth/", Weight: 1, Body: JSONBody, Fields: credentials(), Basic: HalfBasic},
	}}
}

// Knox is the API of profiles knox and knox-5: knox's own views.
func Knox(name string) API {
	return API{Name: name, Cookies: true, Endpoints: []Endpoint{
		{Path: "/api/auth/login/", Weight: 60, Basic: MostlyBasic},
		{Path: "/api/auth/logout/", Weight: 30, Token: MostlyToken},
		{Path: "/api/auth/logoutall/", Weight: 10, Token: MostlyToken},
	}}
}
