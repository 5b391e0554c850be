// Package profiles describes APIs as data. A profile holds all in which two APIs of
// one family can differ: paths, fields and their limits, replies with the order of
// their keys, headers, messages, and rules about the behaviour of the software
// version behind the API. Profiles are YAML files, some of them built in. Loading is
// strict and reports all problems of a file at once, each with its position.
//
// A profile names a stack, which is a file with the messages and rules of one version
// of the original software, and overrides single entries of it. A profile must not be
// changed once it is in use.
package profiles

import (
	"slices"
	"time"

	"github.com/authcompat/authcompat/profiles/template"
)

// Family names the Go code that serves a profile.
type Family string

// The families.
const (
	DRF       Family = "drf"       // Django REST framework views
	FormJSON  Family = "formjson"  // Django forms answered as JSON
	PlainJSON Family = "plainjson" // plain Django views that read and write JSON
)

// Profile describes one API, with its stack merged in.
type Profile struct {
	Name     string // [a-z0-9][a-z0-9-]*, at most 64 characters
	Title    string // one line for people
	Document string // where the API is described
	Family   Family
	Stack    string
	// Scheme is the keyword of the Authorization header and of the challenge,
	// "Token" unless the profile says otherwise.
	Scheme string
	// Authentication is whom endpoints ask who a client is, in order, unless they say otherwise:
	// tokens with the Scheme alone unless the profile does (families drf, formjson).
	Authentication []Authentication
	Tokens         Tokens
	// Passwords says which new ones are refused: none unless the profile says otherwise.
	Passwords Passwords
	Usernames Usernames
	Emails    Emails
	// Attributes are the types of further data of users. One that is not listed is a text, and
	// "" where a user has none.
	Attributes []Attribute
	// Mails says which ones are sent (family drf): none unless the profile says otherwise.
	Mails Mails
	// TrailingSlash says how a path without its trailing slash is answered where the
	// endpoint does not: "exact" unless the profile says otherwise.
	TrailingSlash TrailingSlash
	// OtherPaths says whether paths that no endpoint has want a token before
	// they answer 404: "open" unless the profile says otherwise.
	OtherPaths Access
	// Throttling says whether a login after too many wrong ones is answered with 429,
	// or as if its password were wrong: "hidden" unless the profile says otherwise.
	Throttling Disclosure
	// Headers are on every reply of the API, spelled and ordered as here.
	Headers []Header
	// PreflightHeaders are further headers of the reply to OPTIONS (family plainjson).
	PreflightHeaders []Header
	// CORS is what browsers are told about other sites' pages; nil: nothing.
	CORS   *CORS
	Errors Errors
	// Formats are further ways to write times, in the order of the file.
	Formats   []Format
	Rules     Rules
	Messages  Messages
	Endpoints []Endpoint // in the order of the file
}

// Tokens says what tokens the API issues.
type Tokens struct {
	Hex     int           // hex digits, 32 to 128, odd numbers too
	TTL     time.Duration // 1 s to 36500 days; 0: never expires
	Sliding bool          // each use starts the TTL anew; it is longer than a minute then
	// Interval is how much later the end of a sliding token has to become for the move to be
	// kept, more than that: a minute unless the profile says otherwise; 0 s to TTL
	// (MIN_REFRESH_INTERVAL of knox).
	Interval time.Duration
	// Max is how long after the login a sliding token ends at the latest, at least TTL; 0: never
	// (AUTO_REFRESH_MAX_TTL of knox 5).
	Max     time.Duration
	PerUser PerUser
	// Limit is how many live tokens a user may have in the realm (TOKEN_LIMIT_PER_USER of knox):
	// tokens that never end are not counted; 0: any number, as always with "one".
	Limit int
	// Prefix is put before the digits: at most 10 letters, digits and -._~ (TOKEN_PREFIX of
	// knox 5); empty unless the profile says otherwise.
	Prefix string
	Realm  string // "default" unless the profile says otherwise
	Match  Match  // "exact" unless the profile says otherwise
	// LegacyFormat is the format of an older server in which each token is kept too, so
	// that `authcompat export` can write it there. Empty: none.
	LegacyFormat LegacyFormat
}

// LegacyFormat names the format in which an older server keeps tokens.
type LegacyFormat string

// The values of LegacyFormat.
const (
	LegacyAuthtoken LegacyFormat = "authtoken" // the text, kept sealed
	LegacyKnox41    LegacyFormat = "knox-4.1"  // salted SHA-512 (knox 3.x to 4.1)
	LegacyKnox42    LegacyFormat = "knox-4.2"  // SHA-512 of the bytes
	LegacyKnox5     LegacyFormat = "knox-5.x"  // SHA-512 of the text
)

// PerUser says how many live tokens the API gives a user.
type PerUser string

// The values of PerUser.
const (
	ManyPerUser PerUser = "many" // a new one each login
	OnePerUser  PerUser = "one"  // the live one is shown again
)

