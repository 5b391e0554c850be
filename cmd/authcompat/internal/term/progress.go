package term

import (
	"io"
	"time"

	"github.com/schollz/progressbar/v3"
)

// Progress shows the progress of a long command, on a terminal only.
type Progress struct {
	out   io.Writer
	bar   *progressbar.ProgressBar
	table string
}

// NewProgress returns a Progress that is shown on out.
func NewProgress(out io.Writer) *Progress { return &Progress{out: out} }

// Show shows how many rows of a table are done, and of how many. It fits the Progress
// option of imports and exports.
func (p *Progress) Show(table string, done, of int) {
	if !IsInteractive(p.out) {
		return
	}
	if p.bar == nil || p.table != table {
		p.table = table
		p.bar = progressbar.NewOptions(of,
			progressbar.OptionSetWriter(p.out), progressbar.OptionSetDescription(Printable(table)),
			progressbar.OptionSetWidth(30), progressbar.OptionShowCount(), progressbar.OptionShowIts(),
			progressbar.OptionSetItsString("rows"), progressbar.OptionThrottle(100*time.Millisecond),
			progressbar.OptionClearOnFinish())
	}
	_ = p.bar.Set(done) // only a terminal that is gone fails
}
