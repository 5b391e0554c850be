package transfer

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/sealing"
	"github.com/authcompat/authcompat/core/transfer"
	"github.com/authcompat/authcompat/store/django/tables"
)

// Target is the store that users and tokens are imported into.
type Target interface {
	core.Store
	transfer.Importer
}

// Options are the settings of an import.
type Options struct {
	// Policy is that of the profile that will serve the tokens: its realm, its issuer,
	// and the TTL of tokens that have no expiry of their own.
	Policy core.Policy
	// NoProfile is set if Policy is not a profile's. Tokens without an expiry of their
	// own are refused then.
	NoProfile bool
	// Sealer seals tokens whose text is known, so that they can be returned by a login
	// again, and exported. Without a key they only authenticate.
	Sealer sealing.Sealer
	Random io.Reader
	Zone   *time.Location // of times stored without one
	Since  time.Time      // skip rows before this time; zero for all rows
	// Rehearsal, if set, is an empty store in which the import determines what it would
	// do; nothing is written to the target.
	Rehearsal transfer.Rehearsal
	// EndTokens lifts the limit on the tokens that a run revokes.
	EndTokens bool
	Clock     core.Clock
	// Name, if not empty, replaces the source's identity.
	Name string
	// Progress is called with the number of rows read of a table, and their total.
	Progress func(table string, read, of int)
}

// ErrNoKey is the error for importing tokens that the profile returns again at login
// without the key that seals them.
var ErrNoKey = errors.New("the profile shows tokens again at each login, and the key that seals them is missing")

// ErrNoProfile is the error for importing tokens without an expiry of their own, and
// without a profile that says when they expire and whether a login returns them again.
var ErrNoProfile = errors.New("tokens of Django REST framework's have no end of their own: the profile says when they end, and whether they are shown again at login")

// EndingError is the error of a run that would revoke more tokens than the limit
// allows, because they are missing in the source. No token was revoked.
type EndingError struct{ Unseen, Here int }

// Error implements error.
func (e *EndingError) Error() string {
	return fmt.Sprintf("%d of the %d tokens that came from here before were not found there any more; so many are not ended without being told, and none was", e.Unseen, e.Here)
}

// Without EndTokens, a run revokes at most endedAlways tokens, or one in endedOf of
// those imported before.
const (
	endedAlways = 10
	endedOf     = 10
)

// Import imports the users and then the tokens of a source. Rows that can't be imported
// are reported and do not stop the import. If there is an error, the report covers what
// was done until then.
func Import(ctx context.Context, from tables.Source, to Target, o Options) (*Report, error) {
	report := &Report{
		Source: from.Identity(), DryRun: o.Rehearsal != nil, Started: o.Clock().UTC(),
		Formats: map[string]int{}, Tokens: map[string]Counts{}, Problems: []Problem{}, Notes: []string{},
	}
	i := &importer{refused: map[string]bool{}, from: from, to: to, Options: o, report: report, decoder: tables.Decoder{Mapping: from.Shape().Mapping, Zone: o.Zone}}
	if o.Rehearsal != nil {
		i.to = &rehearsal{ImportReader: to, scratch: o.Rehearsal, tables: tableNames(from.Shape())}
	}
	defer collectLess()()
	err := i.run(ctx)
	if err != nil && ctx.Err() != nil {
		err = ctx.Err() // what a statement says that was interrupted is its consequence
	}
	if errors.Is(err, transfer.ErrOvertaken) {
		report.Resumable = 0 // the next run begins anew, or goes on where the other one was
	}
	report.Finished = o.Clock().UTC()
	return report, err
}

// collectLess lets the garbage collector wait for more garbage than usual, unless GOGC says
// otherwise, until restore is called. A run makes much garbage and keeps only a few batches:
// for some 50 MB, it takes about a tenth less time (docs/performance.md).
func collectLess() (restore func()) {
	const usual, during = 100, 300
	if before := debug.SetGCPercent(during); before != usual {
		debug.SetGCPercent(before)
		return func() {}
	}
	return func() { debug.SetGCPercent(usual) }
}

// A batch has at most batchRows rows, and ends with the row that makes it batchBytes long.
// While the store writes one, another is prepared, and a third is read.
const (
	batchRows  = transfer.MaxImport
	batchBytes = 16 << 20
)

type importer struct {
	Options
	decoder tables.Decoder
	from    tables.Source
	to      transfer.Importer
	place   transfer.Checkpoint
	report  *Report
	// unsure are usernames in the source whose users do not have them here.
	unsure map[string]bool
	// left are the keys of users who get a new ID once all others have theirs.
	left map[string]bool
	// refused are texts of tokens whose users were not imported. It matters if the
	// table may contain a text twice (twins): no other user gets them.
	refused map[string]bool
	twins   bool
	// keysAreIDs is set if the users' keys in the source are their IDs here.
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
	if err := i.refuseCutOff(ctx); err != nil {
		return err
	}
	if err := i.checkTables(shape); err != nil {
		return err
	}
	i.place.Now = i.Clock().UTC()
	if shape.ByName {
		i.place.Stage, i.place.Cursor = "", "" // all names have to be assigned to users in one run
	}
	i.report.Resumed = i.place.Stage != ""
	// The stages before the interrupted one are complete.
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
	if err := i.addresses(ctx, shape.Addresses); err != nil {
		return err
	}
	return i.finish(ctx, tableNames(shape))
}

