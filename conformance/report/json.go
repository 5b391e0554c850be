package report

import (
	"encoding/json"
	"io"
	"time"

	"github.com/authcompat/authcompat/conformance"
)

const jsonBegins = "{\n  \"outcome\": \""

// WriteJSON writes a report as one indented JSON document: outcome, start, totals, and the results of
// each profile, with their transcripts if the run had any.
func WriteJSON(w io.Writer, r *conformance.Report) error {
	type profile struct {
		Totals conformance.Totals `json:"totals"`
		conformance.ProfileReport
	}
	document := struct {
		Outcome  conformance.Outcome `json:"outcome"`
		Started  time.Time           `json:"started"`
		Totals   conformance.Totals  `json:"totals"`
		Profiles []profile           `json:"profiles"`
	}{r.Outcome(), r.Started, r.Totals(), []profile{}}
	for i := range r.Profiles {
		document.Profiles = append(document.Profiles, profile{r.Profiles[i].Totals(), r.Profiles[i]})
	}
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(document)
}
