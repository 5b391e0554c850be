package moving

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/store/django"
)

// Target is the store that users and tokens come to.
type Target interface {
	core.Store
	core.Importer
}

// Options are the settings of an import.
type Options struct {
	// Policy is that of the profile which will serve the tokens: its realm, its
	// issuer, and the time to live of tokens that have no end of their own.
	Policy core.Policy
	// Sealer seals tokens whose text is known, so that they can be shown, and
	// exported, again. Without a key they only work.
	Sealer  core.Sealer
	Random  io.Reader
	Decoder django.Decoder
	Since   time.Time // only rows from then on; the zero time: all
	DryRun  bool
	Clock   core.Clock
	// Name stands for the source's identity, if it is not empty.
	Name string
	// Progress hears how many rows of a table were read, of how many.
	Progress func(table string, read, of int)
}

// ErrNoKey is an import of tokens that the profile shows again, without the key
// that they are sealed with.
var ErrNoKey = errors.New("the profile shows tokens again at each login, and the key that seals them is missing")

// Import takes over the users and then the tokens of a source. Rows that can't
// be taken over are reported and do not stop it. The report is good, as far as
// the import came, also beside an error.
func Import(ctx context.Context, from django.Source, to Target, o Options) (*Report, error) {
	report := &Report{
		Source: from.Identity(), DryRun: o.DryRun, Started: o.Clock().UTC(),
		Formats: map[string]int{}, Tokens: map[string]Counts{}, Problems: []Problem{},
	}
	i := &importer{from: from, to: to, Options: o, report: report}
	err := i.run(ctx)
	report.Finished = o.Clock().UTC()
	return report, err
}

type importer struct {
	Options
	from   django.Source
	to     Target
	place  core.ImportPlace
	report *Report
}

func (i *importer) run(ctx context.Context) (err error) {
	shape := i.from.Shape()
	if i.Decoder.Mapping, err = i.Decoder.Mapping.On(shape.Users); err != nil {
		return err
	}
	for _, t := range shape.Tokens {
		if t.Generation == core.Authtoken && i.Policy.Reuse && i.Sealer.KeyID() == "" {
			return ErrNoKey
		}
	}
	name := i.from.Identity()
	if i.Name != "" {
		name = i.Name
	}
	if i.place, err = i.to.BeginImport(ctx, name, i.fingerprint()); err != nil {
		return fmt.Errorf("begin import: %w", err)
	}
	i.place.Dry, i.place.Now = i.DryRun, i.Clock().UTC()
	if i.DryRun {
		i.place.Stage, i.place.Reached = "", ""
	}
	i.report.Resumed = i.place.Stage != ""
	// The stages before the one that was cut off are done.
	resume := i.place.Stage
	if resume == "" || resume == shape.Users.Name {
		if err := i.users(ctx, shape.Users); err != nil {
			return err
		}
		resume = ""
	}
	for _, t := range shape.Tokens {
		if resume != "" && resume != t.Name {
			continue
		}
		resume = ""
		if err := i.tokens(ctx, t); err != nil {
			return err
		}
	}
	if i.DryRun {
		return nil
	}
	i.report.Ended, err = i.to.FinishImport(ctx, i.place, i.Since.IsZero())
	return err
}

// fingerprint tells whether a run that was cut off was this one.
func (i *importer) fingerprint() string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %+v %v %v %s", i.from.Identity(), i.Policy, i.Since, i.Decoder.Mapping, i.Decoder.Zone))
	return hex.EncodeToString(sum[:8])
}

// enter begins a stage, or goes on in it, and gives the place to read after.
func (i *importer) enter(table string) (after string) {
	if i.place.Stage == table {
		return i.place.Reached
	}
	i.place.Stage, i.place.Reached = table, ""
	return ""
}

// progress tells how far a table is.
func (i *importer) progress(table string, read, of int) {
	if i.Progress != nil {
		i.Progress(table, read, of)
	}
}

// read gives the rows of a table in batches, each with the place after it.
func (i *importer) read(ctx context.Context, t django.Table, take func(django.Row), flush func(at string) error) error {
	of, err := i.from.Count(ctx, t)
	if err != nil {
		return fmt.Errorf("count %s: %w", t.Name, err)
	}
	read, last := 0, ""
	after := i.enter(t.Name)
	i.progress(t.Name, 0, of)
	err = i.from.Each(ctx, t, after, func(row django.Row) error {
		take(row)
		read, last = read+1, row.At
		if read%core.MaxImport != 0 {
			return nil
		}
		i.progress(t.Name, read, of)
		return flush(last)
	})
	if err != nil {
		return err
	}
	i.progress(t.Name, of, of)
	return flush(last)
}
