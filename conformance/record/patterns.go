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
	endingPath      = pattern(`(?i)logout|revoke|delete|destroy|passw|deactivat`)
	integer         = pattern(`^[1-9][0-9]{0,18}$`)
	plainUsername   = pattern(`^[\w.@+-]{1,130}$`)
	registeringPath = pattern(`(?i)regist|sign-?up`)
	unreserved      = pattern(`^[A-Za-z0-9._~-]*$`)
	longHex         = pattern(`^[0-9a-f]{8,}$`)
	ownTitle        = pattern(`^recorded [0-9]+: `)
	bytesReference  = pattern(`\$\{bytes\(([0-9a-f]+)\)\}`)
	jsonEscape      = pattern(`(\\u[0-9a-fA-F]{4})+|\\["\\/bfnrt]`)
)
