package differential

import (
	"strings"
	"unicode/utf8"
)

// value returns a value for a field, mostly a valid one.
func (g *Generator) value(r Role, a account) string {
	text := g.plainValue(r, a)
	if g.chance(8) {
		at := g.rand.IntN(len(text) + 1)
		for at < len(text) && !utf8.RuneStart(text[at]) {
			at++
		}
		text = text[:at] + string(g.rune()) + text[at:]
	}
	return text
}

// rune returns a character of a Unicode block for which validators, normalisation, IDNA or white space
// have special rules.
func (g *Generator) rune() rune {
	blocks := [][2]rune{{0, 0x7f}, {0x80, 0xff}, {0x100, 0x24f}, {0x250, 0x36f}, {0x370, 0x52f}, {0x531, 0x5ff}, {0x600, 0x6ff}, {0x900, 0xdff}, {0xe00, 0x10ff},
		{0x1e00, 0x1fff}, {0x2000, 0x206f}, {0x2070, 0x218f}, {0x2190, 0x2bff}, {0x2c00, 0x2dff}, {0x3000, 0x33ff}, {0x4e00, 0x4eff}, {0xa640, 0xa7ff}, {0xac00, 0xacff},
		{0xe000, 0xe0ff}, {0xf900, 0xfb4f}, {0xfb50, 0xfdff}, {0xfe00, 0xfeff}, {0xff00, 0xffff}, {0x10000, 0x107ff}, {0x1d400, 0x1d7ff}, {0x1f000, 0x1faff}, {0x20000, 0x200ff}, {0xe0000, 0xe01ff}}
	block := pick(g, blocks)
	return block[0] + rune(g.rand.IntN(int(block[1]-block[0]+1)))
}

func (g *Generator) plainValue(r Role, a account) string {
	odd := g.chance(15)
	switch r {
	case Username:
		if odd {
			return pick(g, g.odd.usernames)
		}
		return a.username
	case Password, PasswordAgain:
		if odd {
			return pick(g, g.odd.passwords)
		}
		return a.password
	case NewUsername:
		if g.chance(35) {
			text := pick(g, g.odd.usernames)
			if g.api.Churn && strings.Count(text, "\ufb01") > 2 {
				return a.username // at one server alone it would be too long, and all later users would have other ids there
			}
			return text
		}
		return a.username
	case NewEmail:
		if g.chance(50) {
			return pick(g, g.odd.emails)
		}
		return a.username + "@example.com"
	case NewPassword:
		if g.chance(25) {
			return pick(g, g.odd.passwords)
		}
		return a.password
	}
	switch r {
	case KnownEmail:
		if odd {
			return pick(g, g.odd.emails)
		}
		if p := g.crowd.person; p != nil {
			return p.email
		}
		return a.username + "@example.com"
	case OtherName:
		if odd {
			return pick(g, g.odd.usernames)
		}
		if g.chance(20) {
			return pick(g, g.accounts).username
		}
		return g.name()
	case UID:
		return pick(g, []string{"MQ", "MQ==", "MQ=", "Mg", "Mw", "MA", "LTE", "KzE", "IDE", "MTA", "x", "", "!", "M", "MQo", "MjAw", "OTk5OTk5OTk5OTk5OTk5OTk5OTk", "MQ\u00e9", " MQ", "2aE", "MV8w", "_-8", "/+8"})
	case LinkToken:
		return pick(g, []string{"", "x", "-", "a-b", "set-password", "bk8r7f-" + strings.Repeat("0", 32), "bk8r7f-" + strings.Repeat("0", 20), "5z4-" + strings.Repeat("0", 20), "zzzzzzzzzzzzzz-0", "-1-" + strings.Repeat("0", 32), "bk8r7f", "BK8R7F-" + strings.Repeat("A", 32)})
	}
	return pick(g, []string{"true", "on", "1", "True", "false", "False", "FALSE", "fAlse", "0", "", " ", "no", "null"})
}

