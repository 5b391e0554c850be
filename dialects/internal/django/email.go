package django

import (
	"net/netip"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/authcompat/authcompat/dialects/pyidna"
)

// alnum is [A-Z0-9] under Python's re.IGNORECASE, which also matches the four
// characters beyond ASCII that fold to i, s and k.
const alnum = `A-Za-z0-9\x{130}\x{131}\x{17F}\x{212A}`

// Emails validates e-mail addresses as Django's EmailValidator does
// (django/core/validators.py). Use NewEmails to make one.
type Emails struct {
	user, domain *regexp.Regexp
	names        *pyidna.Codec
}

// NewEmails makes a validator.
func NewEmails() *Emails {
	atom := "[-!#$%&'*+/=?^_`{}|~" + alnum + "]+"
	return &Emails{
		user: regexp.MustCompile(`^(?:` + atom + `(?:\.` + atom + `)*` +
			`|"(?:[\x01-\x08\x0b\x0c\x0e-\x1f!#-\[\]-\x7f]|\\[\x01-\x09\x0b\x0c\x0e-\x7f])*")$`),
		domain: regexp.MustCompile(`^(?:[` + alnum + `](?:[` + alnum + `-]{0,61}[` + alnum + `])?\.)+[` + alnum + `-]{1,62}[` + alnum + `]$`),
		names:  pyidna.New(),
	}
}

// maxEmail is the length of the longest valid address (EmailValidator since 3.2.20).
const maxEmail = 320

// Valid tells whether Django accepts the address.
func (e *Emails) Valid(address string) bool {
	at := strings.LastIndexByte(address, '@')
	if at < 0 || utf8.RuneCountInString(address) > maxEmail || !e.user.MatchString(address[:at]) {
		return false
	}
	domain := address[at+1:]
	if domain == "localhost" || e.validDomain(domain) {
		return true
	}
	ascii, err := e.names.ToASCII(domain)
	return err == nil && e.validDomain(ascii)
}

// validDomain accepts a domain name, or an IP address in brackets.
func (e *Emails) validDomain(domain string) bool {
	if e.domain.MatchString(domain) {
		return true
	}
	literal, bracketed := strings.CutPrefix(domain, "[")
	literal, closed := strings.CutSuffix(literal, "]")
	if !bracketed || !closed || strings.ContainsRune(literal, '%') {
		return false
	}
	_, err := netip.ParseAddr(literal)
	return err == nil
}
