package drf

import (
	"html"
	"net/http"
	"strings"

	"github.com/authcompat/authcompat/core/spelling"
	"github.com/authcompat/authcompat/dialects/internal/django"
	"github.com/authcompat/authcompat/dialects/internal/pyjson"
	"github.com/authcompat/authcompat/dialects/internal/wire"
	"github.com/authcompat/authcompat/profiles"
)

// maxIndent is the most spaces of indentation that a client gets
// (rest_framework/renderers.py, JSONRenderer.get_indent).
const maxIndent = 8

// render writes a result in the accepted form.
func (v *view) render(res result, a accepted) wire.Reply {
	if res.adopted != nil {
		return *res.adopted
	}
	if res.own != nil {
		return *res.own
	}
	out := wire.Reply{Status: res.status, Outcome: res.outcome, Err: res.err}
	out.Always, out.Headers = v.headers, res.headers
	if res.page != nil {
		// Django renders the page outside of the view.
		out.Always, out.Headers = nil, v.profile.Headers
		out.Body, out.ContentType = res.page, v.profile.Rules.PageContentType
		return out
	}
	if a.renderer == profiles.RenderHTML {
		v.renderPage(&out, res)
		return out
	}
	style := v.indented(a)
	switch {
	case res.body != nil && style == v.style:
		out.Body = res.body
	case res.tree() != nil:
		out.Body = pyjson.Append(nil, res.tree(), style)
	default:
		return out
	}
	out.ContentType = rendererType(a.renderer)
	if v.profile.Rules.ContentType == profiles.ContentTypeAccept {
		out.ContentType = a.mediaType
	}
	return out
}

// decodes tells whether a body is decoded to be written in the accepted form.
func (v *view) decodes(a accepted) bool {
	return a.renderer == profiles.RenderHTML || v.indented(a) != v.style
}

// renderPage stands in for the browsable API, with its status and Content-Type. The
// page around the data is our own.
func (v *view) renderPage(out *wire.Reply, res result) {
	if out.Status == http.StatusNoContent {
		// As BrowsableAPIRenderer.render does, to have something to show.
		out.Status = http.StatusOK
	}
	var data []byte
	if tree := res.tree(); tree != nil {
		data = pyjson.Append(nil, tree, pyjson.Indented(4))
	}
	out.ContentType = "text/html; charset=utf-8"
	out.Body = []byte("<!DOCTYPE html>\n<title>" + html.EscapeString(v.endpoint.View.Name) + "</title>\n<pre>" +
		html.EscapeString(string(data)) + "</pre>\n")
}

// tree is the result's JSON as a value of pyjson.
func (r *result) tree() any {
	if r.body == nil {
		return r.data
	}
	tree, err := pyjson.Decode(string(r.body), pyjson.Options{})
	if err != nil {
		panic("drf: a reply of our own is no JSON: " + err.Error())
	}
	return tree
}

// indented gives the style of JSON for an accepted media type, which can ask for
// indentation with a parameter indent.
func (v *view) indented(a accepted) pyjson.Style {
	if !strings.Contains(a.mediaType, ";") {
		return v.style
	}
	h, _ := django.ParseHeader(a.mediaType)
	if indent := parseIndent(h.Get("indent")); indent > 0 {
		return pyjson.Indented(indent)
	}
	return v.style
}

// parseIndent is Python's int(), at most maxIndent: a sign, and digits with single
// underscores between them. It gives 0 for anything else.
func parseIndent(text string) int {
	text = spelling.Strip(text)
	if unsigned, ok := strings.CutPrefix(text, "+"); ok {
		text = unsigned
	}
	indent, digits := 0, 0
	for i := range len(text) {
		switch c := text[i]; {
		case c >= '0' && c <= '9':
			indent = min(indent*10+int(c-'0'), maxIndent)
			digits++
		case c != '_' || i == 0 || i == len(text)-1 || text[i-1] == '_':
			return 0
		}
	}
	if digits > maxIntDigits {
		return 0
	}
	return indent
}

// maxIntDigits is CPython's default for sys.set_int_max_str_digits.
const maxIntDigits = 4300
