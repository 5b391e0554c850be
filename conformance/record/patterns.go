package record

import "regexp"

// The patterns by which values are told apart. They are compiled once: a recording has many values.
var (
	fieldName       = regexp.MustCompile(`^[a-z][a-z_]{2,29}$`)
	inLink          = regexp.MustCompile(`[?&/=]([A-Za-z0-9._~-]{20,})`)
	wideCharset     = regexp.MustCompile(`charset="?(utf[-_]?(16|32)|ucs)`)
	plainKey        = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_-]*$`)
	madeUpName      = regexp.MustCompile(`\b(user|given)[0-9]+\b`)
	madeUpPassword  = regexp.MustCompile(`password: "[^"]*"`)
	dateAndTime     = regexp.MustCompile(`^[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}`)
	hexDigits       = regexp.MustCompile(`^[0-9a-f]{1,128}$`)
	formLike        = regexp.MustCompile(`^[A-Za-z0-9_.-]+=[^{}<>]*$`)
	looseField      = regexp.MustCompile(`([A-Za-z0-9_-]+)["']?\s*[:=>]\s*(?:"((?:[^"\\]|\\.)*)"?|'([^']*)'?|([^"'&<>\s,}\]]+))`)
	endingPath      = regexp.MustCompile(`(?i)logout|revoke|delete|destroy|passw|deactivat`)
	integer         = regexp.MustCompile(`^[1-9][0-9]{0,18}$`)
	plainUsername   = regexp.MustCompile(`^[\w.@+-]{1,130}$`)
	registeringPath = regexp.MustCompile(`(?i)regist|sign-?up`)
	unreserved      = regexp.MustCompile(`^[A-Za-z0-9._~-]*$`)
	longHex         = regexp.MustCompile(`^[0-9a-f]{8,}$`)
	hexOnly         = regexp.MustCompile(`^[0-9a-f]+$`)
	passwordHash    = regexp.MustCompile(`^(\$?[a-z][a-z0-9_]*\$|\$[0-9][a-z]?\$)[^\s$]+\$?[^\s]{16,}$`)
	token68         = regexp.MustCompile(`^[A-Za-z0-9._~+/-]+=*$`)
	schemeAlone     = regexp.MustCompile(`(?i)^(basic|bearer|token|digest|jwt|negotiate)?:?$`)
	ownTitle        = regexp.MustCompile(`^recorded [0-9]+: `)
	bytesReference  = regexp.MustCompile(`\$\{bytes\(([0-9a-f]+)\)\}`)
	jsonEscape      = regexp.MustCompile(`(\\u[0-9a-fA-F]{4})+|\\["\\/bfnrt]`)
)
