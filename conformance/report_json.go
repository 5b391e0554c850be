package conformance

import (
	"encoding/json"
	"io"
)

// WriteJSON writes the report as one indented JSON document: outcome, totals, and the results of
// each profile.
func (r *Report) WriteJSON(w io.Writer) error {
	type profile struct {
		Totals Totals `json:"totals"`
		ProfileReport
	}
	document := struct {
		Outcome  Outcome   `json:"outcome"`
		Totals   Totals    `json:"totals"`
		Profiles []profile `json:"profiles"`
	}{r.Outcome(), r.Totals(), []profile{}}
	for i := range r.Profiles {
		document.Profiles = append(document.Profiles, profile{r.Profiles[i].Totals(), r.Profiles[i]})
	}
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(document)
}
