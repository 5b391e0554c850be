package drf

import (
	"net/http"
	"slices"

	"github.com/authcompat/authcompat/dialects/internal/pyjson"
	"github.com/authcompat/authcompat/profiles"
	"github.com/authcompat/authcompat/profiles/template"
)

// options describes the view (rest_framework/metadata.py, SimpleMetadata).
func (v *view) options(c call) result {
	renders := make([]any, len(v.endpoint.Renderers))
	for i, r := range v.endpoint.Renderers {
		renders[i] = rendererType(r)
	}
	parses := make([]any, len(v.endpoint.Parsers))
	for i, p := range v.endpoint.Parsers {
		parses[i] = parserType(p)
	}
	data := new(pyjson.Object)
	data.Set("name", v.endpoint.View.Name)
	data.Set("description", v.endpoint.View.Description)
	data.Set("renders", renders)
	data.Set("parses", parses)
	if v.endpoint.View.Actions {
		actions := new(pyjson.Object)
		// A set of Python's has no order (SimpleMetadata.determine_actions).
		for _, method := range []string{http.MethodPost, http.MethodPut} {
			if served, ok := v.views[method]; ok && served.offers(c) {
				fields := new(pyjson.Object)
				described := served.endpoint
				if of := v.endpoint.View.ActionsOf; of != "" {
					described = v.endpointNamed(of)
				}
				for _, f := range described.Fields {
					fields.Set(f.Name, v.describe(described.Action, f))
				}
				actions.Set(method, fields)
			}
		}
		if actions.Len() > 0 {
			data.Set("actions", actions)
		}
	}
	return result{status: http.StatusOK, data: data, outcome: "options"}
}

// offers tells whether the view shows a client what it reads: of an update, if there is the
// account, and the client may change it.
func (v *view) offers(c call) bool {
	if v.endpoint.Action != profiles.Update {
		return true
	}
	if c.session == nil {
		return false
	}
	_, refusal := v.account(c)
	return refusal == nil
}

// endpointNamed gives an endpoint of the profile, which has checked that it is there.
func (a *API) endpointNamed(name string) profiles.Endpoint {
	i := slices.IndexFunc(a.profile.Endpoints, func(e profiles.Endpoint) bool { return e.Name == name })
	return a.profile.Endpoints[i]
}

// describe is SimpleMetadata.get_field_info.
func (a *API) describe(at profiles.Action, f profiles.Field) *pyjson.Object {
	kind, readOnly := "string", f.ReadOnly || f.Role.ReadOnly()
	switch {
	case f.Role == profiles.RoleAttribute && f.Type.Type != template.TypeText:
		kind = string(f.Type.Type)
	case f.Role == profiles.RoleID:
		kind = "integer"
	case a.isEmail(at, f):
		kind = "email"
	}
	o := new(pyjson.Object)
	o.Set("type", kind).Set("required", f.Required && !readOnly).Set("read_only", readOnly)
	if f.Label != "" {
		o.Set("label", f.Label)
	}
	if f.HelpText != "" {
		o.Set("help_text", f.HelpText)
	}
	if f.MinLength > 0 {
		o.Set("min_length", f.MinLength)
	}
	if f.MaxLength > 0 {
		o.Set("max_length", f.MaxLength)
	}
	return o
}
