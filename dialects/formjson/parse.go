package formjson

import (
	"net/http"

	"github.com/authcompat/authcompat/dialects/internal/django"
	"github.com/authcompat/authcompat/dialects/internal/wire"
)

// post is request.POST (django/http/request.py, _load_post_and_files): the fields of
// a form if the Content-Type is exactly that of a form, else nothing. The query
// string is not part of it.
func (v *view) post(w http.ResponseWriter, r *http.Request) (*django.Form, error) {
	body, err := wire.Body(w, r)
	if err != nil {
		return nil, err
	}
	contentType := wire.ContentType(r)
	if err := django.CheckQuery(r.URL.RawQuery, contentType); err != nil {
		return nil, err
	}
	charset, _ := django.CharsetOf(contentType)
	var values django.Values
	switch django.ParseContentType(contentType).Value {
	case "application/x-www-form-urlencoded":
		values, err = django.ParseQuery(body, charset)
	case "multipart/form-data":
		var m django.Multipart
		m, err = django.ParseMultipart(body, contentType, charset)
		values = m.Values
	}
	if err != nil {
		return nil, err
	}
	form, err := v.forms.Decode(values, v.endpoint.Fields)
	return &form, err
}
