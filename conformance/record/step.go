package record

import (
	"maps"
	"mime"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"gopkg.in/yaml.v3"

	"github.com/authcompat/authcompat/conformance/internal/fields"
	"github.com/authcompat/authcompat/conformance/internal/jsontree"
	"github.com/authcompat/authcompat/conformance/wire"
)

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// responseHeaders writes the headers of all responses: those that are most common, and those of each
// call, by its number, and by names as they are spelled.
func (d *Draft) responseHeaders() (defaults map[string][]string, written map[int]map[string][]string) {
	names := d.headerNames()
	written = map[int]map[string][]string{}
	var all []map[string][]string
	for _, s := range d.sequences {
		r := d.renderer(s)
		r.response = true
		for position, i := range s.calls {
			headers := map[string][]string{}
			for _, name := range sortedKeys(names) {
				spelling, values := spelled(d.calls[i].Response, name)
				if spelling == "" {
					spelling = names[name]
				}
				var lines []string
				for _, value := range values {
					lines = append(lines, r.expected(value, map[*secret]string{}, func(string) bool { return false }))
				}
				if noise := s.noise[position]; noise != nil && noise.headers[name] {
					lines = []string{"<any>"}
				}
				headers[spelling] = lines
			}
			written[i] = headers
			all = append(all, headers)
		}
	}
	return mostCommon(all), written
}

// step writes one step of a sequence.
func (d *Draft) step(r *renderer, s *sequence, position int, defaults map[string][]string, written map[int]map[string][]string) *yaml.Node {
	c := d.calls[s.calls[position]]
	r.response, r.person = false, d.of[s.calls[position]]
	request := r.request(c.Request)
	r.response = true
	captured := map[*secret]string{}
	later := d.later(s, position)
	response := mapping(false, key("status"), number(strconv.Itoa(c.Response.Status)))
	headers := mapping(false)
	for _, name := range sortedKeys(written[s.calls[position]]) {
		values := written[s.calls[position]][name]
		if lines := r.capturing(c.Response, name, captured, later); lines != nil {
			headers.Content = append(headers.Content, text(name), wanted(lines))
			continue
		}
		if common, ok := defaults[name]; !ok || !slices.Equal(common, values) {
			headers.Content = append(headers.Content, text(name), wanted(values))
		}
	}
	if cookies := r.setCookies(c.Response, captured, later); cookies != nil {
		headers.Content = append(headers.Content, key("Set-Cookie"), cookies)
	}
	if len(headers.Content) > 0 {
		response.Content = append(response.Content, key("headers"), headers)
	}
	response.Content = append(response.Content, r.body(c.Response, s.noise[position], captured, later)...)
	maps.Copy(r.refs, captured)
	return mapping(false, key("request"), request, key("response"), response)
}

// later returns a function that reports whether a text stands in a later request or response of the
// sequence; with a slash before it, as a segment of a path.
func (d *Draft) later(s *sequence, position int) func(string) bool {
	return func(value string) bool {
		for _, i := range s.calls[position+1:] {
			c := d.calls[i]
			if strings.HasPrefix(value, "/") {
				path, _, _ := strings.Cut(c.Request.Path, "?")
				if slices.Contains(strings.Split(path, "/"), value[1:]) {
					return true
				}
				continue
			}
			if strings.Contains(c.Request.Path, value) || strings.Contains(string(c.Request.Body), value) || strings.Contains(string(c.Response.Body), value) {
				return true
			}
			for _, h := range append(slices.Clone(c.Request.Headers), c.Response.Headers...) {
				if strings.Contains(h.Value, value) {
					return true
				}
			}
		}
		return false
	}
}

// capturing writes the header of a response in which a token is that a later request sends; nil if there is
// none.
func (r *renderer) capturing(response wire.Response, name string, captured map[*secret]string, later func(string) bool) (lines []string) {
	before := len(captured)
	for _, value := range response.Values(name) {
		lines = append(lines, r.expected(value, captured, func(secret string) bool { return !strings.HasPrefix(secret, "/") && later(secret) }))
	}
	if len(captured) == before {
		return nil
	}
	return lines
}

