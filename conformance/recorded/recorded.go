// Package recorded replays exchanges that were recorded from reference servers at another server and
// compares the responses.
//
// A recording is a JSON list of sequences; a sequence has a name, steps and as many answers. A step
// has method, path, headers (pairs, sent as they are) and body (bytes as Latin-1 text). In headers,
// {{token}} is the last token in a response of the sequence, or 40 times f before there is one;
// {{token-1}} is the token without its last character, {{token8}} its first 8 characters.
//
// An answer is a response: status, the headers Content-Type, WWW-Authenticate, Allow and Location
// (absent ones left out), and the body, normalised: a token is <hex40> or <hex64>, an ISO datetime in
// quotes "<datetime>", an id "id":<id>, an HTML page <html>; the body of the response to a HEAD is
// empty. A recording can have <login> and <account> for bodies that only a document gives: such a
// response has to be a JSON object, with a token for <login>.
package recorded

import (
	"encoding/json"
	"errors"
	"fmt"
)

// A Sequence is a sequence of requests that depend on each other, and the responses to them.
type Sequence struct {
	Name      string     `json:"name"`
	Steps     []Step     `json:"steps"`
	Responses []Response `json:"answers"`
}

// A Step is a request. The characters of its body are bytes.
type Step struct {
	Method  string      `json:"method"`
	Path    string      `json:"path"`
	Headers [][2]string `json:"headers"`
	Body    string      `json:"body"`
}

// A Response is a normalised response. Headers has the compared headers that are present, by their
// names in lower case.
type Response struct {
	Status  int               `json:"status"`
	Headers map[string]string `json:"headers"`
	Body    string            `json:"body"`
}

// Parse reads a recording.
func Parse(data []byte) ([]Sequence, error) {
	var sequences []Sequence
	if err := json.Unmarshal(data, &sequences); err != nil {
		return nil, fmt.Errorf("recording: %w", err)
	}
	seen := map[string]bool{}
	for _, s := range sequences {
		switch {
		case s.Name == "" || seen[s.Name]:
			return nil, fmt.Errorf("recording: the name %q is empty or appears twice", s.Name)
		case len(s.Steps) == 0 || len(s.Steps) != len(s.Responses):
			return nil, fmt.Errorf("recording: %s has %d steps and %d answers", s.Name, len(s.Steps), len(s.Responses))
		}
		seen[s.Name] = true
		for i, step := range s.Steps {
			if _, err := latin1(step.Body); err != nil {
				return nil, fmt.Errorf("recording: %s, step %d: %w", s.Name, i+1, err)
			}
		}
	}
	return sequences, nil
}

// latin1 encodes text in Latin-1.
func latin1(text string) ([]byte, error) {
	bytes := make([]byte, 0, len(text))
	for _, r := range text {
		if r > 0xff {
			return nil, errors.New("the body has a character that is not in Latin-1")
		}
		bytes = append(bytes, byte(r))
	}
	return bytes, nil
}
