package fields

// What names of secrets have in them, end in, or are, in fields, forms, queries, cookies and headers.
const (
	passwordInside = `pass|pwd|kennwort`
	passwordWhole  = `pw[0-9]?|pin`

	// Names of what somebody has written begin with auth, too.
	tokenInside = `token|secret|session|jwt|api[-_]?key|auth(?:[a-np-z0-9_.\-]|o[a-qs-z]|ori[sz])|credential|csrf|xsrf|otp`
	tokenEnd    = `auth|(?:access|refresh|activation|confirmation|verification|recovery|reset|backup)[-_]?(?:key|code)s?`
	tokenWhole  = `key|hash|access|refresh|code|sid|signature`
)

// SecretPattern is a regular expression of the names for which [IsSecret] holds, as they are within a text.
const (
	SecretPattern = character + `*(?i:` + passwordInside + `|` + tokenInside + `)` + character + `*|` + character + `*(?i:` + tokenEnd + `)|(?i:` + passwordWhole + `|` + tokenWhole + `)`

	character = `[\w.\-\[\]%]` // also of names like user[password]
)

var (
	passwordName = pattern(`(?i)` + passwordInside + `|^(?:` + passwordWhole + `)$`)
	tokenName    = pattern(`(?i)` + tokenInside + `|(?:` + tokenEnd + `)$|^(?:` + tokenWhole + `)$`)
)

// IsSecret reports whether a header, a parameter, a field or a cookie of this name holds a secret.
func IsSecret(name string) bool { return IsPassword(name) || IsToken(name) }

// IsPassword reports whether one of this name holds a password.
func IsPassword(name string) bool { return passwordName().MatchString(name) }

// IsToken reports whether one of this name holds a token.
func IsToken(name string) bool { return tokenName().MatchString(name) }

// IsSecretHeader reports whether a header of this name holds a secret that stands alone, unlike [IsCredentials] and
// [IsCookie].
func IsSecretHeader(name string) bool {
	return !aboutSecrets().MatchString(name) && (IsSecret(name) || ownKey().MatchString(name))
}
