package profiles

import (
	"net/http"
	"slices"
)

// Action is what an endpoint does.
type Action string

// The actions. Those of family drf alone are djoser's, and dj-rest-auth's as far as it has them.
const (
	Register  Action = "register"
	Login     Action = "login"
	Logout    Action = "logout"
	LogoutAll Action = "logoutall"
	// Account shows the user whom the path names: without a variable the caller, with {id} or
	// {username} those whom the caller may see (Endpoint.Others).
	Account Action = "account"

	// Update changes the address and attributes of the user whom the path names.
	Update Action = "update"
	// Delete removes that user, and all tokens; in the families other than drf the caller alone.
	Delete Action = "delete"
	// List shows all users that the caller may see.
	List Action = "list"

	SetPassword Action = "set_password"
	SetUsername Action = "set_username"

	// By mail. The first of each pair sends a link, or does not and answers the same; the
	// second does what was asked to whoever has the link.
	ResetPassword        Action = "reset_password"
	ResetPasswordConfirm Action = "reset_password_confirm"
	ResetUsername        Action = "reset_username"
	ResetUsernameConfirm Action = "reset_username_confirm"
	ResendActivation     Action = "resend_activation"
	Activate             Action = "activate"
	ResendVerification   Action = "resend_verification"
	VerifyEmail          Action = "verify_email"
)

// actionRule is what the profile language knows of an action.
type actionRule struct {
	action Action
	// methods are those that an endpoint can have, and it has the first unless the profile says
	// otherwise, or all with allMethods.
	methods    []string
	allMethods bool
	access     Access
	// takes are the roles that its fields can have in family drf; none: it reads no fields. In
	// the other families they are those of takesIn.
	takes []Role
	// needs are lists of roles: of each list, one role at least has to be there.
	needs [][]Role
	// optional are those of them that family drf can do without: a user who registers without a
	// password has none, and logs in with none.
	optional []Role
	// named says that the path can name a user.
	named bool
	// drf says that only family drf has the action.
	drf bool
}

// actionRules gives all actions, in the order in which they are listed.
func actionRules() []actionRule {
	var (
		post     = []string{http.MethodPost}
		username = []Role{RoleUsername}
		email    = []Role{RoleEmail}
		password = []Role{RolePassword}
		token    = []Role{RoleToken}
		uid      = []Role{RoleUID}
	)
	return []actionRule{
		{
			action: Register, methods: post, access: AccessOpen,
			takes: []Role{RoleUsername, RolePassword, RoleEmail, RolePasswordAgain, RoleID, RoleAttribute}, needs: [][]Role{username, password}, optional: password,
		},
		{
			action: Login, methods: post, access: AccessOpen,
			takes: []Role{RoleUsername, RolePassword, RoleEmail, RoleUsernameOrEmail, RoleKey}, needs: [][]Role{{RoleUsername, RoleEmail, RoleUsernameOrEmail}, password},
		},
		{action: Logout, methods: []string{http.MethodPost, http.MethodGet}, access: AccessToken}, // GET: ACCOUNT_LOGOUT_ON_GET of django-allauth
		{action: LogoutAll, methods: post, access: AccessToken},
		// The methods but GET are for a view that says who asks, whatever it is sent.
		{action: Account, methods: []string{http.MethodGet, http.MethodPost, http.MethodPut}, access: AccessToken, named: true},
		{
			action: Update, methods: []string{http.MethodPut, http.MethodPatch}, allMethods: true, access: AccessToken,
			takes: []Role{RoleID, RoleUsername, RoleEmail, RoleAttribute}, named: true, drf: true,
		},
		{
			action: Delete, methods: []string{http.MethodDelete}, access: AccessToken,
			takes: []Role{RoleCurrentPassword}, named: true,
		},
		{action: List, methods: []string{http.MethodGet}, access: AccessToken, drf: true},
		{
			action: SetPassword, methods: post, access: AccessToken,
			takes: []Role{RolePassword, RolePasswordAgain, RoleCurrentPassword}, needs: [][]Role{password},
		},
		{
			action: SetUsername, methods: post, access: AccessToken,
			takes: []Role{RoleUsername, RoleUsernameAgain, RoleCurrentPassword}, needs: [][]Role{username}, drf: true,
		},
		{action: ResetPassword, methods: post, access: AccessOpen, takes: email, needs: [][]Role{email}, drf: true},
		{
			action: ResetPasswordConfirm, methods: post, access: AccessOpen,
			takes: []Role{RoleUID, RoleToken, RolePassword, RolePasswordAgain}, needs: [][]Role{uid, token, password}, drf: true,
		},
		{action: ResetUsername, methods: post, access: AccessOpen, takes: email, needs: [][]Role{email}, drf: true},
		{
			action: ResetUsernameConfirm, methods: post, access: AccessOpen,
			takes: []Role{RoleUID, RoleToken, RoleUsername, RoleUsernameAgain}, needs: [][]Role{uid, token, username}, drf: true,
		},
		{action: ResendActivation, methods: post, access: AccessOpen, takes: email, needs: [][]Role{email}, drf: true},
		{action: Activate, methods: post, access: AccessOpen, takes: []Role{RoleUID, RoleToken}, needs: [][]Role{uid, token}, drf: true},
		{action: ResendVerification, methods: post, access: AccessOpen, takes: email, needs: [][]Role{email}, drf: true},
		// A key of django-allauth says whose address it is (allauth/account/models.py 0.57).
		{action: VerifyEmail, methods: post, access: AccessOpen, takes: token, needs: [][]Role{token}, drf: true},
	}
}

// rule gives what the profile language knows of the action. Of one that is unclear, which has
// been reported, that is an action that can be anything.
func (a Action) rule() actionRule {
	for _, r := range actionRules() {
		if r.action == a {
			return r
		}
	}
	return actionRule{methods: Methods(), access: AccessToken, named: true}
}

// takesIn gives the roles that fields of the action can have in a family.
func (r actionRule) takesIn(f Family) []Role {
	if f.oneOf(DRF) {
		return r.takes
	}
	roles := slices.DeleteFunc(slices.Clone(r.takes), func(role Role) bool {
		return role.oneOf(RoleID, RoleKey, RoleAttribute, RoleUsernameOrEmail) || r.action == Login && role == RoleEmail
	})
	if f == FormJSON && r.action == Register {
		roles = append(roles, RoleAccept)
	}
	return roles
}

// actions gives the actions that a family has.
func (f Family) actions() []Action {
	var known []Action
	for _, r := range actionRules() {
		if !r.drf || f.oneOf(DRF) {
			known = append(known, r.action)
		}
	}
	return known
}
