package report

import (
	"fmt"
	"html/template"
	"io"

	"github.com/authcompat/authcompat/conformance"
)

const badgeBegins = "<!-- authcompat conformance -->\n"

// WriteBadge writes a report as an SVG image of one line, such as "conformance 57 passed", for a README
// or a wiki. It needs no service that draws it.
func WriteBadge(w io.Writer, r *conformance.Report) error {
	t := r.Totals()
	ran := t.Passed + t.Mismatches + t.CouldNotRun
	said, color := fmt.Sprintf("%d passed", t.Passed), "#2e7d32"
	switch r.Outcome() {
	case conformance.Mismatch:
		said, color = fmt.Sprintf("%d of %d failed", t.Mismatches, ran), "#c62828"
	case conformance.CouldNotRun:
		said, color = "could not run", "#6d6d6d"
	}
	const label, character = "conformance", 7 // an average width, in pixels; textLength makes it exact
	left, right := len(label)*character+12, len(said)*character+12
	image := template.Must(template.New("badge").Parse(badgeImage))
	return write(w, badgeBegins, image, map[string]any{
		"Label": label, "Said": said, "Color": color, "Left": left, "Right": right, "Width": left + right,
		"LabelAt": left / 2, "SaidAt": left + right/2, "LabelLength": left - 12, "SaidLength": right - 12,
	})
}

const badgeImage = `<svg xmlns="http://www.w3.org/2000/svg" width="{{.Width}}" height="20" role="img" aria-label="{{.Label}}: {{.Said}}">
<title>{{.Label}}: {{.Said}}</title>
<rect width="{{.Width}}" height="20" rx="3" fill="#444444"/>
<path d="M{{.Left}} 0h{{.Right}}v20h-{{.Right}}z" fill="{{.Color}}"/>
<g fill="#ffffff" text-anchor="middle" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11">
<text x="{{.LabelAt}}" y="14" textLength="{{.LabelLength}}">{{.Label}}</text>
<text x="{{.SaidAt}}" y="14" textLength="{{.SaidLength}}">{{.Said}}</text>
</g>
</svg>
`
