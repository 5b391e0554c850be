package profiles

import (
	"slices"

	"github.com/authcompat/authcompat/profiles/internal/yamlnode"
	"github.com/authcompat/authcompat/profiles/internal/yamlvalue"
)

// Case says which texts are one name.
type Case string

// The values of Case.
const (
	CaseExact Case = "exact"
	// CaseInsensitive takes the letters A to Z for a to z, at login and where a user gets a name.
	CaseInsensitive Case = "insensitive"
)

// Usernames says what usernames are, and how they are compared.
type Usernames struct {
	Case Case // "exact" unless the profile says otherwise
	// Email says that a user's name is the address, as in user models with USERNAME_FIELD = "email" and no
	// other name (django/contrib/auth/base_user.py, AbstractBaseUser). Both change together.
	Email bool
}

// Emails says how the addresses of users are compared, also those that a mail is asked for with.
type Emails struct {
	Case Case // "exact" unless the profile says otherwise
	// Unique refuses the address that another user has, whatever its case.
	Unique bool
	// Verification says what becomes of whether users have shown that mails to their address reach them: "none"
	// unless the profile says otherwise (family drf). Without "none", whoever registers gets a mail with a key, and
	// nobody registers with an address that another user has verified.
	Verification Verification
}

// Verification is ACCOUNT_EMAIL_VERIFICATION of django-allauth.
type Verification string

// The values of Verification.
const (
	VerificationNone      Verification = "none"      // nothing
	VerificationOptional  Verification = "optional"  // who has not may log in
	VerificationMandatory Verification = "mandatory" // who has not may not log in, and gets no token at registration
)

// asked tells whether users are asked to verify their address.
func (v Verification) asked() bool { return v == VerificationOptional || v == VerificationMandatory }

func (f Family) usernames(v yamlvalue.Value) (Usernames, bool) {
	m := v.Mapping()
	u := Usernames{Case: CaseExact}
	yamlvalue.Optional(m, "case", &u.Case, yamlvalue.Word(CaseExact, CaseInsensitive))
	ofFamily(m, f, DRF, "the others have Django's own users", "email", &u.Email, yamlvalue.Boolean)
	m.Done()
	return u, true
}

func (f Family) emails(v yamlvalue.Value) (Emails, bool) {
	m := v.Mapping()
	e := Emails{Case: CaseExact, Verification: VerificationNone}
	yamlvalue.Optional(m, "case", &e.Case, yamlvalue.Word(CaseExact, CaseInsensitive))
	ofFamily(m, f, DRF, "the others have no answer for an address that is taken", "unique", &e.Unique, yamlvalue.Boolean)
	ofFamily(m, f, DRF, "", "verification", &e.Verification, verification)
	m.Done()
	return e, true
}

// verification reads a word, of which "" is left where it is none, which has been reported.
func verification(v yamlvalue.Value) (Verification, bool) {
	read, _ := yamlvalue.Word(VerificationNone, VerificationOptional, VerificationMandatory)(v)
	return read, true
}

// readNames reads how names and addresses are compared.
func (p *Profile) readNames(m *yamlvalue.Map) {
	p.Usernames.Case, p.Emails = CaseExact, Emails{Case: CaseExact, Verification: VerificationNone}
	yamlvalue.Optional(m, "usernames", &p.Usernames, p.Family.usernames)
	yamlvalue.Optional(m, "emails", &p.Emails, p.Family.emails)
	if v, ok := m.Get("emails"); ok && p.Usernames.Email && p.Emails.Unique {
		v.RefuseKey("unique", "the address is the username here (usernames.email), which nobody else has")
	}
}

// showNames shows what is not as it is by default.
func (p *Profile) showNames(head yamlnode.Map) {
	if p.Usernames.Case != CaseExact || p.Usernames.Email {
		s := yamlnode.NewMap()
		s.Text("case", string(p.Usernames.Case))
		if p.Family.oneOf(DRF) {
			s.Flag("email", p.Usernames.Email)
		}
		head.Set("usernames", yamlnode.Fold(s.Node, len("usernames: ")))
	}
	if p.Emails != (Emails{Case: CaseExact, Verification: VerificationNone}) {
		s := yamlnode.NewMap()
		s.Text("case", string(p.Emails.Case))
		if p.Family.oneOf(DRF) {
			s.Flag("unique", p.Emails.Unique)
			s.Text("verification", string(p.Emails.Verification))
		}
		head.Set("emails", yamlnode.Fold(s.Node, len("emails: ")))
	}
}

