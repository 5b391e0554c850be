package dialects

import (
	"fmt"

	"github.com/authcompat/authcompat/core/password/validation"
	"github.com/authcompat/authcompat/dialects/drf"
	"github.com/authcompat/authcompat/dialects/formjson"
	"github.com/authcompat/authcompat/dialects/internal/answer"
	"github.com/authcompat/authcompat/dialects/internal/newpassword"
	"github.com/authcompat/authcompat/dialects/plainjson"
	"github.com/authcompat/authcompat/profiles"
)

// Answers are what an API answers, as the families say that serve it. What CORS adds to headers, an application behind the
// API, and what an old server says that is asked about a password are not in it.
type Answers struct {
	Endpoints map[string]answer.Endpoint // by name
	Other     []answer.Answer            // of paths that no endpoint has
}

// The parts of Answers.
type (
	// EndpointAnswers are what one endpoint answers.
	EndpointAnswers = answer.Endpoint
	// Answer is one answer, with the bytes that are sent.
	Answer = answer.Answer
	// Stage is how far a request has come that gets an answer.
	Stage = answer.Stage
	// Text is a body in parts.
	Text = answer.Text
	// Part is a piece of a Text.
	Part = answer.Part
)

// The stages of a request, in their order.
const (
	StageRequest = answer.StageRequest
	StageClient  = answer.StageClient
	StageMethod  = answer.StageMethod
	StageBody    = answer.StageBody
	StageField   = answer.StageField
	StageAction  = answer.StageAction
	StageServer  = answer.StageServer
)

// Describe returns what the API of a profile answers, without serving it. It fails for an unknown family.
func Describe(p *profiles.Profile) (Answers, error) {
	p = answer.Marked(p)
	// Which passwords are on a list does not matter here.
	passwords, err := newpassword.New(p, validation.Common{})
	if err != nil {
		return Answers{}, fmt.Errorf("profile %s: %w", p.Name, err)
	}
	var family interface {
		Answers(profiles.Endpoint) answer.Endpoint
		OtherAnswers() []answer.Answer
	}
	switch p.Family {
	case profiles.DRF:
		family = drf.New(p, nil, passwords, nil)
	case profiles.FormJSON:
		family = formjson.New(p, nil, passwords)
	case profiles.PlainJSON:
		family = plainjson.New(p, nil, passwords)
	default:
		return Answers{}, fmt.Errorf("profile %s: no family %q", p.Name, p.Family)
	}
	all := Answers{Endpoints: make(map[string]answer.Endpoint, len(p.Endpoints)), Other: family.OtherAnswers()}
	for _, e := range p.Endpoints {
		all.Endpoints[e.Name] = family.Answers(e)
	}
	return all, nil
}

// ExactAnswer returns the first of some answers that has the status and the body, byte for byte. ok is false if none has.
func ExactAnswer(all []Answer, status int, body string) (found Answer, ok bool) {
	return answer.Exactly(all, status, body)
}

// AnswersBySentence returns the answers that a JSON body has the sentences of, however the JSON is written: one body can
// have the errors of several fields, and several of one. It is nil unless all sentences are found.
func AnswersBySentence(all []Answer, status int, body string) []Answer {
	return answer.BySentence(all, status, body)
}
