package browse

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/authcompat/authcompat/profiles"
	"github.com/authcompat/authcompat/profiles/template"
)

// does says in words what an endpoint does.
func does(e profiles.Endpoint) string {
	switch e.Action {
	case profiles.Register:
		return "Makes a user" + withToken(e)
	case profiles.Login:
		if len(e.Fields) == 0 {
			return "Gives a token to whoever is recognised"
		}
		return "Checks a password" + withToken(e)
	case profiles.Logout:
		return "Ends the token of the request"
	case profiles.LogoutAll:
		return "Ends all tokens of the user"
	case profiles.Account:
		return "Shows a user"
	case profiles.Update:
		return "Changes what is known of a user"
	case profiles.Delete:
		return "Removes a user, with all tokens"
	case profiles.List:
		return "Lists the users whom the caller may see"
	case profiles.SetPassword:
		return "Gives the caller another password"
	case profiles.SetUsername:
		return "Gives the caller another username"
	case profiles.ResetPassword:
		return "Sends a mail with a link to a new password"
	case profiles.ResetPasswordConfirm:
		return "Gives whoever has the link another password"
	case profiles.ResetUsername:
		return "Sends a mail with a link to a new username"
	case profiles.ResetUsernameConfirm:
		return "Gives whoever has the link another username"
	case profiles.ResendActivation:
		return "Sends the mail with the link that activates a user again"
	case profiles.Activate:
		return "Activates whoever has the link"
	case profiles.ResendVerification:
		return "Sends the mail with the key that verifies an address again"
	case profiles.VerifyEmail:
		return "Verifies the address that a key is of"
	}
	return string(e.Action)
}

func withToken(e profiles.Endpoint) string {
	if e.ShowsToken() {
		return " and gives a token"
	}
	return ""
}

// facts says in words what holds of an endpoint besides.
func facts(e profiles.Endpoint) []Fact {
	all := []Fact{{"Action", string(e.Action)}, {"Who may", who(e)}}
	add := func(label, text string) {
		if text != "" {
			all = append(all, Fact{label, text})
		}
	}
	add("Who is asked", asked(e))
	add("About others", aboutOthers(e))
	add("Without the last slash", slash(e))
	var renders []string
	for _, r := range e.Renderers {
		renders = append(renders, map[profiles.Renderer]string{profiles.RenderJSON: "application/json", profiles.RenderHTML: "text/html (the browsable API)"}[r])
	}
	add("Answers with", strings.Join(renders, ", "))
	if e.View.Name != "" {
		add("OPTIONS shows", view(e.View))
	}
	if e.UpdateLastLogin {
		add("Last login", "is set, which ends links in mails that were sent before")
	}
	if e.Logout {
		add("Tokens", "all of the user's end with the new password")
	}
	return all
}

func who(e profiles.Endpoint) string {
	switch {
	case e.Access == profiles.AccessToken:
		return "whoever is recognised"
	case e.Authenticates():
		return "all, but a bad token is refused"
	}
	return "all; nobody is asked for a token"
}

// asked says by what clients are recognised, in order.
func asked(e profiles.Endpoint) string {
	var all []string
	for _, a := range e.Authentication {
		switch a.Kind {
		case profiles.AuthenticateSession:
			all = append(all, "a session of Django's (no client has one)")
		case profiles.AuthenticateBasic:
			all = append(all, `HTTP Basic, realm "`+a.Word+`"`)
		default:
			all = append(all, "a token behind "+a.Word)
		}
	}
	return strings.Join(all, "; ")
}

// aboutOthers says what becomes of a request about somebody else.
func aboutOthers(e profiles.Endpoint) string {
	switch {
	case e.Action == profiles.List && e.Others == profiles.OthersHidden:
		return "only staff sees others"
	case e.Action == profiles.List && e.Others == profiles.OthersVisible:
		return "all see all"
	case !strings.Contains(e.Path, "{"):
		return ""
	case e.Others == profiles.OthersHidden:
		return "as if they were not there, but for staff"
	case e.Others == profiles.OthersForbidden:
		return "refused, but for staff"
	case e.Others == profiles.OthersVisible:
		return "answered as about the caller"
	}
	return ""
}