// Match says which presented texts are a token.
type Match string

// The values of Match.
const (
	MatchExact Match = "exact"
	// MatchKnox42 is django-rest-knox up to 4.2 (knox/auth.py): the first eight
	// characters are compared as they are, the rest as hex of either case.
	MatchKnox42 Match = "knox-4.2"
)

// TrailingSlash says how a path without its trailing slash is answered.
type TrailingSlash string

// The values of TrailingSlash.
const (
	SlashExact    TrailingSlash = "exact"    // 404
	SlashRedirect TrailingSlash = "redirect" // 301, Django's APPEND_SLASH
	SlashOptional TrailingSlash = "optional" // as the path with it
)

// Access says who may use a path.
type Access string

// The values of Access.
const (
	AccessOpen  Access = "open"
	AccessToken Access = "token"
)

// Header is one header of a reply, spelled as it goes on the wire.
type Header struct{ Name, Value string }

// Errors says what the bodies of failures look like.
type Errors struct {
	// Status is that of the reply to bad input in family formjson: 200 unless the
	// profile says otherwise. It is 0 in the other families, which decide themselves.
	Status int
	// Body is the body of a failure (families formjson, plainjson).
	Body *template.Template
	// Detail is the body of an error of a REST framework view (families drf,
	// formjson).
	Detail *template.Template
	// NonField is the key of errors that belong to no field (family drf): "non_field_errors"
	// unless the profile says otherwise (NON_FIELD_ERRORS_KEY of REST framework).
	NonField string
}

// Endpoint is one action of the API, at one path. Endpoints of one path are one view: they have
// the same View, Renderers, Parsers, Authentication and TrailingSlash.
type Endpoint struct {
	Name   string // its key in the file: [a-z][a-z0-9_-]*, at most 64 characters
	Action Action // its key where that is an action, unless the profile says otherwise
	// Path starts with a slash. Only endpoints that are about one user (account, update and
	// delete) have a variable, {username} or {id}, a whole segment.
	Path string
	// TrailingSlash says how the path without its trailing slash is answered: as the profile's
	// TrailingSlash does unless the endpoint says otherwise.
	TrailingSlash TrailingSlash
	// Methods are those that the endpoint answers, at least one, in the order of Methods(). If
	// the profile does not say, they are POST, GET for an account and a list, PUT and PATCH for
	// an update, and DELETE for a removal. HEAD is not among them: who answers GET answers it.
	Methods []string
	// Access is "open" for register, login and what is done by mail, "token" for the others. In
	// family drf a profile can have register and login want a token, too, and a logout that is a
	// REST framework view can be open: then it ends the token of the request, if there is one.
	Access Access
	// Authentication is whom the endpoint asks who a client is, in order: REST framework views
	// as the profile's do unless they say otherwise, even if they are open to all, so that a bad
	// token is refused there, too. Forms and plain views that are open to all ask nobody.
	Authentication []Authentication
	// Renderers and Parsers are those of a REST framework view, in order of preference.
	// Unless the profile says otherwise they are json and html; and json, form and
	// multipart. json is always one of the renderers.
	Renderers []Renderer
	Parsers   []Parser
	View      View
	// Others says what becomes of a request of family drf about somebody else's account, of
	// anybody but staff: unless the profile says otherwise "visible" where the path has
	// {username}, else "hidden".
	Others Others
	// UpdateLastLogin says that a login sets when the user last logged in, which ends links in
	// mails that were sent before: of all logins of the profile, if one of them does.
	UpdateLastLogin bool
	// Logout says that a changed password ends all tokens of the user.
	Logout bool
	// Fields are in the order in which they are validated. A login that needs a token has none
	// where it issues one to whoever is recognised.
	Fields []Field
	Reply  Reply
}

// Others says what becomes of a request about somebody else's account. A list has only the caller
// unless others are visible.
type Others string

// The values of Others.
const (
	OthersHidden    Others = "hidden"    // 404, as if there were none
	OthersForbidden Others = "forbidden" // 403
	OthersVisible   Others = "visible"   // done
)

// Renderer is a format in which a REST framework view can answer.
type Renderer string

// The renderers.
const (
	RenderJSON Renderer = "json"
	RenderHTML Renderer = "html" // the browsable API
)

// Parser is a format of bodies that a REST framework view reads.
type Parser string

// The parsers.
const (
	ParseJSON      Parser = "json"
	ParseForm      Parser = "form"
	ParseMultipart Parser = "multipart"
)