// setCookies writes what is expected of Set-Cookie: something only if a later request sends one of the
// cookies.
func (r *renderer) setCookies(response wire.Response, captured map[*secret]string, later func(string) bool) *yaml.Node {
	before := len(captured)
	values := response.Values("Set-Cookie")
	lines := make([]string, len(values))
	for i, value := range values {
		// The moment of expiry is in no quotes.
		var parts []string
		for k, part := range strings.Split(value, ";") {
			name, moment, ok := strings.Cut(part, "=")
			switch p := timePlaceholder(moment); {
			case ok && p != "" && k > 0:
				parts = append(parts, name+"=<"+p+">")
			default:
				parts = append(parts, r.expected(part, captured, later))
			}
		}
		lines[i] = strings.Join(parts, ";")
	}
	if len(captured) == before {
		return nil
	}
	return wanted(lines)
}

// request writes a request.
func (r *renderer) request(request wire.Request) *yaml.Node {
	n := mapping(false, key("method"), plain(request.Method, "!!str"), key("path"), text(r.path(request.Path)))
	headers := mapping(false)
	byName := map[string][]string{}
	var order []string
	hasType := false
	for _, h := range request.Headers {
		name := strings.ToLower(h.Name)
		if name == "user-agent" || strings.HasPrefix(name, "sec-") || name == "dnt" || name == "accept-encoding" || name == "content-length" || name == "host" || slices.Contains(ofConnection(), name) {
			continue
		}
		hasType = hasType || name == "content-type"
		if byName[h.Name] == nil {
			order = append(order, h.Name)
		}
		byName[h.Name] = append(byName[h.Name], r.header(h.Name, h.Value))
	}
	for _, name := range order {
		headers.Content = append(headers.Content, text(name), wanted(byName[name]))
	}
	bodyKey, body := r.requestBody(request)
	if !hasType && bodyKey != "" && bodyKey != "body" {
		headers.Content = append(headers.Content, key("Content-Type"), plain("~", "!!null"))
	}
	if len(headers.Content) > 0 {
		n.Content = append(n.Content, key("headers"), headers)
	}
	if bodyKey != "" {
		n.Content = append(n.Content, key(bodyKey), body)
	}
	return n
}

