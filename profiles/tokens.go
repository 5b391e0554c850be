package profiles

import (
	"strings"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/authcompat/authcompat/profiles/internal/ttl"
	"github.com/authcompat/authcompat/profiles/internal/yamlnode"
	"github.com/authcompat/authcompat/profiles/internal/yamlvalue"
)

// tokens reads what tokens the API issues.
func tokens(v yamlvalue.Value) (Tokens, bool) {
	m := v.Mapping()
	t := Tokens{Realm: "default", Match: MatchExact}
	counted := yamlvalue.Required(m, "hex", &t.Hex, yamlvalue.Integer(32, 128))
	limited := yamlvalue.Required(m, "ttl", &t.TTL, ttl.Read)
	yamlvalue.Required(m, "per_user", &t.PerUser, yamlvalue.Word(ManyPerUser, OnePerUser))
	yamlvalue.Optional(m, "realm", &t.Realm, yamlvalue.Identifier)
	yamlvalue.Optional(m, "match", &t.Match, yamlvalue.Word(MatchExact, MatchKnox42))
	yamlvalue.Optional(m, "limit", &t.Limit, yamlvalue.Integer(1, maxTokenLimit))
	yamlvalue.Optional(m, "prefix", &t.Prefix, tokenPrefix)
	m.Renamed("legacy_digests", "legacy_format")
	yamlvalue.Optional(m, "legacy_format", &t.LegacyFormat, yamlvalue.Word(LegacyAuthtoken, LegacyKnox41, LegacyKnox42, LegacyKnox5))
	t.readSliding(m, limited)
	if limit, _ := m.Get("limit"); t.Limit > 0 && limited {
		switch {
		case t.PerUser == OnePerUser:
			limit.Refuse("each user has one token: per_user is %s", OnePerUser)
		case t.TTL == 0:
			limit.Refuse("tokens that never expire are not counted: ttl is %s", ttl.Never)
		}
	}
	if counted {
		t.checkLegacy(m)
	}
	m.Done()
	return t, true
}

// checkLegacy checks that the older server can keep the tokens.
func (t *Tokens) checkLegacy(m *yamlvalue.Map) {
	kept, _ := m.Get("legacy_format")
	digits := t.LegacyFormat == LegacyKnox41 || t.LegacyFormat == LegacyKnox42
	switch {
	case t.LegacyFormat == LegacyAuthtoken && len(t.Prefix)+t.Hex > authtokenLength:
		kept.Refuse("a token of %d digits does not fit authtoken's column: hex has to be at most %d", len(t.Prefix)+t.Hex, authtokenLength)
	case digits && t.Hex%2 != 0:
		kept.Refuse("knox up to 4.2 reads tokens as whole bytes: hex has to be even")
	case digits && t.Prefix != "":
		kept.Refuse("knox up to 4.2 reads tokens as digits alone: there is no prefix")
	}
	if prefix, _ := m.Get("prefix"); t.Prefix != "" && t.Match == MatchKnox42 {
		prefix.Refuse("knox up to 4.2, whose tokens match wants, has none")
	}
}

// readSliding reads whether each use moves the end of a token: true, or a map that says how.
func (t *Tokens) readSliding(m *yamlvalue.Map, limited bool) {
	v, ok := m.Get("sliding")
	if !ok {
		return
	}
	interval := slideEvery
	if v.Node.Kind == yaml.MappingNode {
		t.Sliding = true
		how := v.Mapping()
		yamlvalue.Optional(how, "interval", &interval, refreshInterval)
		yamlvalue.Optional(how, "max", &t.Max, ttl.Read)
		if most, given := how.Get("max"); given && limited && t.Max < t.TTL && t.Max > 0 {
			most.Refuse("is shorter than ttl")
		}
		if most, given := how.Get("max"); given && t.PerUser == OnePerUser && t.Max > 0 {
			most.Refuse("counts from the login, and the one token of a user is shown at many: per_user is %s", OnePerUser)
		}
		how.Done()
	} else {
		yamlvalue.Keep(v, &t.Sliding, yamlvalue.Boolean)
	}
	if !t.Sliding {
		return
	}
	t.Interval = interval
	switch {
	case !limited:
	case t.TTL == 0:
		v.Refuse("tokens that never expire have no end to move: ttl is %s", ttl.Never)
	case t.TTL <= t.Interval && t.Interval == slideEvery:
		v.Refuse("a token's end is moved once a minute at most: ttl has to be longer")
	case t.TTL <= t.Interval:
		v.Refuse("a token's end is never moved: ttl has to be longer than interval")
	}
}

// refreshInterval reads a time that may be 0s.
func refreshInterval(v yamlvalue.Value) (time.Duration, bool) {
	if v.IsText() && v.Node.Value == "0s" {
		return 0, true
	}
	if v.IsText() && v.Node.Value == ttl.Never {
		v.Refuse("a token's end is never moved: leave sliding out")
		return 0, false
	}
	return ttl.Read(v)
}

// tokenPrefix reads what comes before the digits of a token.
func tokenPrefix(v yamlvalue.Value) (string, bool) {
	const known = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~"
	s, ok := yamlvalue.Text(v)
	if ok && (s == "" || len(s) > maxTokenPrefix || strings.Trim(s, known) != "") {
		v.Want("1 to %d letters, digits, hyphens, full stops, _ and ~", maxTokenPrefix)
		ok = false
	}
	return s, ok
}

func (t Tokens) show() *yaml.Node {
	s := yamlnode.NewMap()
	s.Number("hex", t.Hex)
	s.Text("prefix", t.Prefix)
	s.Text("ttl", ttl.Text(t.TTL))
	if t.Sliding && (t.Interval != slideEvery || t.Max != 0) {
		how := yamlnode.NewMap()
		how.Text("interval", intervalText(t.Interval))
		if t.Max != 0 {
			how.Text("max", ttl.Text(t.Max))
		}
		s.Set("sliding", how.Node)
	} else {
		s.Flag("sliding", t.Sliding)
	}
	s.Text("per_user", string(t.PerUser))
	s.Number("limit", t.Limit)
	s.Text("realm", t.Realm)
	s.Text("match", string(t.Match))
	s.Text("legacy_format", string(t.LegacyFormat))
	return yamlnode.Fold(s.Node, len("tokens: "))
}

func intervalText(d time.Duration) string {
	if d == 0 {
		return "0s"
	}
	return ttl.Text(d)
}

const (
	// authtokenLength is the most characters of a key of Django REST framework's authtoken
	// (rest_framework/authtoken/models.py, Token.key).
	authtokenLength = 40
	// maxTokenPrefix is the longest prefix of knox 5 (knox/settings.py,
	// MAXIMUM_TOKEN_PREFIX_LENGTH).
	maxTokenPrefix = 10
	// maxTokenLimit is the largest limit of tokens.
	maxTokenLimit = 1_000_000
	// slideEvery is how often at most a token in use is extended unless the profile says
	// otherwise.
	slideEvery = time.Minute
)
