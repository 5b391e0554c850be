package differential

import (
	"encoding/base64"
	"fmt"
	"strings"

	"github.com/authcompat/authcompat/conformance/wire"
)

// basic returns random Authorization headers of HTTP Basic, most of which log in.
func (g *Generator) basic() []wire.Header {
	a := g.login()
	text := a.username + ":" + a.password
	encoding := base64.StdEncoding
	if g.chance(25) {
		text = fmt.Sprintf(pick(g, []string{"%s:%s", "%s%s", ":%s:%s", "%s::%s", "%s :%s", " %s:%s", "%s: %s", "%s:%s ", "%s:%s:", "%s\n:%s", "%s:\x00%s", "%s\x00:%s", "\xff%s:%s", "%s:%s\xff",
			"\u00e9%s:%s", "%s:\u00e9%s", "\ufeff%s:%s", "%s:%s\xc3", "\xed\xa0\x80%s:%s"}), g.value(Username, a), g.value(Password, a))
		if g.chance(10) {
			encoding = pick(g, []*base64.Encoding{base64.RawStdEncoding, base64.URLEncoding, base64.RawURLEncoding})
		}
	}
	value := "Basic " + encoding.EncodeToString([]byte(text))
	if g.chance(25) {
		value = fmt.Sprintf(pick(g, g.odd.basics), encoding.EncodeToString([]byte(text)))
	}
	headers := []wire.Header{{Name: "Authorization", Value: value}}
	if g.chance(2) {
		headers = append(headers, wire.Header{Name: pick(g, []string{"Authorization", "authorization"}), Value: pick(g, []string{value, "Basic am9objpwYXNzd29yZA==", "Token x", ""})})
	}
	return headers
}

// basics are Authorization headers with room for encoded credentials.
func basics() []string {
	var all []string
	for _, s := range []string{"basic %s", "BASIC %s", "bAsIc %s", "Basic  %s", "Basic\t%s", " Basic %s", "Basic %s x", "Basic x %s", "Basic", "Basic ", "Basic: %s", "Basic:%s", "Basic%s", "%s", "", "Token %s", "Bearer %s", "Digest username=\"john\"",
		"Basic %s=", "Basic %s==", "Basic %s====", "Basic =%s", "Basic ==%s", "Basic %s=a", "Basic %sa", "Basic %sab", "Basic %sabc", "Basic %s%[1]s", "Basic *%s", "Basic -%s_", "Basic \"%s\"", "Basic %s,", "Basic %s, Basic %[1]s", "Basic \xff%s", "Basic %s\xff", "Basic \u00e9",
		"Basic\u00a0%s", "Basic %s\xa0", "Ba\u017fic %s", "Basic a", "Basic ab", "Basic abc", "Basic abcd", "Basic =", "Basic ====", "Basic *", "Basic Og==", "Basic Ojo=", "Basic am9obg==", "Basic am9objo=", "Basic OnBhc3N3b3Jk", "Basic " + strings.Repeat("YTph", 1200), "Basic null"} {
		if !strings.Contains(s, "%") {
			s += "%.0s"
		}
		all = append(all, s)
	}
	return all
}
