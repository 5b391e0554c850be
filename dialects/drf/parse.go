package drf

import (
	"errors"
	"net/http"

	"github.com/authcompat/authcompat/dialects/internal/django"
	"github.com/authcompat/authcompat/dialects/internal/pyjson"
	"github.com/authcompat/authcompat/dialects/internal/wire"
	"github.com/authcompat/authcompat/profiles"
)

// upload is the name of a file that was sent in the place of a field.
type upload string

// input is a parsed body: a form, or any JSON value.
type input struct {
	form  *django.Form
	files map[string]string
	json  any // if form is nil
}

// field gives the value of a field and whether there is one. Browsers send all fields
// of a form, so that an empty value counts as absent for a field that is optional and
// must not be blank (rest_framework/fields.py, Field.get_value).
func (in input) field(f profiles.Field) (any, bool) {
	if in.form == nil {
		object, _ := in.json.(*pyjson.Object)
		return object.Get(f.Name)
	}
	if name, ok := in.files[f.Name]; ok {
		return upload(name), true
	}
	text, sent := in.form.Field(f)
	if sent && text == "" && !f.Blank && f.Type.Null {
		return nil, true // no form can say null otherwise
	}
	if !sent || text == "" && !f.Required && !f.Blank {
		return nil, false
	}
	return text, true
}

// parse reads the body as Request.data does (rest_framework/request.py,
// Request._parse): an empty body is an empty object, whatever its type; any other is
// read by the first parser that matches the Content-Type.
func (v *view) parse(c call) (input, *result) {
	body, err := wire.Body(c.w, c.request)
	if errors.Is(err, wire.ErrBodyTooLarge) {
		return input{}, v.detail(http.StatusRequestEntityTooLarge, "too_large", v.message("too_large"))
	}
	if wire.IsOverloaded(err) {
		return input{}, v.engineError(err)
	}
	if err != nil {
		return input{}, v.detail(http.StatusBadRequest, "malformed", v.message("parse_error", "error", wire.ErrBodyCut.Error()))
	}
	if len(body) == 0 {
		return input{json: new(pyjson.Object)}, nil
	}
	contentType := wire.ContentType(c.request)
	asked, ok := parseMediaType(contentType)
	charset, _ := django.CharsetOf(contentType)
	for _, p := range v.endpoint.Parsers {
		if own, _ := parseMediaType(parserType(p)); !ok || !own.matches(asked) {
			continue
		}
		switch p {
		case profiles.ParseForm:
			return v.parseForm(body, charset)
		case profiles.ParseMultipart:
			return v.parseMultipart(body, contentType, charset)
		default:
			return v.parseJSON(body, charset)
		}
	}
	return input{}, v.detail(http.StatusUnsupportedMediaType, "unsupported_media_type",
		v.message("media_type", "type", django.Latin1(contentType)))
}

// parseJSON is JSONParser.parse, which decodes the body with a stream reader. That
// drops an incomplete character at the end.
func (v *view) parseJSON(body []byte, charset pyjson.Charset) (input, *result) {
	text, err := charset.DecodeStream(body, v.python())
	if err == nil {
		var value any
		value, err = pyjson.Decode(text, pyjson.Options{
			Python:          v.python(),
			RejectConstants: v.profile.Rules.Constants == profiles.Reject,
		})
		if err == nil {
			return input{json: value}, nil
		}
	}
	return input{}, v.detail(http.StatusBadRequest, "malformed", v.message("parse_error", "error", err.Error()))
}

func (v *view) parseForm(body []byte, charset pyjson.Charset) (input, *result) {
	values, err := django.ParseQuery(body, charset)
	if err != nil {
		return input{}, v.suspicious()
	}
	return v.decodeForm(values, nil)
}

func (v *view) parseMultipart(body []byte, contentType string, charset pyjson.Charset) (input, *result) {
	m, err := django.ParseMultipart(body, contentType, charset)
	var broken *django.MultipartError
	switch {
	case errors.As(err, &broken):
		return input{}, v.detail(http.StatusBadRequest, "malformed", v.message("multipart_error", "error", broken.Text))
	case err != nil:
		return input{}, v.suspicious()
	}
	return v.decodeForm(m.Values, m.Files)
}

func (v *view) decodeForm(values django.Values, files map[string]string) (input, *result) {
	form, err := v.forms.Decode(values, v.endpoint.Fields)
	if err != nil {
		return input{}, v.suspicious()
	}
	return input{form: &form, files: files}, nil
}

// suspicious is the page that Django itself answers to a form that it refuses
// (SuspiciousOperation).
func (v *view) suspicious() *result {
	return &result{status: http.StatusBadRequest, outcome: "malformed", page: django.BadRequestPage(v.profile.Rules.Page)}
}
