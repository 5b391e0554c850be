package command

import (
	"errors"

	"github.com/authcompat/authcompat/profiles"
	"github.com/authcompat/authcompat/profiles/yamlfile"
)

// A Problem is a problem of a file, as commands write it in JSON.
type Problem struct {
	Position yamlfile.Position `json:"position"` // file:line:column
	Key      string            `json:"key,omitempty"`
	Problem  string            `json:"problem"`
}

// ProblemsOf returns the problems of a profile or an exchange file that an error lists; nil if it lists
// none.
func ProblemsOf(err error) []Problem {
	var found yamlfile.Problems
	var ofProfile *profiles.Problems
	if !errors.As(err, &found) && errors.As(err, &ofProfile) {
		found = ofProfile.List
	}
	var list []Problem
	for _, p := range found {
		list = append(list, Problem{p.Position, p.Key, p.Text})
	}
	return list
}