// check refuses a source that can't be imported correctly before its first row.
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

// checkTables refuses a source that lacks a token table of earlier runs: all its tokens
// would look revoked.
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

// tableNames returns the names of the source's token tables.
func tableNames(shape tables.Shape) []string {
	var names []string
	for _, t := range shape.Tokens {
		names = append(names, t.Name)
	}
	return names
}

// finish revokes the tokens that earlier runs imported and this one did not see, in
// tables that were read completely.
func (i *importer) finish(ctx context.Context, read []string) error {
	for _, name := range read {
		if !slices.Contains(i.place.Tables, name) {
			i.place.Tables = append(i.place.Tables, name)
		}
	}
	if !i.Since.IsZero() {
		read = nil
	}
	here, unseen, err := 0, 0, error(nil)
	if len(read) > 0 {
		if here, unseen, err = i.to.CountImported(ctx, i.place, read); err != nil {
			return fmt.Errorf("count tokens: %w", err)
		}
	}
	many := unseen > endedAlways && unseen*endedOf > here && !i.EndTokens
	if many || unseen == 0 {
		read = nil
	}
	if i.report.Ended, err = i.to.FinishImport(ctx, i.place, read); err != nil {
		return fmt.Errorf("finish import: %w", err)
	}
	if many {
		return &EndingError{Unseen: unseen, Here: here}
	}
	return nil
}

// fingerprint identifies the settings that decide what happens to a row. A run resumes
// an interrupted one only if they are equal.
func (i *importer) fingerprint() string {
	p := i.Policy
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %q %q %v %t %t %v %v %s %v", i.from.Identity(), p.Issuer, p.Realm, p.TTL, p.Sliding, p.Reuse,
		i.Since, i.decoder.Mapping, i.Zone, tableNames(i.from.Shape())))
	return hex.EncodeToString(sum[:8])
}

// enter begins or resumes a stage, and returns the position to read after.
func (i *importer) enter(table string) (after string) {
	if i.place.Stage == table {
		return i.place.Cursor
	}
	i.place.Stage, i.place.Cursor = table, ""
	return ""
}

// progress reports how far a table has been read.
func (i *importer) progress(table string, read, of int) {
	if i.Progress != nil {
		i.Progress(table, read, of)
	}
}

// batch holds rows of a table, and the position after the last of them. If err is set, it
// is the end of the table's batches, and rows is empty.
type batch[B any] struct {
	rows B
	at   string
	read int // number of the table's rows read so far
	err  error
}

// readTable passes the rows of a table in batches to prepare, and what that returns to
// take. Meanwhile it prepares the next batch and reads the one after that, so prepare must
// not touch what take changes. The last batch may be empty.
func readTable[B any](ctx context.Context, i *importer, t tables.Table, prepare func(ctx context.Context, rows []tables.Row) (B, error), take func(at string, rows B) error) error {
	of, err := i.from.Count(ctx, t)
	if err != nil {
		return fmt.Errorf("count %s: %w", t, err)
	}
	after := i.enter(t.Name)
	i.progress(t.Name, 0, of)

	ctx, cancel := context.WithCancel(ctx)
	read, prepared := make(chan batch[[]tables.Row]), make(chan batch[B])
	defer func() {
		cancel()
		for range prepared { // until nobody reads from the source any more
		}
	}()
	go readBatches(ctx, i.from, t, after, read)
	go prepareBatches(ctx, read, prepare, prepared)
	for b := range prepared {
		if err := cmp.Or(b.err, ctx.Err()); err != nil {
			return err
		}
		if err := take(b.at, b.rows); err != nil {
			return err
		}
		i.progress(t.Name, b.read, of)
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	i.progress(t.Name, of, of)
	return nil
}

// readBatches sends the rows of a table in batches.
func readBatches(ctx context.Context, from tables.Source, t tables.Table, after string, to chan<- batch[[]tables.Row]) {
	defer close(to)
	var b batch[[]tables.Row]
	size := 0
	err := from.Each(ctx, t, after, func(row tables.Row) error {
		b.rows, b.at, b.read = append(b.rows, row), row.At, b.read+1
		if size += row.Size(); len(b.rows) < batchRows && size < batchBytes {
			return nil
		}
		err := send(ctx, to, b)
		b.rows, size = make([]tables.Row, 0, len(b.rows)), 0
		return err
	})
	if err != nil {
		b = batch[[]tables.Row]{err: err}
	}
	_ = send(ctx, to, b) // fails if nobody wants it any more
}

// prepareBatches sends batches as the store gets them.
func prepareBatches[B any](ctx context.Context, from <-chan batch[[]tables.Row], prepare func(ctx context.Context, rows []tables.Row) (B, error), to chan<- batch[B]) {
	defer close(to)
	for b := range from {
		next := batch[B]{at: b.at, read: b.read, err: b.err}
		if next.err == nil {
			next.rows, next.err = prepare(ctx, b.rows)
		}
		if send(ctx, to, next) != nil {
			return // nobody wants it any more
		}
	}
}

// send sends b unless ctx ends before somebody takes it.
func send[B any](ctx context.Context, to chan<- batch[B], b batch[B]) error {
	select {
	case to <- b:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
