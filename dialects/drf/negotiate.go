package drf

import (
	"net/http"
	"slices"
	"strings"

	"github.com/authcompat/authcompat/dialects/internal/django"
	"github.com/authcompat/authcompat/dialects/internal/wire"
	"github.com/authcompat/authcompat/profiles"
)

// accepted is the result of content negotiation: a renderer, and the media type with
// its parameters.
type accepted struct {
	renderer  profiles.Renderer
	mediaType string
}

// rendererType gives the media type of a renderer.
func rendererType(r profiles.Renderer) string {
	if r == profiles.RenderHTML {
		return "text/html"
	}
	return "application/json"
}

// rendererFormat gives the name of a renderer in ?format=.
func rendererFormat(r profiles.Renderer) string {
	if r == profiles.RenderHTML {
		return "api"
	}
	return "json"
}

// parserType gives the media type of a parser.
func parserType(p profiles.Parser) string {
	switch p {
	case profiles.ParseForm:
		return "application/x-www-form-urlencoded"
	case profiles.ParseMultipart:
		return "multipart/form-data"
	}
	return "application/json"
}

// negotiate chooses the renderer (rest_framework/negotiation.py). If it fails, the
// first renderer writes the error.
func (v *view) negotiate(r *http.Request) (accepted, *result) {
	renderers := v.endpoint.Renderers
	first := accepted{renderers[0], rendererType(renderers[0])}
	if r.URL.RawQuery != "" {
		format, err := queryFormat(r)
		if err != nil {
			return first, v.suspicious()
		}
		if format != "" {
			if renderers = withFormat(renderers, format); len(renderers) == 0 {
				return first, v.detail(http.StatusNotFound, "not_found", v.message("not_found"))
			}
		}
	}
	header, ok := wire.Header(r, "Accept")
	if !ok || header == "*/*" {
		return accepted{renderers[0], rendererType(renderers[0])}, nil
	}
	if a, ok := choose(renderers, header); ok {
		return a, nil
	}
	return first, v.detail(http.StatusNotAcceptable, "not_acceptable", v.message("not_acceptable"))
}

// queryFormat gives the query's last value of format. The charset of the Content-Type
// applies to the query too (django/http/request.py, HttpRequest.encoding). It fails
// for a query with too many fields.
func queryFormat(r *http.Request) (string, error) {
	charset, _ := django.CharsetOf(wire.ContentType(r))
	values, err := django.ParseQuery([]byte(r.URL.RawQuery), charset)
	return values["format"], err
}

func withFormat(renderers []profiles.Renderer, format string) []profiles.Renderer {
	for _, r := range renderers {
		if rendererFormat(r) == format {
			return []profiles.Renderer{r}
		}
	}
	return nil
}

// choose chooses the most specific media type of an Accept header that a renderer has;
// among equally specific ones the order of the renderers decides. Quality values are
// ignored. It fails if any type is not ASCII, where the genuine server has an error.
func choose(renderers []profiles.Renderer, header string) (chosen accepted, found bool) {
	own := make([]mediaType, len(renderers))
	for i, r := range renderers {
		own[i], _ = parseMediaType(rendererType(r))
	}
	var best mediaType // of those asked for
	with := 0          // the renderer that has it
	for text := range strings.SplitSeq(header, ",") {
		m, ok := parseMediaType(strings.Trim(text, latin1Blanks))
		if !ok {
			return accepted{}, false
		}
		i := slices.IndexFunc(own, m.matches)
		if i < 0 {
			continue
		}
		if p := m.precedence(); !found || p > best.precedence() || p == best.precedence() && i < with {
			best, with, found = m, i, true
		}
	}
	if !found {
		return accepted{}, false
	}
	chosen = accepted{renderers[with], best.text}
	if own[with].precedence() > best.precedence() {
		chosen.mediaType = own[with].with(best.params)
	}
	return chosen, true
}

// latin1Blanks is the white space that Python's str.strip removes from a header, which
// WSGI passes as Latin-1. It lacks U+0085 and U+00A0: strings.Trim takes every single
// byte beyond ASCII for the same invalid character.
const latin1Blanks = " \t\n\v\f\r\x1c\x1d\x1e\x1f"

// mediaType is rest_framework.utils.mediatypes._MediaType.
type mediaType struct {
	text      string
	main, sub string
	params    []django.Param
}

func parseMediaType(text string) (m mediaType, ok bool) {
	h, ok := django.ParseHeader(text)
	main, sub, _ := strings.Cut(h.Value, "/")
	return mediaType{text: text, main: main, sub: sub, params: h.Params}, ok
}

// with returns the text of a media type with parameters.
func (m mediaType) with(params []django.Param) string {
	var full strings.Builder
	full.WriteString(m.text)
	for _, p := range params {
		full.WriteString(";" + p.Name + "=" + p.Value)
	}
	return full.String()
}

// precedence is 0 for */*, 1 for type/*, 2 for type/subtype and 3 for one with
// parameters other than q alone.
func (m mediaType) precedence() int {
	switch {
	case m.main == "*":
		return 0
	case m.sub == "*":
		return 1
	case len(m.params) == 0 || len(m.params) == 1 && m.params[0].Name == "q":
		return 2
	}
	return 3
}

// matches compares type and subtype. A star on either side matches anything.
func (m mediaType) matches(other mediaType) bool {
	return (m.sub == "*" || other.sub == "*" || m.sub == other.sub) &&
		(m.main == "*" || other.main == "*" || m.main == other.main)
}