func slash(e profiles.Endpoint) string {
	if !strings.HasSuffix(e.Path, "/") || e.Path == "/" {
		return ""
	}
	switch e.TrailingSlash {
	case profiles.SlashRedirect:
		return "301 to the path with it (APPEND_SLASH)"
	case profiles.SlashOptional:
		return "the same"
	}
	return "404"
}

// view says what OPTIONS shows.
func view(v profiles.View) string {
	text := v.Name
	if v.Description != "" {
		text += ": " + v.Description
	}
	if v.Actions {
		text += ", with the fields"
	}
	if v.ActionsOf != "" {
		text += " of " + v.ActionsOf
	}
	return text
}

// reads gives the media types of bodies.
func reads(f profiles.Family, e profiles.Endpoint) []string {
	const form, multipart = "application/x-www-form-urlencoded", "multipart/form-data"
	switch {
	case f == profiles.FormJSON:
		return []string{form, multipart}
	case f == profiles.PlainJSON:
		return []string{"JSON, whatever the Content-Type"}
	}
	var all []string
	for _, p := range e.Parsers {
		all = append(all, map[profiles.Parser]string{profiles.ParseJSON: "application/json", profiles.ParseForm: form, profiles.ParseMultipart: multipart}[p])
	}
	return all
}

func field(f profiles.Field) Field {
	d := Field{Name: f.Name, Kind: kind(f), Required: f.Required && !f.ReadOnly && !f.Role.ReadOnly()}
	limit := func(is bool, text string, values ...any) {
		if is {
			d.Limits = append(d.Limits, fmt.Sprintf(text, values...))
		}
	}
	if f.ReadOnly || f.Role.ReadOnly() {
		limit(true, "only shown by OPTIONS; what is sent is not looked at")
	} else {
		limit(f.MaxLength > 0, "at most %d characters", f.MaxLength)
		limit(f.MinLength > 0, "at least %d characters", f.MinLength)
		limit(f.Characters == profiles.CharactersDjango, "letters and digits of any script, @ . + - _")
		limit(f.Characters == profiles.CharactersASCII, "ASCII letters and digits, @ . + - _")
		limit(f.Blank, "may be empty")
		limit(f.Trim, "white space at both ends is cut off")
		limit(f.Lower, "is put in lower case")
		limit(f.Type.Null, "may be null")
		limit(f.AnyText, "any text")
		limit(f.Ignored, "is checked, and nobody is found by it")
	}
	limit(f.Label != "", "label: %s", f.Label)
	limit(f.HelpText != "", "help: %s", f.HelpText)
	return d
}

// kind says what a field is.
func kind(f profiles.Field) string {
	switch f.Role {
	case profiles.RoleID:
		return "the user's id"
	case profiles.RoleKey:
		return "the token"
	case profiles.RoleUsername:
		return "username"
	case profiles.RoleEmail:
		return "address"
	case profiles.RoleUsernameOrEmail:
		return "username or address"
	case profiles.RolePassword:
		return "password"
	case profiles.RoleCurrentPassword:
		return "the caller's current password"
	case profiles.RolePasswordAgain:
		return "the password again"
	case profiles.RoleUsernameAgain:
		return "the username again"
	case profiles.RoleAccept:
		return "a box to tick"
	case profiles.RoleUID:
		return "uid of a link"
	case profiles.RoleToken:
		return "token of a link"
	}
	words := map[template.Type]string{template.TypeInteger: "integer", template.TypeBoolean: "true or false", template.TypeDate: "date, YYYY-MM-DD"}
	text := "attribute " + f.Attribute
	if word := words[f.Type.Type]; word != "" {
		text += ", " + word
	}
	return text
}