// linked is the value of a field that has a part of a link, and text of others.
func linked(r Role, link int, text string) string {
	switch r {
	case UID:
		return uidOf(link)
	case LinkToken:
		return tokenOf(link)
	}
	return text
}

// login returns an account to log in with, mostly one that exists.
func (g *Generator) login() account {
	if g.chance(50) {
		return g.accounts[0]
	}
	a := pick(g, g.accounts)
	if g.chance(10) {
		a.password += "x"
	}
	return a
}

// fresh returns an account to register.
func (g *Generator) fresh() account {
	if g.chance(10) {
		return pick(g, g.accounts)
	}
	a := account{g.name(), "secret password"}
	g.accounts = append(g.accounts, a)
	return a
}

// spaces are the characters that Python's str.strip removes, and some that look like them.
func spaces() []string {
	return []string{" ", "\t", "\n", "\r\n", "\v", "\f", "\x1c", "\x1d", "\x1e", "\x1f", "\u0085", "\u00a0", "\u1680",
		"\u2003", "\u2028", "\u2029", "\u202f", "\u205f", "\u3000", "\u180e", "\u200b", "\u2060", "\ufeff"}
}

// oddUsernames are at the limits of length, character set and normalisation.
func oddUsernames() []string {
	all := []string{"", " ", "john", "John", "JOHN", "ghost", "nobody", " john ", "john\n", "\u00a0john\u2003", "jo hn", "john!", "jo/hn", "jo\\hn",
		"jo\"hn", "<john>", "a&b", "@", ".", "_", "-", "+", "a@b.c+d-e_f", "J-R.R", "123", "-0", "j\u00fcrgen", "ju\u0308rgen", "\u00c5ngstr\u00f6m",
		"\u212bngstr\u00f6m", "ab\ufb01", "abfi", "\uff4a\uff4f\uff48\uff4e", "\u00b2", "\u2167", "\u0663\u0664", "\u30e6\u30fc\u30b6\u30fc", "\u5f20\u4f1f",
		"\u0438\u0432\u0430\u043d", "\u0130stanbul", "i\u0307", "\u017fam", "\u1e9e", "\u0e2a\u0e27\u0e31\u0e2a\u0e14\u0e35", "\u0928\u092e\u0938\u094d\u0924\u0947",
		"\U0001f600", "a\U0001d4d0", "\u200d", "a\u0301", "a\u20dd", "\u24d0", "\u3392", "\u00aa", "\u2460", "\u06dd", "\u203f", "\u2040", "a\u00b7b", "\u02b0",
		"a\x00b", "\x00", "a\x01b", "a\x7fb", "\ufffd", "\u2028", "a\u200bb",
		strings.Repeat("u", 149), strings.Repeat("v", 150), strings.Repeat("w", 151), strings.Repeat("\u00e9", 150), strings.Repeat("\u00e9", 151),
		strings.Repeat("\U0001d4d0", 150), strings.Repeat("\ufb01", 80), strings.Repeat("\ufb01", 150), "a" + strings.Repeat("\ufb01", 76), " " + strings.Repeat("x", 150) + " ", strings.Repeat("!", 151), strings.Repeat("y", 300)}
	for _, s := range spaces() {
		all = append(all, s, s+"john"+s, "jo"+s+"hn")
	}
	return all
}

func oddPasswords() []string {
	all := []string{"", " ", "   ", "password", "Password", " password", "password ", "pass\x00word", "\x00", "p\u00e4ssword", "pa\u0308ssword", "\u043f\u0430\u0440\u043e\u043b\u044c",
		"\U0001f511", "123456", "0", "hunter2", "a\nb", "\"", "\\", "<&>", "\u2028", "\u00a0\u00a0", "\ufeff", "x", "u1", "true", "null",
		strings.Repeat("p", 127), strings.Repeat("p", 128), strings.Repeat("p", 129), strings.Repeat("\u00e9", 128), strings.Repeat("\u00e9", 129),
		" " + strings.Repeat("p", 128) + " ", strings.Repeat("p", 4096), strings.Repeat("p", 4097)}
	for _, s := range spaces() {
		all = append(all, s, s+"password"+s)
	}
	return all
}

