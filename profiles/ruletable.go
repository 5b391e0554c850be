package profiles

import (
	"mime"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/net/http/httpguts"
	"gopkg.in/yaml.v3"

	"github.com/authcompat/authcompat/profiles/internal/yamlnode"
	"github.com/authcompat/authcompat/profiles/internal/yamlvalue"
)

// rule is one of the Rules: its key, the families that have it, how it is read and
// shown.
type rule struct {
	key      string
	families []Family
	read     func(yamlvalue.Value, *Rules)
	show     func(*Rules) *yaml.Node
}

// ruleTable gives all rules, in the order in which they are shown.
func ruleTable() []rule {
	drf := []Family{DRF}
	views := []Family{DRF, FormJSON} // those with REST framework views
	all := []Family{DRF, FormJSON, PlainJSON}
	return []rule{
		choice("blank", drf, func(r *Rules) *Blank { return &r.Blank }, BlankRefused, BlankRefusedUnstripped, BlankMissing),
		{
			key: "trim", families: drf,
			read: func(v yamlvalue.Value, r *Rules) { yamlvalue.Keep(v, &r.Trim, yamlvalue.Boolean) },
			show: func(r *Rules) *yaml.Node { return yamlnode.Plain("!!bool", strconv.FormatBool(r.Trim)) },
		},
		choice("coercion", drf, func(r *Rules) *Coercion { return &r.Coercion }, CoerceScalars, CoerceAll),
		readWith("nul", drf, func(r *Rules) *Acceptance { return &r.NUL }, acceptance),
		readWith("surrogates", drf, func(r *Rules) *Acceptance { return &r.Surrogates }, acceptance),
		readWith("constants", drf, func(r *Rules) *Acceptance { return &r.Constants }, acceptance),
		choice("null_body", drf, func(r *Rules) *NullBody { return &r.NullBody }, NullBodyObject, NullBodyList),
		choice("json", all, func(r *Rules) *JSONStyle { return &r.JSON }, JSONCompact, JSONSpaced),
		choice("json_errors", drf, func(r *Rules) *JSONErrors { return &r.JSONErrors }, JSONErrorsPython3, JSONErrorsPython2),
		choice("content_type", views, func(r *Rules) *ContentType { return &r.ContentType }, ContentTypeExact, ContentTypeAccept),
		choice("negotiation", views, func(r *Rules) *Negotiation { return &r.Negotiation }, NegotiationFirst, NegotiationLast),
		readWith("inactive_login", drf, func(r *Rules) *Disclosure { return &r.InactiveLogin }, disclosure),
		choice("token_characters", views, func(r *Rules) *TokenCharacters { return &r.TokenCharacters },
			TokenCharactersRefused, TokenCharactersUnknown),
		choice("basic_charset", views, func(r *Rules) *BasicCharset { return &r.BasicCharset }, BasicUTF8, BasicLatin1),
		choice("basic_colon", views, func(r *Rules) *BasicColon { return &r.BasicColon }, BasicColonOptional, BasicColonRequired),
		choice("normalize_username", all, func(r *Rules) *NormalizeUsername { return &r.NormalizeUsername },
			NormalizeUsernameNFKC, NormalizeUsernameNone),
		choice("normalize_email", all, func(r *Rules) *NormalizeEmail { return &r.NormalizeEmail },
			NormalizeEmailDomain, NormalizeEmailNone),
		choice("page", views, func(r *Rules) *Page { return &r.Page }, PageHTML5, PageHTML4),
		{
			key: "page_content_type", families: views,
			read: func(v yamlvalue.Value, r *Rules) { yamlvalue.Keep(v, &r.PageContentType, mediaType) },
			show: func(r *Rules) *yaml.Node { return yamlnode.Quoted(r.PageContentType) },
		},
	}
}

// choice makes a rule that takes one of a closed set of words.
func choice[T ~string](key string, families []Family, field func(*Rules) *T, words ...T) rule {
	return readWith(key, families, field, yamlvalue.Word(words...))
}

// readWith makes a rule whose words are read by a function of their own.
func readWith[T ~string](key string, families []Family, field func(*Rules) *T, read func(yamlvalue.Value) (T, bool)) rule {
	return rule{
		key: key, families: families,
		read: func(v yamlvalue.Value, r *Rules) { yamlvalue.Keep(v, field(r), read) },
		show: func(r *Rules) *yaml.Node { return yamlnode.Quoted(string(*field(r))) },
	}
}

// mediaType reads the value of a Content-Type header.
func mediaType(v yamlvalue.Value) (string, bool) {
	s, ok := yamlvalue.Text(v)
	if !ok {
		return "", false
	}
	kind, _, err := mime.ParseMediaType(s)
	if err != nil || !strings.Contains(kind, "/") || !httpguts.ValidHeaderFieldValue(s) {
		v.Want("a media type such as text/html; charset=utf-8")
		return "", false
	}
	return s, true
}

// rulesOf gives the rules of a family.
func rulesOf(f Family) []rule {
	return slices.DeleteFunc(ruleTable(), func(r rule) bool { return !f.oneOf(r.families...) })
}

// readRules reads rules over those in into. With all, none of the family's may be
// missing.
func readRules(v yamlvalue.Value, f Family, into *Rules, all bool) {
	m := v.Mapping()
	get := m.Get
	if all {
		get = m.Need
	}
	for _, r := range ruleTable() {
		if !f.oneOf(r.families...) {
			m.Forbid(r.key, "is a rule of family %s, not %s", yamlvalue.Either(r.families), f)
		} else if v, ok := get(r.key); ok {
			r.read(v, into)
		}
	}
	m.Done()
}