// View is what OPTIONS shows of a REST framework view, which is every endpoint of
// family drf, and those of formjson that are not forms.
type View struct {
	Name        string // the endpoint's key with a capital unless the profile says otherwise
	Description string
	Actions     bool // whether OPTIONS describes the fields
	// Allow are the methods that the header Allow has, in its order: those of the path's
	// endpoints, HEAD where GET is one, and OPTIONS, unless the profile says otherwise. A view of
	// the original can say more than it does, as dj-rest-auth's logout does of GET.
	Allow []string
	// ActionsOf is the endpoint whose fields OPTIONS describes for each method, as a viewset with one
	// serializer of its own does; empty: each endpoint's.
	ActionsOf string
	// Access says who may use the methods that no endpoint of the path has: "token" or, if it is empty,
	// who may use all of its endpoints (get_permissions of a viewset).
	Access Access
}

// Role is what a field is for.
type Role string

// The roles.
const (
	RoleID              Role = "id"  // read-only, only shown by OPTIONS
	RoleKey             Role = "key" // of login: the token that it shows; read-only likewise
	RoleUsername        Role = "username"
	RoleEmail           Role = "email"
	RoleUsernameOrEmail Role = "username_or_email" // of login: what a user is found by
	RolePassword        Role = "password"          // a new one, but for login
	RoleCurrentPassword Role = "current_password"  // the caller's own
	RolePasswordAgain   Role = "password_again"    // must equal the password
	RoleUsernameAgain   Role = "username_again"    // must equal the username
	RoleAccept          Role = "accept"            // must be true
	RoleUID             Role = "uid"               // of a link in a mail: whose it is
	RoleToken           Role = "token"             // of a link in a mail: the proof that it is one
	RoleAttribute       Role = "attribute"         // further data of the user
)

// ReadOnly tells whether a field is only shown by OPTIONS: what is sent for it is not looked at.
func (r Role) ReadOnly() bool { return r.oneOf(RoleID, RoleKey) }

// Characters is the set of characters that a username may have.
type Characters string

// The character sets.
const (
	CharactersAny Characters = "any"
	// CharactersDjango are letters and digits of any script and @ . + - _
	// (django/contrib/auth/validators.py, UnicodeUsernameValidator).
	CharactersDjango Characters = "django"
	// CharactersASCII are those of CharactersDjango that are ASCII
	// (ASCIIUsernameValidator).
	CharactersASCII Characters = "ascii"
)

// Field is one input of an endpoint.
type Field struct {
	Name string // its key on the wire: letters, digits, _ and -, at most 64
	Role Role   // its key where that is a role, unless the profile says otherwise
	// Attribute is the name of the attribute where Role is RoleAttribute: the field's own
	// unless the profile says otherwise.
	Attribute string
	Type      template.Attribute // of the attribute
	// AnyText is an address at login that need not look like one (djoser's LOGIN_FIELD), or a part of a link that is
	// no field of the serializer: only the link says what is wrong with it (djoser's UsernameResetConfirmSerializer).
	AnyText bool
	// Ignored is a name at login that is validated, and by which no user is found, as dj-rest-auth has it where
	// users log in by the other.
	Ignored bool
	// ReadOnly is a field of an update that OPTIONS shows, and that is ignored in bodies.
	ReadOnly bool
	Required bool // true unless the profile says otherwise; false for an id
	Blank    bool // an empty text is accepted: false unless the profile says otherwise
	// Trim says whether white space at both ends is removed. If the profile does not
	// say, the stack decides in family drf; in formjson usernames and addresses are
	// trimmed and passwords are not; in plainjson nothing is.
	Trim bool
	// Lower says whether a username is put in lower case, for user bases in which the
	// case of names does not matter: false unless the profile says otherwise.
	Lower bool
	// MinLength is in code points (family drf); 0: none but that of a field that is not blank.
	MinLength int
	// MaxLength is in code points, at most 150 for a username and 254 for an
	// address; 0: no limit but these, which are the engine's.
	MaxLength int
	// Characters are "any" unless the profile says otherwise.
	Characters
	Label    string // shown by OPTIONS
	HelpText string // shown by OPTIONS
}

// Reply is the answer on success.
type Reply struct {
	Status int                // 200 to 599
	Body   *template.Template // nil: empty
}

// Endpoint gives the first endpoint with the action, and whether there is one.
func (p *Profile) Endpoint(a Action) (Endpoint, bool) {
	for _, e := range p.Endpoints {
		if e.Action == a {
			return e, true
		}
	}
	return Endpoint{}, false
}

// Takes tells whether the endpoint answers requests with a method, which is in upper case.
func (e Endpoint) Takes(method string) bool { return slices.Contains(e.Methods, method) }

// ShowsToken tells whether the endpoint's reply has anything of a token.
func (e Endpoint) ShowsToken() bool {
	return e.Reply.Body != nil && e.Reply.Body.Shows(template.TokenKey, template.TokenExpiry)
}

// Field gives the endpoint's field with the role, and whether there is one.
func (e Endpoint) Field(r Role) (Field, bool) {
	for _, f := range e.Fields {
		if f.Role == r {
			return f, true
		}
	}
	return Field{}, false
}