// emails are valid and invalid addresses.
func emails() []string {
	long := strings.Repeat("a", 64)
	label := strings.Repeat("b", 63)
	all := []string{"", " ", "nope", "@", "a@", "@b.c", "a@b", "a@localhost", "A@LocalHost", "a@LOCALHOST", "a@b.c", "a@b.co", "Foo@EXAMPLE.Com", "x@Y@Z.COM",
		"\"x@y\"@z.com", "\"a b\"@example.com", "\"a\\\"b\"@example.com", "\"a\\ b\"@example.com", "\"\"@example.com", "a b@example.com", "a..b@example.com", ".a@example.com", "a.@example.com", "a@example..com",
		"a@.example.com", "a@example.com.", "a@-example.com", "a@example-.com", "a@exa_mple.com", "a@example.c", "a@example.123", "a@example.c-m", "a@example.com-", "a@1.1.1.1", "a@[127.0.0.1]", "a@[127.0.0.256]",
		"a@[127.0.0]", "a@[01.2.3.4]", "a@[::1]", "a@[::ffff:1.2.3.4]", "a@[::1%eth0]", "a@[IPv6:::1]", "a@[fe80::1%25a]", "a@[1::2::3]", "a@[127.0.0.1", "a@127.0.0.1]", "a@[]", "!#$%&'*+/=?^_`{|}~-@example.com",
		"a+tag@example.com", "\u00fc@example.com", "a@b\u00fccher.de", "a@B\u00dcCHER.DE", "a@stra\u00dfe.de", "a@\u03c2.gr", "a@\u4f8b\u3048.\u30c6\u30b9\u30c8", "a@xn--bcher-kva.de", "a@xn--a", "a@xn--.com", "a@example.\u0440\u0444",
		"a@\u0130stanbul.com", "a@\u0130zmir.com", "a@B\u0130.com", "a@b\u0301.com", "a@\u200db.com", "a@b\u00ad.com", "a@\ufb01.com", "a@\u212a.com", "\u212a@example.com", "\u017f@example.com", "a@\U0001f600.com", "a@\uff41.com", "a@b\u3002com", "a@b\uff0ecom", "a@b.c\u3002d", "a@\u0661.com",
		"a\x00@example.com", "a@exam\x00ple.com", "a@example.com\n", " a@example.com ", "a\n@example.com", "a@example.com,b@example.com", "<a@example.com>", "mailto:a@example.com", "a@@example.com",
		"a(c)@example.com", "a,b@example.com", "a;b@example.com", "a:b@example.com", "a@exam ple.com", "a@[127.0.0.1]x", "\"\x01\x7f\"@example.com", "\"\t\"@example.com", "\"\\\t\"@example.com", "a@b.\u00fc", "a@b.xn--p1ai", "a@b.co.u-k",
		long + "@example.com", strings.Repeat("a", 65) + "@example.com", "a@" + label + ".com", "a@" + label + "b.com", "a@b." + label, "a@b." + label + "c",
		strings.Repeat("a", 242) + "@example.com", strings.Repeat("a", 243) + "@example.com", strings.Repeat("a", 308) + "@example.com", strings.Repeat("a", 309) + "@example.com", strings.Repeat("a", 400) + "@example.com",
		"a@" + strings.Repeat(label+".", 4) + "com", "a@" + strings.Repeat("\u00fc", 60) + ".de", "a@" + strings.Repeat("\u00fc", 20) + ".de", "a@" + strings.Repeat("b.", 100) + "com"}
	for _, s := range spaces() {
		all = append(all, s+"a@example.com"+s, "a@ex"+s+"ample.com")
	}
	return all
}
