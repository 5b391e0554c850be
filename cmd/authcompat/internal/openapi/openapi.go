// Package openapi describes the API of a profile as OpenAPI 3.1. What requests and replies look like comes from
// the profile, and examples from its exchange file.
package openapi

import (
	"fmt"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/authcompat/authcompat/conformance"
	"github.com/authcompat/authcompat/dialects"
	"github.com/authcompat/authcompat/profiles"
)

// Version is that of OpenAPI.
const Version = "3.1.0"

// document is the description of one profile while it is made.
type document struct {
	p       *profiles.Profile
	t       *openapi3.T
	samples []conformance.Sample
	answers dialects.Answers
	find    func(method, path string) dialects.Found
}

// Document describes the API of a profile. Examples are the samples of the exchange file; nil: there are none. It fails for
// an unknown family.
func Document(p *profiles.Profile, exchanges *conformance.File) (*openapi3.T, error) {
	answers, err := dialects.Describe(p)
	if err != nil {
		return nil, err
	}
	d := &document{p: p, answers: answers, find: dialects.NewSampleFinder(p), t: &openapi3.T{
		OpenAPI: Version,
		Info:    &openapi3.Info{Title: p.Name, Version: "1.0.0", Description: p.Document},
		Servers: openapi3.Servers{{URL: "/", Description: "the server at which the profile is served"}},
		Paths:   openapi3.NewPaths(),
		Components: &openapi3.Components{
			Schemas: openapi3.Schemas{}, SecuritySchemes: openapi3.SecuritySchemes{},
		},
	}}
	if p.Title != "" {
		d.t.Info.Title = p.Title
	}
	if exchanges != nil {
		d.samples = exchanges.Samples()
	}
	d.failures()
	d.security()
	for _, e := range p.Endpoints {
		for i, path := range paths(e) {
			item := d.t.Paths.Value(path)
			if item == nil {
				item = &openapi3.PathItem{Parameters: parameters(path)}
				d.t.Paths.Set(path, item)
			}
			for k, method := range e.Methods {
				o := d.operation(e, method, path)
				if o.OperationID = e.Name; k > 0 {
					o.OperationID += "_" + strings.ToLower(method)
				}
				if i > 0 {
					o.OperationID += "_without_slash"
				}
				item.SetOperation(method, o)
			}
		}
	}
	return d.t, nil
}

// paths gives the paths that an endpoint answers by itself: not those that it redirects.
func paths(e profiles.Endpoint) []string {
	if without, ok := strings.CutSuffix(e.Path, "/"); ok && without != "" && e.TrailingSlash == profiles.SlashOptional {
		return []string{e.Path, without}
	}
	return []string{e.Path}
}

// parameters describes the variable of a path, if it has one.
func parameters(path string) openapi3.Parameters {
	for _, name := range []string{"id", "username"} {
		if strings.Contains(path, "{"+name+"}") {
			return openapi3.Parameters{{Value: openapi3.NewPathParameter(name).WithDescription("whose account it is").WithSchema(text())}}
		}
	}
	return nil
}

func (d *document) operation(e profiles.Endpoint, method, path string) *openapi3.Operation {
	o := &openapi3.Operation{
		Summary: summary(e), Responses: openapi3.NewResponses(),
		Security: d.alternatives(e), Description: e.View.Description,
	}
	o.Responses.Delete("default")
	samples := d.of(e, method, path)
	if body := d.requestBody(e, method, samples); body != nil {
		o.RequestBody = &openapi3.RequestBodyRef{Value: body}
	}
	o.Responses.Set(fmt.Sprint(e.Reply.Status), &openapi3.ResponseRef{Value: d.success(e, samples)})
	for _, status := range d.failing(e, samples) {
		if status != e.Reply.Status {
			o.Responses.Set(fmt.Sprint(status), &openapi3.ResponseRef{Value: d.failure(e, status, samples)})
		}
	}
	o.Responses.Set("default", &openapi3.ResponseRef{Value: d.failure(e, 0, samples)})
	return o
}

// summary says what an endpoint does.
func summary(e profiles.Endpoint) string {
	words := strings.ReplaceAll(string(e.Action), "_", " ")
	if string(e.Action) == e.Name {
		return words
	}
	return words + " (" + e.Name + ")"
}

// of gives the samples of requests for an operation: those that the endpoint is asked by, at its path with a slash or without.
func (d *document) of(e profiles.Endpoint, method, path string) []conformance.Sample {
	return slices.DeleteFunc(slices.Clone(d.samples), func(s conformance.Sample) bool {
		at, _, _ := strings.Cut(s.Path, "?")
		return s.Method != method || d.find(s.Method, s.Path) != (dialects.Found{Endpoint: e.Name}) || strings.HasSuffix(at, "/") != strings.HasSuffix(path, "/")
	})
}

// failing gives the statuses of failures of an operation, in order: those that its family knows, and those of exchanges.
func (d *document) failing(e profiles.Endpoint, samples []conformance.Sample) []int {
	var all []int
	for _, a := range d.answers.Endpoints[e.Name].Refusals {
		all = append(all, a.Status)
	}
	for _, s := range samples {
		if s.Status >= 300 {
			all = append(all, s.Status)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// security describes what clients are recognised by.
func (d *document) security() {
	for _, a := range d.p.Authentications() {
		if name, scheme := securityScheme(a); scheme != nil {
			d.t.Components.SecuritySchemes[name] = &openapi3.SecuritySchemeRef{Value: scheme}
		}
	}
}

// securityScheme describes what clients are recognised by; nil: no client is.
func securityScheme(a profiles.Authentication) (name string, scheme *openapi3.SecurityScheme) {
	switch {
	case a.Kind == profiles.AuthenticateBasic:
		return "basic", &openapi3.SecurityScheme{Type: "http", Scheme: "basic"}
	case a.Kind == profiles.AuthenticateToken && strings.EqualFold(a.Word, "bearer"):
		return "bearer", &openapi3.SecurityScheme{Type: "http", Scheme: "bearer"}
	case a.Kind == profiles.AuthenticateToken:
		// OpenAPI knows registered schemes alone.
		name := strings.Map(func(c rune) rune {
			if c >= 'a' && c <= 'z' || c >= '0' && c <= '9' {
				return c
			}
			return '_'
		}, strings.ToLower(a.Word))
		return name, &openapi3.SecurityScheme{Type: "apiKey", In: "header", Name: "Authorization", Description: "the keyword " + a.Word + ", a space and the token"}
	}
	return "", nil
}

// alternatives gives by what an operation recognises clients.
func (d *document) alternatives(e profiles.Endpoint) *openapi3.SecurityRequirements {
	all := openapi3.SecurityRequirements{}
	if e.Access == profiles.AccessOpen && e.Authenticates() {
		all = append(all, openapi3.SecurityRequirement{})
	}
	for _, a := range e.Authentication {
		if name, scheme := securityScheme(a); scheme != nil {
			all = append(all, openapi3.SecurityRequirement{name: []string{}})
		}
	}
	return &all
}
