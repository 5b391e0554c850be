package term

import (
	"io"
	"time"

	"github.com/schollz/progressbar/v3"
)

// Progress shows how far a long command has come, on a terminal alone.
type Progress struct {
	out   io.Writer
	bar   *progressbar.ProgressBar
	table string
}

// NewProgress makes a Progress that is shown on out.
func NewProgress(out io.Writer) *Progress { return &Progress{out: out} }

// Show shows that done rows of a table are finished, of so many in all. It fits the
// Progress option of imports and exports.
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
