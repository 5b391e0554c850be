package shadowing

import (
	"fmt"

	"github.com/authcompat/authcompat/conformance/shadow"
	"github.com/authcompat/authcompat/core/overlay"
	"github.com/authcompat/authcompat/profiles"
	"github.com/authcompat/authcompat/profiles/template"
)

// places are where the reply of an endpoint shows values that may be issued.
type places struct {
	status                    int // of the reply
	tokens, expiries, created []string
	ids                       []string
}

// placesOf returns the places of an endpoint.
func placesOf(e profiles.Endpoint) places {
	p := places{status: e.Reply.Status}
	if e.Reply.Body != nil {
		p.walk("body", *e.Reply.Body)
	}
	return p
}

func (p *places) walk(place string, t template.Template) {
	switch t.Kind {
	case template.KindObject:
		for _, m := range t.Members {
			p.walk(place+"."+m.Key, m.Value)
		}
	case template.KindList:
		for i, item := range t.Items {
			p.walk(fmt.Sprintf("%s[%d]", place, i), item)
		}
	case template.KindValue:
		p.add(place, t.Value.Name)
	case template.KindText:
		for _, part := range t.Parts {
			p.add(place, part.Value.Name)
		}
	}
}

func (p *places) add(place string, name template.ValueName) {
	switch name {
	case template.TokenKey:
		p.tokens = append(p.tokens, place)
	case template.TokenExpiry:
		p.expiries = append(p.expiries, place)
	case template.UserID:
		p.ids = append(p.ids, place)
	case template.UserCreated:
		p.created = append(p.created, place)
	}
}

// issued returns how the places are compared whose values an answer has issued.
func (p *places) issued(e overlay.Effects) map[string]shadow.Form {
	forms := make(map[string]shadow.Form)
	for _, of := range []struct {
		places []string
		are    bool
		form   shadow.Form
	}{
		{p.tokens, e.Token, shadow.FormToken}, {p.expiries, e.Token || e.Expiry, shadow.FormTime}, {p.ids, e.User, shadow.FormID}, {p.created, e.User, shadow.FormTime},
	} {
		for _, place := range of.places {
			if of.are {
				forms[place] = of.form
			}
		}
	}
	return forms
}
