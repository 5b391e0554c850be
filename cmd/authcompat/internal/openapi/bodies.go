package openapi

import (
	"bytes"
	"encoding/json"
	"fmt"
	"mime"
	"net/http"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/authcompat/authcompat/conformance"
	"github.com/authcompat/authcompat/dialects"
	"github.com/authcompat/authcompat/profiles"
	"github.com/authcompat/authcompat/profiles/template"
)

const (
	jsonType = "application/json"
	htmlType = "text/html"
	formType = "application/x-www-form-urlencoded"
)

// mostExamples is how many examples a body has at most: the first ones of the exchange file.
const mostExamples = 3

// requestBody describes the body of a request; nil: none is read.
func (d *document) requestBody(e profiles.Endpoint, method string, samples []conformance.Sample) *openapi3.RequestBody {
	object := fieldsOf(e, method)
	if object == nil || method == http.MethodGet || method == http.MethodDelete && len(e.Fields) == 0 {
		return nil
	}
	var good []conformance.Sample
	for _, s := range samples {
		if s.Status < 300 && mediaType(s.RequestType) == jsonType && fitsSchema(object, s.Request) {
			s.Response = s.Request
			good = append(good, s)
		}
	}
	body := openapi3.NewRequestBody().WithContent(openapi3.Content{})
	body.Required = len(object.Required) > 0
	for _, kind := range d.requestTypes(e) {
		media := openapi3.NewMediaType().WithSchema(object)
		if kind == jsonType {
			media.Examples = examples(good)
		}
		body.Content[kind] = media
	}
	return body
}

// requestTypes gives the media types that an endpoint reads.
func (d *document) requestTypes(e profiles.Endpoint) []string {
	if len(e.Parsers) == 0 {
		if d.p.Family == profiles.FormJSON {
			return []string{formType, "multipart/form-data"}
		}
		return []string{jsonType}
	}
	types := map[profiles.Parser]string{profiles.ParseJSON: jsonType, profiles.ParseForm: formType, profiles.ParseMultipart: "multipart/form-data"}
	var all []string
	for _, p := range e.Parsers {
		all = append(all, types[p])
	}
	return all
}

// success describes the answer on success.
func (d *document) success(e profiles.Endpoint, samples []conformance.Sample) *openapi3.Response {
	r := openapi3.NewResponse().WithDescription("it is done")
	if e.Reply.Body == nil {
		return r
	}
	schema := d.template(*e.Reply.Body)
	if e.Action == profiles.List {
		list := typed("array")
		list.Items = openapi3.NewSchemaRef("", schema)
		schema = list
	}
	if d.p.Family == profiles.FormJSON && e.Reply.Status == d.p.Errors.Status && d.p.Errors.Body != nil && len(e.Fields) > 0 {
		// A form with errors has the status of one without.
		schema = anyOf(schema, d.template(*d.p.Errors.Body))
	}
	r.Content = d.contents(e.Reply.Status, schema, samples)
	if len(e.Renderers) > 1 {
		r.Content[htmlType] = openapi3.NewMediaType().WithSchema(text())
	}
	return r
}

// failures makes the schemas that failures share.
func (d *document) failures() {
	var forms []*openapi3.Schema
	for _, t := range []*template.Template{d.p.Errors.Body, d.p.Errors.Detail} {
		if t != nil {
			forms = append(forms, d.template(*t))
		}
	}
	if d.p.Family == profiles.DRF {
		fields := fieldErrors()
		forms = append(forms, fields, listOf(text()))
	}
	schema := anyOf(forms...)
	schema.Description = "a failure"
	d.t.Components.Schemas["Failure"] = openapi3.NewSchemaRef("", schema)
}

// failure describes a failure; status 0 stands for all that are not named.
func (d *document) failure(e profiles.Endpoint, status int, samples []conformance.Sample) *openapi3.Response {
	description := http.StatusText(status)
	if status == 0 {
		description = "another failure"
	}
	r := openapi3.NewResponse().WithDescription(description)
	// Where a body can be there or not OpenAPI has no word for it, and describes none.
	empty := func(s conformance.Sample) bool { return s.Status == status && s.Empty }
	bare := func(a dialects.Answer) bool { return a.Status == status && len(a.Body) == 0 }
	if slices.ContainsFunc(samples, empty) || slices.ContainsFunc(d.answers.Endpoints[e.Name].Refusals, bare) {
		return r.WithDescription(description + ", with or without a body")
	}
	r.Content = d.contents(status, nil, samples)
	r.Content[htmlType] = openapi3.NewMediaType().WithSchema(text())
	return r
}

// contents describes the body of a status; a schema that is nil stands for a failure.
func (d *document) contents(status int, schema *openapi3.Schema, samples []conformance.Sample) openapi3.Content {
	media := openapi3.NewMediaType()
	if schema != nil {
		media.WithSchema(schema)
	} else {
		schema = d.t.Components.Schemas["Failure"].Value
		media.WithSchemaRef(openapi3.NewSchemaRef("#/components/schemas/Failure", schema))
	}
	var shown []conformance.Sample
	for _, s := range samples {
		if s.Status == status && mediaType(s.ResponseType) == jsonType && fitsSchema(schema, s.Response) {
			shown = append(shown, s)
		}
	}
	media.Examples = examples(shown)
	return openapi3.Content{jsonType: media}
}

// examples makes examples of the bodies of responses.
func examples(samples []conformance.Sample) openapi3.Examples {
	all := openapi3.Examples{}
	for _, s := range samples {
		if len(all) == mostExamples {
			break
		}
		value, err := decode(s.Response)
		if err != nil {
			continue
		}
		all[fmt.Sprintf("example%d", len(all)+1)] = &openapi3.ExampleRef{Value: &openapi3.Example{Summary: s.Exchange, Value: value}}
	}
	if len(all) == 0 {
		return nil
	}
	return all
}

func decode(body []byte) (value any, err error) {
	d := json.NewDecoder(bytes.NewReader(body))
	err = d.Decode(&value)
	return value, err
}

// fitsSchema tells whether a JSON text is one that a schema describes.
func fitsSchema(schema *openapi3.Schema, body []byte) bool {
	value, err := decode(body)
	return err == nil && schema.VisitJSON(value, openapi3.EnableJSONSchema2020()) == nil
}

func mediaType(header string) string {
	kind, _, _ := mime.ParseMediaType(header)
	return strings.ToLower(kind)
}
