package record

import (
	"regexp"
	"sync"
)

// pattern is a regular expression that is compiled once, when it is needed first: whoever starts a server has no use
// for those of a recording.
func pattern(text string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(text) })
}

// The patterns by which values are told apart.
var (
	fieldName       = pattern(`^[a-z][a-z_]{2,29}$`)
	inLink          = pattern(`[?&/=]([A-Za-z0-9._~-]{20,})`)
	wideCharset     = pattern(`charset="?(utf[-_]?(16|32)|ucs)`)
	plainKey        = pattern(`^[A-Za-z][A-Za-z0-9_-]*$`)
	madeUpName      = pattern(`\b(user|given)[0-9]+\b`)
	madeUpPassword  = pattern(`password: "[^"]*"`)
	dateAndTime     = pattern(`^[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}`)
	hexDigits       = pattern(`^[0-9a-f]{1,128}$`)
	formLike        = pattern(`^[A-Za-z0-9_.\[\]-]+=[^\r\n]*$`)
	looseName       = pattern(`([A-Za-z0-9_-]+)["'\]]?[ \t]*[:=]`)
	quotedValue     = pattern(`^(?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.|'')*')`)
	looseField      = pattern(`([A-Za-z0-9_-]+)["']?\s*[:=>]\s*(?:"((?:[^"\\]|\\.)*)"?|'([^']*)'?|([^"'&<>\s,}\]]+))`)
	partHead        = pattern(`(?i)\bcontent-disposition[ \t]*:[^\r\n]*\r?\n(?:[^\r\n]+\r?\n)*\r?\n`)
	partEnd         = pattern(`(^|\r?\n)--`)
	partName        = pattern(`(?i);\s*name\s*=\s*(?:"([^"\r\n]*)|([^";\s]+))`)
	addressPassword = pattern(`://[^/?#@\s]*?:([^/?#\s]+)@`)
	endingPath      = pattern(`(?i)logout|revoke|delete|destroy|passw|deactivat`)
	integer         = pattern(`^[1-9][0-9]{0,18}$`)
	plainUsername   = pattern(`^[\w.@+-]{1,130}$`)
	registeringPath = pattern(`(?i)regist|sign-?up`)
	unreserved      = pattern(`^[A-Za-z0-9._~-]*$`)
	longHex         = pattern(`^[0-9a-f]{8,}$`)
	hexOnly         = pattern(`^[0-9a-f]+$`)
	passwordHash    = pattern(`^(\$?[a-z][a-z0-9_]*\$|\$[0-9][a-z]?\$)[^\s$]+\$?[^\s]{16,}$`)
	token68         = pattern(`^[A-Za-z0-9._~+/-]+=*$`)
	schemeAlone     = pattern(`(?i)^(basic|bearer|token|digest|jwt|negotiate)?:?$`)
	ownTitle        = pattern(`^recorded [0-9]+: `)
	bytesReference  = pattern(`\$\{bytes\(([0-9a-f]+)\)\}`)
	jsonEscape      = pattern(`(\\u[0-9a-fA-F]{4})+|\\["\\/bfnrt]`)
)