// rules says in words what holds of the whole API.
func rules(p *profiles.Profile) []Fact {
	var all []Fact
	add := func(is bool, label, text string, values ...any) {
		if is {
			all = append(all, Fact{label, fmt.Sprintf(text, values...)})
		}
	}
	add(p.Usernames.Email, "Usernames", "are addresses")
	add(p.Usernames.Case == profiles.CaseInsensitive, "Usernames", "are the same in capitals and small letters")
	add(p.Emails.Case == profiles.CaseInsensitive, "Addresses", "are the same in capitals and small letters")
	add(p.Emails.Unique, "Addresses", "belong to one user each")
	add(p.Emails.Verification == profiles.VerificationOptional, "Addresses", "are verified by mail; who has not may log in")
	add(p.Emails.Verification == profiles.VerificationMandatory, "Addresses", "are verified by mail; who has not may not log in")
	add(len(p.Passwords.Validators) > 0, "New passwords", "%s", validators(p.Passwords))
	for _, m := range []Fact{
		{"a new password", p.Mails.PasswordResetConfirmURL}, {"a new username", p.Mails.UsernameResetConfirmURL},
		{"an activation", p.Mails.ActivationURL}, {"a verified address", p.Mails.EmailConfirmURL},
	} {
		add(m.Text != "", "Link to "+m.Label, "%s", m.Text)
	}
	for _, m := range p.Mails.Send {
		add(true, "Mail nobody asks for", "%s", strings.ReplaceAll(string(m), "_", " "))
	}
	for _, a := range p.Attributes {
		add(true, "Attribute "+a.Name, "%s", attribute(a))
	}
	for _, f := range p.Formats {
		add(true, "Times "+f.Name, "%s in %s", f.Strftime, f.Zone)
	}
	if p.Throttling == profiles.Revealed {
		add(true, "After too many wrong passwords", "a login is refused with 429")
	} else {
		add(true, "After too many wrong passwords", "a login is answered as a wrong password is")
	}
	if p.OtherPaths == profiles.AccessToken {
		add(true, "Paths that no endpoint has", "want a token")
	}
	if p.CORS != nil {
		all = append(all, cors(p.CORS)...)
	}
	add(p.Tokens.Realm != "default", "Realm", "%s: tokens of other realms are not known", p.Tokens.Realm)
	return all
}

func attribute(a profiles.Attribute) string {
	if a.Null {
		return string(a.Type) + " or null"
	}
	return string(a.Type)
}

func validators(p profiles.Passwords) string {
	var all []string
	for _, v := range p.Validators {
		switch v {
		case profiles.ValidateSimilarity:
			all = append(all, "unlike the username, the names and the address")
		case profiles.ValidateMinLength:
			all = append(all, fmt.Sprintf("at least %d characters", p.MinLength))
		case profiles.ValidateCommon:
			all = append(all, "on no list of common passwords")
		case profiles.ValidateNumeric:
			all = append(all, "not digits alone")
		}
	}
	return strings.Join(all, "; ")
}

// cors says in words what pages of other sites may do.
func cors(c *profiles.CORS) []Fact {
	origins := strings.Join(append(slices.Clone(c.Origins), c.OriginPatterns...), ", ")
	if c.AllOrigins {
		origins = "all"
	}
	all := []Fact{{"CORS, origins", origins}, {"CORS, methods", strings.Join(c.Methods, ", ")}, {"CORS, headers", strings.Join(c.Headers, ", ")}}
	if len(c.ExposeHeaders) > 0 {
		all = append(all, Fact{"CORS, readable headers", strings.Join(c.ExposeHeaders, ", ")})
	}
	if c.Credentials {
		all = append(all, Fact{"CORS, cookies", "may be sent"})
	}
	if c.MaxAge > 0 {
		all = append(all, Fact{"CORS, preflights", fmt.Sprintf("are kept for %d seconds", c.MaxAge)})
	}
	return append(all, Fact{"CORS, paths", c.Paths}, Fact{"CORS, as", "django-cors-headers " + string(c.Release)})
}

// statusText is a status with its name: 401 Unauthorized.
func statusText(status int) string { return fmt.Sprintf("%d %s", status, http.StatusText(status)) }
