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
	// Staff has a user who may do with all accounts what others may with their own: StaffUser, who is to
	// be at both servers, too.
	Staff bool
	// Churn is set where users change their names and passwords and delete themselves: the generator then
	// takes note of what became of them, see Generator.Answered.
	Churn bool
}

// An Endpoint is a path and the requests that are sent to it.
type Endpoint struct {
	Method string // empty: POST
	Path   string // {id} in it is the id of a user
	Weight int    // share of the requests, relative to the other endpoints
	Body   Body
	Fields []Field
	Token  Token
	Basic  Basic
	// Links are the kinds of mails whose links the fields UID and LinkToken mostly have.
	Links []string
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
	KnownEmail // mostly that of a user who is there
	OtherName  // a name that nobody has, as a rule, and the user gets
	UID        // the user's key in a link
	LinkToken  // and the token there
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
	return []API{AuthTokens(), KnoxAuth(), FormAuth(), Snippit(), OCDUsers(), DRFAuthtoken(), Knox("knox"), Knox("knox-5"), Djoser(false), RestAuth()}
}

// RestAuth is the API of profile dj-rest-auth.
func RestAuth() API {
	// A change to another password than the users' would end the logins of the rest of a run.
	passwords := func(last ...Field) []Field {
		return append([]Field{{"new_password1", Password}, {"new_password2", Password}}, last...)
	}
	return API{Name: "dj-rest-auth", Endpoints: []Endpoint{
		{Path: "/dj-rest-auth/login/", Weight: 25, Body: JSONBody, Fields: credentials()},
		{Path: "/dj-rest-auth/login", Weight: 3, Body: JSONBody, Fields: credentials()},
		{Path: "/dj-rest-auth/logout/", Weight: 5, Token: MostlyToken},
		{Method: "GET", Path: "/dj-rest-auth/logout/", Weight: 1, Token: MostlyToken},
		{Method: "GET", Path: "/dj-rest-auth/user/", Weight: 8, Token: MostlyToken},
		{Method: "PUT", Path: "/dj-rest-auth/user/", Weight: 5, Token: MostlyToken, Body: JSONBody, Fields: []Field{{"username", Username}, {"first_name", NewUsername}, {"email", NewEmail}}},
		{Method: "PATCH", Path: "/dj-rest-auth/user/", Weight: 5, Token: MostlyToken, Body: JSONBody, Fields: []Field{{"first_name", Username}, {"last_name", NewEmail}}},
		{Path: "/dj-rest-auth/password/change/", Weight: 6, Token: MostlyToken, Body: JSONBody, Fields: passwords()},
		{Path: "/dj-rest-auth/password/reset/", Weight: 5, Body: JSONBody, Fields: []Field{{"email", NewEmail}}},
		{Path: "/dj-rest-auth/password/reset/confirm/", Weight: 7, Body: JSONBody, Fields: passwords(Field{"uid", Username}, Field{"token", Password})},
		{Path: "/dj-rest-auth/registration/", Weight: 20, Body: JSONBody, Fields: []Field{
			{"username", NewUsername}, {"email", NewEmail}, {"password1", NewPassword}, {"password2", PasswordAgain},
		}},
		{Path: "/dj-rest-auth/registration/verify-email/", Weight: 5, Body: JSONBody, Fields: []Field{{"key", Password}}},
		{Path: "/dj-rest-auth/registration/resend-email/", Weight: 5, Body: JSONBody, Fields: []Field{{"email", NewEmail}}},
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
