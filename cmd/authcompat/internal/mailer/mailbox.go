package mailer

import (
	netmail "net/mail"
	"strings"
	"unicode"

	"golang.org/x/net/idna"

	"github.com/authcompat/authcompat/dialects/pyidna"
)

// asciiDomain returns an address with its domain as SMTP servers without SMTPUTF8 take it and as Django writes it
// (django/core/mail/message.py 3.2, sanitize_address), or as it is if it has no such form.
func asciiDomain(names *pyidna.Codec, address string) string {
	at := strings.LastIndexByte(address, '@') + 1
	if strings.IndexFunc(address[at:], func(r rune) bool { return r > unicode.MaxASCII }) < 0 {
		return address
	}
	domain, err := names.ToASCII(address[at:])
	if err != nil {
		return address
	}
	return address[:at] + domain
}

// Mailbox returns a function for one of the spellings of an address ([core.Config].Mailbox): where mails to it go, without a
// name, comments or quotes, and with the letters of an internationalized domain. Django's validator takes addresses in
// quotes, and names with characters that IDNA drops, in any number: all reach the same. What is no address stays as it is.
func Mailbox() func(address string) string {
	names := pyidna.New()
	return func(address string) string {
		parsed, err := netmail.ParseAddress(asciiDomain(names, address))
		if err != nil {
			return address
		}
		at := strings.LastIndexByte(parsed.Address, '@') + 1
		domain, err := idna.Punycode.ToUnicode(strings.ToLower(parsed.Address[at:]))
		if err != nil {
			return parsed.Address
		}
		return parsed.Address[:at] + domain
	}
}
