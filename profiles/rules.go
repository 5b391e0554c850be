package profiles

import "github.com/authcompat/authcompat/profiles/internal/yamlvalue"

// Rules are the behaviours in which versions of the original software differ. A stack
// sets them; each has a closed set of values. Those that do not apply to the family
// are empty.
type Rules struct {
	Blank             Blank             `yaml:"blank"`
	Trim              bool              `yaml:"trim"`
	Coercion          Coercion          `yaml:"coercion"`
	NUL               Acceptance        `yaml:"nul"`
	Surrogates        Acceptance        `yaml:"surrogates"`
	Constants         Acceptance        `yaml:"constants"`
	NullBody          NullBody          `yaml:"null_body"`
	JSON              JSONStyle         `yaml:"json"`
	JSONErrors        JSONErrors        `yaml:"json_errors"`
	ContentType       ContentType       `yaml:"content_type"`
	Negotiation       Negotiation       `yaml:"negotiation"`
	InactiveLogin     Disclosure        `yaml:"inactive_login"`
	TokenCharacters   TokenCharacters   `yaml:"token_characters"`
	BasicCharset      BasicCharset      `yaml:"basic_charset"`
	BasicColon        BasicColon        `yaml:"basic_colon"`
	NormalizeUsername NormalizeUsername `yaml:"normalize_username"`
	NormalizeEmail    NormalizeEmail    `yaml:"normalize_email"`
	Page              Page              `yaml:"page"`
	PageContentType   string            `yaml:"page_content_type"`
}

// Blank says how an empty text in a required field is treated.
type Blank string

// The values of Blank.
const (
	BlankRefused           Blank = "refused"            // refused, after white space is removed
	BlankRefusedUnstripped Blank = "refused-unstripped" // refused as sent; white space alone becomes an empty text
	BlankMissing           Blank = "missing"            // as if the field were absent
)

// Coercion says which values are converted to strings.
type Coercion string

// The values of Coercion.
const (
	CoerceScalars Coercion = "scalars" // numbers
	CoerceAll     Coercion = "all"     // anything but null
)

// Acceptance says whether unusual input is accepted.
type Acceptance string

// The values of Acceptance.
const (
	Reject Acceptance = "reject"
	Accept Acceptance = "accept"
)

// acceptance reads an Acceptance.
func acceptance(v yamlvalue.Value) (Acceptance, bool) {
	if v.Renamed("refused", string(Reject)) || v.Renamed("accepted", string(Accept)) {
		return "", false
	}
	return yamlvalue.Word(Reject, Accept)(v)
}

// NullBody is the shape of the errors for a body that is null.
type NullBody string

// The values of NullBody.
const (
	NullBodyObject NullBody = "object"
	NullBodyList   NullBody = "list"
)

// JSONStyle is how JSON is written.
type JSONStyle string

// The values of JSONStyle.
const (
	JSONCompact JSONStyle = "compact" // no spaces, UTF-8
	JSONSpaced  JSONStyle = "spaced"  // ", " and ": ", ASCII
)

// JSONErrors says which Python's texts JSON parse errors have.
type JSONErrors string

// The values of JSONErrors.
const (
	JSONErrorsPython3 JSONErrors = "python3"
	JSONErrorsPython2 JSONErrors = "python2"
)

// ContentType says whether a reply's Content-Type echoes what Accept asked for.
type ContentType string

// The values of ContentType.
const (
	ContentTypeExact  ContentType = "exact"
	ContentTypeAccept ContentType = "accept"
)

// Negotiation says whether 406 is decided before 401 or after.
type Negotiation string

// The values of Negotiation.
const (
	NegotiationFirst Negotiation = "first"
	NegotiationLast  Negotiation = "last"
)

// Disclosure says whether the reply to a failed login gives the reason away: that the
// user is inactive, or that there were too many wrong passwords before.
type Disclosure string

// The values of Disclosure.
const (
	Hidden   Disclosure = "hidden"
	Revealed Disclosure = "revealed"
)

// disclosure reads a Disclosure.
func disclosure(v yamlvalue.Value) (Disclosure, bool) {
	if v.Renamed("told", string(Revealed)) {
		return "", false
	}
	return yamlvalue.Word(Hidden, Revealed)(v)
}

// TokenCharacters says how a token that is not UTF-8 is treated.
type TokenCharacters string

// The values of TokenCharacters.
const (
	TokenCharactersRefused TokenCharacters = "refused" // refused with its own message
	TokenCharactersUnknown TokenCharacters = "unknown" // as a token that does not exist
)

// BasicCharset says how the bytes of a name and a password in HTTP Basic are read.
type BasicCharset string

// The values of BasicCharset.
const (
	BasicUTF8   BasicCharset = "utf-8"   // as Latin-1 if they are not UTF-8 (3.12 and later)
	BasicLatin1 BasicCharset = "latin-1" // always (to 3.11)
)

// BasicColon says what becomes of credentials in HTTP Basic without a colon.
type BasicColon string

// The values of BasicColon.
const (
	BasicColonOptional BasicColon = "optional" // a name with an empty password (to 3.14)
	BasicColonRequired BasicColon = "required" // refused like broken base64 (3.15 and later)
)

// NormalizeUsername says how a username is normalised before it is stored.
type NormalizeUsername string

// The values of NormalizeUsername.
const (
	NormalizeUsernameNFKC NormalizeUsername = "nfkc"
	NormalizeUsernameNone NormalizeUsername = "none"
)

// NormalizeEmail says how an address is normalised before it is stored.
type NormalizeEmail string

// The values of NormalizeEmail.
const (
	NormalizeEmailDomain NormalizeEmail = "domain"
	NormalizeEmailNone   NormalizeEmail = "none"
)

// Page is the markup of HTML error pages.
type Page string

// The values of Page.
const (
	PageHTML4 Page = "html4"
	PageHTML5 Page = "html5"
)

// Messages are the sentences of an API by key. Each family has a fixed set of keys,
// and each key a fixed set of placeholders ({field}, {max}, …) that it may have. A
// loaded profile has all keys of its family. Braces around anything but lower-case
// letters and underscores are text.
type Messages map[string]string
