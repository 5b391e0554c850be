package profiles

// Rules are the decisions in which versions of the original software differ. A
// stack sets them; each takes a closed set of words. A family reads those that
// concern it, the others are empty.
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
	NormalizeUsername NormalizeUsername `yaml:"normalize_username"`
	NormalizeEmail    NormalizeEmail    `yaml:"normalize_email"`
	Page              Page              `yaml:"page"`
	PageContentType   string            `yaml:"page_content_type"`
}

// Blank says what an empty text in a required field is.
type Blank string

// The values of Blank.
const (
	BlankRefused           Blank = "refused"            // refused, after white space is cut off
	BlankRefusedUnstripped Blank = "refused-unstripped" // refused as sent; blanks become an empty text
	BlankMissing           Blank = "missing"            // as if the field were absent
)

// Coercion says what else than a string becomes one.
type Coercion string

// The values of Coercion.
const (
	CoerceScalars Coercion = "scalars" // numbers
	CoerceAll     Coercion = "all"     // anything but null
)

// Acceptance says whether something odd is let through.
type Acceptance string

// The values of Acceptance.
const (
	Reject Acceptance = "reject"
	Accept Acceptance = "accept"
)

// acceptance reads whether something odd is let through.
func acceptance(v value) (Acceptance, bool) {
	if v.renamed("refused", string(Reject)) || v.renamed("accepted", string(Accept)) {
		return "", false
	}
	return word(Reject, Accept)(v)
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

// JSONErrors says whose texts parse errors carry.
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

// Negotiation says whether 406 is decided before 401 and 403 or after.
type Negotiation string

// The values of Negotiation.
const (
	NegotiationFirst Negotiation = "first"
	NegotiationLast  Negotiation = "last"
)

// Disclosure says whether a reply gives away why a login failed: that the user
// is inactive, or that too many guesses came before.
type Disclosure string

// The values of Disclosure.
const (
	Hidden   Disclosure = "hidden"
	Revealed Disclosure = "revealed"
)

// disclosure reads whether a reply gives away why a login failed.
func disclosure(v value) (Disclosure, bool) {
	if v.renamed("told", string(Revealed)) {
		return "", false
	}
	return word(Hidden, Revealed)(v)
}

// TokenCharacters says what a token that is not UTF-8 is.
type TokenCharacters string

// The values of TokenCharacters.
const (
	TokenCharactersRefused TokenCharacters = "refused" // refused with a text of its own
	TokenCharactersUnknown TokenCharacters = "unknown" // a token that nobody has
)

// NormalizeUsername says how a username is brought to one spelling.
type NormalizeUsername string

// The values of NormalizeUsername.
const (
	NormalizeUsernameNFKC NormalizeUsername = "nfkc"
	NormalizeUsernameNone NormalizeUsername = "none"
)

// NormalizeEmail says how an address is brought to one spelling.
type NormalizeEmail string

// The values of NormalizeEmail.
const (
	NormalizeEmailDomain NormalizeEmail = "domain"
	NormalizeEmailNone   NormalizeEmail = "none"
)

// Page is the look of an HTML error page.
type Page string

// The values of Page.
const (
	PageHTML4 Page = "html4"
	PageHTML5 Page = "html5"
)

// Messages are the sentences of an API by their key. Which keys a family has,
// and which placeholders ({field}, {max}, …) each may hold, is fixed; a loaded
// profile has all of its family's. Braces around anything but lower-case letters
// and underscores are text.
type Messages map[string]string
