package term

import (
	"io"
	"strings"

	"github.com/mattn/go-runewidth"
)

// gap is how many spaces stand between two columns at least.
const gap = 2

// Columns writes lines whose cells, each but the last ended by a tab, stand in columns on a terminal. It is
// [text/tabwriter] for cells that people wrote: letters of East Asian scripts and emojis take two places,
// and combining marks none (UAX #11).
type Columns struct {
	out   io.Writer
	text  strings.Builder
	width int // of a line, of which more is left out; 0: any
}

// NewColumns begins columns on w.
func NewColumns(w io.Writer) *Columns { return &Columns{out: w} }

// Write implements io.Writer. Nothing is written to the output until Flush.
func (c *Columns) Write(text []byte) (int, error) { return c.text.Write(text) }

// Flush writes the lines. Consecutive ones with tabs are a table of their own. The error is that of the
// output.
func (c *Columns) Flush() error {
	var out strings.Builder
	var table [][]string
	for line := range strings.Lines(c.text.String()) {
		cells := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if len(cells) > 1 {
			table = append(table, cells)
			continue
		}
		c.writeTable(&out, table)
		table = nil
		out.WriteString(line)
	}
	c.writeTable(&out, table)
	c.text.Reset()
	_, err := io.WriteString(c.out, out.String())
	return err
}

// writeTable writes rows of cells in columns. The last cell of a row is not padded.
func (c *Columns) writeTable(out *strings.Builder, rows [][]string) {
	// Not that of the locale: a table is the same wherever it is made.
	places := runewidth.Condition{StrictEmojiNeutral: true}
	var widths []int
	for _, cells := range rows {
		for i, cell := range cells[:len(cells)-1] {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], places.StringWidth(cell))
		}
	}
	for _, cells := range rows {
		var line strings.Builder
		for i, cell := range cells {
			line.WriteString(cell)
			if i < len(cells)-1 {
				line.WriteString(strings.Repeat(" ", widths[i]+gap-places.StringWidth(cell)))
			}
		}
		text := line.String()
		if c.width > 0 {
			text = places.Truncate(text, c.width, "…")
		}
		out.WriteString(text + "\n")
	}
}