// LogsInBy gives the roles of the fields by which users name themselves at the profile's logins.
func (p *Profile) LogsInBy() []Role {
	var roles []Role
	for _, e := range p.Endpoints {
		for _, f := range e.Fields {
			if e.Action == Login && !f.Ignored && f.Role.oneOf(RoleUsername, RoleEmail, RoleUsernameOrEmail) {
				roles = append(roles, f.Role)
			}
		}
	}
	return roles
}

// GivesEmails tells whether somebody can get an address by the API, at a registration or later, also as the name where that is
// the address.
func (p *Profile) GivesEmails() bool {
	return slices.ContainsFunc(p.Endpoints, func(e Endpoint) bool {
		gives := func(r Role, by ...Action) bool {
			f, ok := e.Field(r)
			return ok && !f.ReadOnly && e.Action.oneOf(by...)
		}
		return gives(RoleEmail, Register, Update) || p.Usernames.Email && gives(RoleUsername, Register, Update, SetUsername, ResetUsernameConfirm)
	})
}

// SharedEmails gives those of the profiles that serve one user base whose users can be kept from logging in by their address,
// by whoever gets the same one: none where one of the profiles wants addresses to be distinct, nor where nobody logs in
// without having verified the address. Where they may, those who have not can be kept from it.
func SharedEmails(all []*Profile) (shared []*Profile) {
	if !slices.ContainsFunc(all, (*Profile).GivesEmails) || slices.ContainsFunc(all, func(p *Profile) bool { return p.Emails.Unique }) {
		return nil
	}
	for _, p := range all {
		byEmail := slices.ContainsFunc(p.LogsInBy(), func(r Role) bool { return r != RoleUsername })
		if byEmail && p.Emails.Verification != VerificationMandatory {
			shared = append(shared, p)
		}
	}
	return shared
}

// ReusedNames gives those of the profiles that serve one user base whose users can give up their names, by taking another or
// with the account, where somebody else may take such a name next: to whoever knows users by their names, that is the same user.
func ReusedNames(all []*Profile) (freed []*Profile) {
	names := func(by ...Action) func(*Profile) bool {
		return func(p *Profile) bool {
			return slices.ContainsFunc(p.Endpoints, func(e Endpoint) bool {
				f, ok := e.Field(RoleUsername)
				return e.Action.oneOf(by...) && (e.Action == Delete || ok && !f.ReadOnly)
			})
		}
	}
	if !slices.ContainsFunc(all, names(Register, Update, SetUsername, ResetUsernameConfirm)) {
		return nil
	}
	frees := names(Update, SetUsername, ResetUsernameConfirm, Delete)
	return slices.DeleteFunc(slices.Clone(all), func(p *Profile) bool { return !frees(p) })
}

// LetsInUnverified tells whether users who have yet to verify their address are let in by HTTP Basic, as by REST framework's
// BasicAuthentication, where they can't log in.
func (p *Profile) LetsInUnverified() bool {
	basic := func(a Authentication) bool { return a.Kind == AuthenticateBasic }
	return p.Emails.Verification == VerificationMandatory && (slices.ContainsFunc(p.Authentication, basic) ||
		slices.ContainsFunc(p.Endpoints, func(e Endpoint) bool { return e.Action != Login && e.recognises(AuthenticateBasic) }))
}

// MaxUsername gives how many code points a new username has at most, as it is stored, whatever
// its field says: what the column of AbstractUser holds or, where users have no other name than
// their address, that of an address.
func (p *Profile) MaxUsername() int {
	if p.Usernames.Email {
		return maxEmail
	}
	most := maxUsername
	for _, e := range p.Endpoints {
		if f, ok := e.Field(RoleUsername); ok && e.Action != Login {
			most = max(most, f.MaxLength)
		}
	}
	return most
}
