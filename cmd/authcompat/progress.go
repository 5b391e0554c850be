package main

import (
	"io"
	"time"

	"github.com/schollz/progressbar/v3"
)

// progress shows how far a long command is, on a terminal alone.
type progress struct {
	out   io.Writer
	bar   *progressbar.ProgressBar
	table string
}

func newProgress(out io.Writer) *progress { return &progress{out: out} }

// show tells that so many rows of a table are done.
func (p *progress) show(table string, done, of int) {
	if !isTerminal(p.out) {
		return
	}
	if p.bar == nil || p.table != table {
		p.table = table
		p.bar = progressbar.NewOptions(of,
			progressbar.OptionSetWriter(p.out), progressbar.OptionSetDescription(printable(table)),
			progressbar.OptionSetWidth(30), progressbar.OptionShowCount(), progressbar.OptionShowIts(),
			progressbar.OptionSetItsString("rows"), progressbar.OptionThrottle(100*time.Millisecond),
			progressbar.OptionClearOnFinish())
	}
	_ = p.bar.Set(done) // only a terminal that is gone fails
}
