package transfer

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/transfer"
	"github.com/authcompat/authcompat/store/django/tables"
)

// Target is the store that users and tokens come to.
type Target interface {
	core.Store
	transfer.Importer
}

// Options are the settings of an import.
type Options struct {
	// Policy is that of the profile which will serve the tokens: its realm, its
	// issuer, and the time to live of tokens that have no end of their own.
	Policy core.Policy
	// NoProfile tells that Policy is nobody's: tokens without an end of their own
	// are refused then.
	NoProfile bool
	// Sealer seals tokens whose text is known, so that they can be shown, and
	// exported, again. Without a key they only work.
	Sealer core.Sealer
	Random io.Reader
	Zone   *time.Location // of times without one
	Since  time.Time      // only rows from then on; the zero time: all
	// Rehearsal, if set, is an empty store in which the import finds out what it
	// would do; nothing is written to the target.
	Rehearsal transfer.Rehearsal
	// EndTokens lets a run end more tokens than it may by itself.
	EndTokens bool
	Clock     core.Clock
	// Name stands for the source's identity, if it is not empty.
	Name string
	// Progress hears how many rows of a table were read, of how many.
	Progress func(table string, read, of int)
}

// ErrNoKey is an import of tokens that the profile shows again, without the key
// that they are sealed with.
var ErrNoKey = errors.New("the profile shows tokens again at each login, and the key that seals them is missing")

// ErrNoProfile is an import of tokens that have no end of their own, without a
// profile to say when they end and whether they are shown again.
var ErrNoProfile = errors.New("tokens of Django REST framework's have no end of their own: the profile says when they end, and whether they are shown again at login")

// EndingError is a run that would end more tokens than a run ends by itself: they
// are not there any more at the source. Nothing was ended.
type EndingError struct{ Unseen, Here int }

// Error implements error.
func (e *EndingError) Error() string {
	return fmt.Sprintf("%d of the %d tokens that came from here before were not found there any more; so many are not ended without being told, and none was", e.Unseen, e.Here)
}

// How many tokens a run ends by itself: a tenth of those that came, or few.
const (
	endedAlways = 10
	endedOf     = 10
)

// Import takes over the users and then the tokens of a source. Rows that can't
// be taken over are reported and do not stop it. The report is good, as far as
// the import came, also beside an error.
func Import(ctx context.Context, from tables.Source, to Target, o Options) (*Report, error) {
	report := &Report{
		Source: from.Identity(), DryRun: o.Rehearsal != nil, Started: o.Clock().UTC(),
		Formats: map[string]int{}, Tokens: map[string]Counts{}, Problems: []Problem{}, Notes: []string{},
	}
	i := &importer{refused: map[string]bool{}, from: from, to: to, Options: o, report: report, decoder: tables.Decoder{Mapping: from.Shape().Mapping, Zone: o.Zone}}
	if o.Rehearsal != nil {
		i.to = &rehearsal{ImportReader: to, scratch: o.Rehearsal, tables: tableNames(from.Shape())}
	}
	err := i.run(ctx)
	report.Finished = o.Clock().UTC()
	return report, err
}

// batchRows is how many rows a batch has. Two more are read meanwhile.
const batchRows = transfer.MaxImport

type importer struct {
	Options
	decoder tables.Decoder
	from    tables.Source
	to      transfer.Importer
	place   transfer.Checkpoint
	report  *Report
	// unsure are names of users at the source who are not here under them.
	unsure map[string]bool
	// left are the keys of users who are to be given an id, when all others have
	// theirs.
	left map[string]bool
	// refused are texts of tokens whose users were not taken over, where the table
	// may have one text twice (twins): nobody else gets them.
	refused map[string]bool
	twins   bool
	// keysAreIDs tells that the keys of users at the source are their ids here.
	keysAreIDs bool
}