// requestBody writes the body of a request: as text, so that every byte of it is the same, unless a
// reference stands in JSON or a form that can hold any value of a user.
func (r *renderer) requestBody(request wire.Request) (string, *yaml.Node) {
	if len(request.Body) == 0 {
		return "", nil
	}
	raw := string(request.Body)
	all := fields.OfBody(request.Headers, request.Body)
	inPlace := slices.ContainsFunc(all, func(f fields.Field) bool {
		s := r.d.vault.secrets[f.Value]
		return s != nil && fields.IsSecret(f.Name) && (!r.d.vault.found(s) || r.d.vault.names[f.Value])
	})
	r.dependent, r.special = false, false
	whole := r.text(raw)
	dependent, special := r.dependent, r.special || inPlace
	response := wire.Response{Headers: request.Headers}
	kind, _ := response.Value("Content-Type")
	media, _, _ := mime.ParseMediaType(kind)
	hasSecret := inPlace || slices.ContainsFunc(all, func(f fields.Field) bool { return r.d.vault.secrets[f.Value] != nil })
	if v, err := fields.ParseJSON(request.Body); err == nil && (dependent || hasSecret) && !strings.Contains(strings.ToLower(raw), `\ud`) {
		// A secret may be escaped in any way: of JSON it is the value that is replaced.
		special = special || strings.Contains(raw, `\`)
		if special || jsontree.Compact(v) == raw {
			if n, ok := jsonNode("", v, r.jsonField, "$"); ok {
				return "json", n
			}
			if !inPlace {
				return "body", text(r.text(jsontree.Compact(v)))
			}
		}
	}
	if media == "application/x-www-form-urlencoded" && (dependent || hasSecret) {
		if n := r.formNode(all); n != nil {
			return "form", n
		}
	}
	if inPlace {
		whole = r.text(r.withoutInPlace(raw, all))
	}
	return "body", text(whole)
}

// jsonField writes a string or a number of a request.
func (r *renderer) jsonField(name, _ string, v jsontree.Value) *yaml.Node {
	if v.Kind == jsontree.Number {
		if s := r.d.vault.secrets[v.Text]; s != nil && fields.IsSecret(name) {
			if strings.HasPrefix(s.shadow, "0") {
				return number("1" + s.shadow[1:]) // a number of JSON does not begin with 0
			}
			return number(s.shadow)
		}
		return number(v.Text)
	}
	return text(r.named(name, v.Text))
}

// formNode writes a form; nil if it has a name twice.
func (r *renderer) formNode(all []fields.Field) *yaml.Node {
	n := mapping(false)
	seen := map[string]bool{}
	for _, f := range all {
		if seen[f.Name] || f.Name == "" || f.Name == "<<" || !utf8.ValidString(f.Name) {
			return nil
		}
		seen[f.Name] = true
		n.Content = append(n.Content, key(f.Name), text(r.named(f.Name, f.Value)))
	}
	return n
}

// withoutInPlace replaces the secrets that are not looked for everywhere in a body that is neither JSON
// nor a form.
func (r *renderer) withoutInPlace(raw string, all []fields.Field) string {
	var pairs []string // all at once: a body may have as many as it has lines
	seen := map[string]bool{}
	for _, f := range all {
		s := r.d.vault.secrets[f.Value]
		if s == nil || seen[f.Value] || !fields.IsSecret(f.Name) || r.d.vault.found(s) && !r.d.vault.names[f.Value] {
			continue
		}
		seen[f.Value] = true
		for _, around := range [][2]string{{`"`, `"`}, {"'", "'"}, {"=", "&"}, {"=", "\n"}, {">", "<"}, {"\r\n\r\n", "\r\n"}, {": ", "\n"}, {": ", "\r"}, {": ", ","}, {": ", "}"}, {":", ","}, {":", "}"}} {
			pairs = append(pairs, around[0]+f.Value+around[1], around[0]+s.shadow+around[1])
		}
	}
	raw = strings.NewReplacer(pairs...).Replace(raw)
	last := ""
	for value := range seen {
		if len(value) > len(last) && strings.HasSuffix(raw, "="+value) {
			last = value
		}
	}
	if last == "" {
		return raw
	}
	return strings.TrimSuffix(raw, last) + r.d.vault.secrets[last].shadow
}

// body writes what is expected of a body.
func (r *renderer) body(response wire.Response, noise *noise, captured map[*secret]string, later func(string) bool) []*yaml.Node {
	yes := plain("true", "!!bool")
	switch {
	case len(response.Body) == 0:
		return []*yaml.Node{key("empty"), yes}
	case isPage(response):
		return []*yaml.Node{key("html"), yes}
	}
	if noise != nil && len(noise.values) > 0 {
		write := func(name, path string, v jsontree.Value) *yaml.Node {
			if p := noise.values[path]; p != "" {
				return text("<" + p + ">")
			}
			if v.Kind == jsontree.Number {
				if _, placeholder, ok := strings.Cut(r.expected(`"`+name+`":`+v.Text, captured, later), ":<"); ok {
					return text("<" + placeholder)
				}
				return number(v.Text)
			}
			inner := r.expected(`"`+v.Text+`"`, captured, later)
			return text(inner[1 : len(inner)-1])
		}
		if v, err := fields.ParseJSON(response.Body); err == nil {
			if n, ok := jsonNode("", v, write, "$"); ok {
				return []*yaml.Node{key("json"), n}
			}
		}
	}
	return []*yaml.Node{key("body"), text(r.expected(string(response.Body), captured, later))}
}
