package fields

import (
	"regexp"
	"sync"
)

// pattern is a regular expression that is compiled once, when it is needed first: whoever starts a server has no use for it.
func pattern(text string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(text) })
}

// The patterns by which values are found.
var (
	looseName       = pattern(`([A-Za-z0-9_-]+)["'\]]?[ \t]*[:=]`)
	quotedValue     = pattern(`^(?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.|'')*')`)
	looseField      = pattern(`([A-Za-z0-9_-]+)["']?\s*[:=>]\s*(?:"((?:[^"\\]|\\.)*)"?|'([^']*)'?|([^"'&<>\s,}\]]+))`)
	partHead        = pattern(`(?i)\bcontent-disposition[ \t]*:[^\r\n]*\r?\n(?:[^\r\n]+\r?\n)*\r?\n`)
	partEnd         = pattern(`(^|\r?\n)--`)
	partName        = pattern(`(?i);\s*name\s*=\s*(?:"([^"\r\n]*)|([^";\s]+))`)
	addressPassword = pattern(`://[^/?#@\s]*?:([^/?#\s]+)@`)
	schemeAlone     = pattern(`(?i)^(basic|bearer|token|digest|jwt|negotiate)?:?$`)
	formLike        = pattern(`^[A-Za-z0-9_.\[\]-]+=[^\r\n]*$`)
	plainKey        = pattern(`^[A-Za-z][A-Za-z0-9_-]*$`)
	hexOnly         = pattern(`^[0-9a-f]+$`)
	passwordHash    = pattern(`^(\$?[a-z][a-z0-9_]*\$|\$[0-9][a-z]?\$)[^\s$]+\$?[^\s]{16,}$`)
	token68         = pattern(`^[A-Za-z0-9._~+/-]+=*$`)
	// Headers that say what is wanted, or where to go on.
	aboutSecrets = pattern(`(?i)^(?:www-authenticate|proxy-authenticate|access-control-.*|refresh)$`)
	ownKey       = pattern(`(?i)^x-.*key`)
)