func (i *importer) run(ctx context.Context) (err error) {
	shape := i.from.Shape()
	if err := i.check(shape); err != nil {
		return err
	}
	name := i.from.Identity()
	if i.Name != "" {
		name = i.Name
	}
	if i.place, err = i.to.BeginImport(ctx, name, i.fingerprint()); err != nil {
		return fmt.Errorf("begin import: %w", err)
	}
	if err := i.checkTables(shape); err != nil {
		return err
	}
	i.place.Now = i.Clock().UTC()
	if shape.ByName {
		i.place.Stage, i.place.Cursor = "", "" // who has which name is found out in one go
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
	return i.finish(ctx, tableNames(shape))
}

// check refuses what can't be taken over rightly, before the first row.
func (i *importer) check(shape tables.Shape) error {
	if shape.Undecided != nil {
		return shape.Undecided
	}
	i.report.Notes = append(i.report.Notes, shape.Unsure...)
	if _, secret := shape.Mapping.Extra(shape.Users); len(secret) > 0 {
		i.report.Notes = append(i.report.Notes, "columns that look like secrets are left behind: "+strings.Join(secret, ", ")+" (attributes in a mapping would take them)")
	}
	for _, t := range shape.Tokens {
		if t.Format != core.Authtoken || t.Empty {
			continue
		}
		switch {
		case i.NoProfile:
			return ErrNoProfile
		case i.Policy.Reuse && i.Sealer.KeyID() == "":
			return ErrNoKey
		}
	}
	return nil
}

// checkTables refuses a source that has lost a table of tokens: that would look as
// if all its tokens had ended.
func (i *importer) checkTables(shape tables.Shape) error {
	if shape.Named {
		return nil
	}
	there := tableNames(shape)
	for _, before := range i.place.Tables {
		if !slices.Contains(there, before) {
			return fmt.Errorf("tokens of %s came from this source before, and now it is not there or may not be read; if that is meant, say which tables of tokens are with --token-table (%s: none), or give another --source-name", before, tables.NoTokens)
		}
	}
	return nil
}

// tableNames are the tables of tokens of a source.
func tableNames(shape tables.Shape) []string {
	var names []string
	for _, t := range shape.Tokens {
		names = append(names, t.Name)
	}
	return names
}

// finish ends the tokens that earlier runs took over and this one did not see, in
// tables that it has read whole.
func (i *importer) finish(ctx context.Context, tables []string) error {
	for _, name := range tables {
		if !slices.Contains(i.place.Tables, name) {
			i.place.Tables = append(i.place.Tables, name)
		}
	}
	if !i.Since.IsZero() {
		tables = nil
	}
	here, unseen, err := 0, 0, error(nil)
	if len(tables) > 0 {
		if here, unseen, err = i.to.CountImported(ctx, i.place, tables); err != nil {
			return fmt.Errorf("count tokens: %w", err)
		}
	}
	many := unseen > endedAlways && unseen*endedOf > here && !i.EndTokens
	if many || unseen == 0 {
		tables = nil
	}
	if i.report.Ended, err = i.to.FinishImport(ctx, i.place, tables); err != nil {
		return fmt.Errorf("finish import: %w", err)
	}
	if many {
		return &EndingError{Unseen: unseen, Here: here}
	}
	return nil
}

// fingerprint tells whether a run that was cut off was this one: it depends on all that
// decides what becomes of a row.
func (i *importer) fingerprint() string {
	p := i.Policy
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %q %q %v %t %t %v %v %s %v", i.from.Identity(), p.Issuer, p.Realm, p.TTL, p.Sliding, p.Reuse,
		i.Since, i.decoder.Mapping, i.Zone, tableNames(i.from.Shape())))
	return hex.EncodeToString(sum[:8])
}

// enter begins a stage, or goes on in it, and returns the place to read after.
func (i *importer) enter(table string) (after string) {
	if i.place.Stage == table {
		return i.place.Cursor
	}
	i.place.Stage, i.place.Cursor = table, ""
	return ""
}

// progress tells how far a table is.
func (i *importer) progress(table string, read, of int) {
	if i.Progress != nil {
		i.Progress(table, read, of)
	}
}

// batch are rows of a table, and the place after the last of them.
type batch[T any] struct {
	rows []T
	at   string
	read int // of the table so far
}

// readTable decodes the rows of a table in batches, and hands them to take while
// it reads on. The last batch may be empty.
func readTable[T any](ctx context.Context, i *importer, t tables.Table, decode func(tables.Row) T, take func(at string, rows []T) error) error {
	of, err := i.from.Count(ctx, t)
	if err != nil {
		return fmt.Errorf("count %s: %w", t, err)
	}
	after := i.enter(t.Name)
	i.progress(t.Name, 0, of)

	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	batches, failed := make(chan batch[T]), make(chan error, 1)
	go func() {
		defer close(batches)
		failed <- readBatches(ctx, i.from, t, after, decode, batches)
	}()
	for b := range batches {
		if err := take(b.at, b.rows); err != nil {
			cancel()
			for range batches { // until the reader has seen it
			}
			return err
		}
		i.progress(t.Name, b.read, of)
	}
	if err := <-failed; err != nil {
		return err
	}
	i.progress(t.Name, of, of)
	return nil
}

// readBatches sends the rows of a table.
func readBatches[T any](ctx context.Context, from tables.Source, t tables.Table, after string, decode func(tables.Row) T, to chan<- batch[T]) error {
	var b batch[T]
	send := func() error {
		select {
		case to <- b:
			b.rows = make([]T, 0, batchRows)
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	err := from.Each(ctx, t, after, func(row tables.Row) error {
		b.rows, b.at, b.read = append(b.rows, decode(row)), row.At, b.read+1
		if len(b.rows) < batchRows {
			return nil
		}
		return send()
	})
	if err != nil {
		return err
	}
	return send()
}
