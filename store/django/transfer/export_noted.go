package transfer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/transfer"
	"github.com/authcompat/authcompat/store/django/tables"
)

// ErrExportCutOff is the error of an import from a source that an export was writing to when it was cut off: what has
// ended or changed there since can't be told from what the export has not written.
var ErrExportCutOff = errors.New("an export to there was cut off, or is under way, and what it wrote last is not known: run the export once more, then the import")

// settleTimeout bounds how long a failed export waits to find out what is there.
const settleTimeout = 10 * time.Second

// A page is written there in one transaction and marked here in another. What an export that was cut off between the two has
// written would look as if it had come from there: a token that was logged out here since would come back by an import,
// one that was logged out there by an export, and a password that was chosen there since would give way to the exported one.
// So it is noted here before it is committed there.

// note notes what the transaction under way is about to write.
func (e *exporter) note(ctx context.Context, noted transfer.NotedExport) error {
	if noted.Empty() {
		return nil
	}
	return e.from.NoteExported(ctx, e.place.Source, noted)
}

// settle marks as exported what an export that was cut off has written. A page is there as a whole or not at all.
func (e *exporter) settle(ctx context.Context) error {
	noted, err := e.from.NotedExport(ctx, e.place.Source)
	if err != nil || noted.Empty() {
		return err
	}
	if err := e.await(ctx, noted); err != nil {
		return err
	}
	users, err := e.settledUsers(ctx, noted.Users)
	if err != nil {
		return err
	}
	there, err := e.anyThere(ctx, noted.Tokens)
	if err != nil {
		return err
	}
	if !there {
		noted.Tokens = nil
	}
	return e.from.MarkExported(ctx, e.place, users, noted.Tokens)
}

// await waits until what was noted is there, or never comes: the server may still be at the commit of a connection that was cut.
func (e *exporter) await(ctx context.Context, noted transfer.NotedExport) error {
	if len(noted.Users) > 0 {
		if err := e.to.AwaitUsers(ctx); err != nil {
			return err
		}
	}
	if len(noted.Tokens) > 0 {
		return e.to.AwaitTokens(ctx)
	}
	return nil
}

// settleFailed settles a page that could not be committed: as a rule, nothing of it is there. If that can't be found out now, the next export
// does it.
func (e *exporter) settleFailed(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleTimeout)
	defer cancel()
	_ = e.settle(ctx)
}

// settledUsers returns those of the noted users who are there, with the fingerprints of what was written. One that is there as it was noted
// shows that the page was written. Else each half is told by itself: the one that is no longer as it was when the
// user was last moved was written, and has changed again, or has changed on both sides; in both cases the change there counts.
func (e *exporter) settledUsers(ctx context.Context, noted []transfer.UserLink) ([]transfer.ImportedUser, error) {
	if len(noted) == 0 {
		return nil, nil
	}
	ids, keys := make([]int64, len(noted)), make([]string, len(noted))
	for n, l := range noted {
		ids[n], keys[n] = l.UserID, l.Key
	}
	links, err := e.from.LinkedFingerprints(ctx, e.place.Source, ids)
	if err != nil {
		return nil, fmt.Errorf("read links: %w", err)
	}
	before := make(map[int64][]byte, len(links))
	for _, l := range links {
		before[l.UserID] = l.Fingerprint
	}
	there := make(map[string][]byte, len(noted))
	err = e.to.Write(ctx, func(b *tables.Batch) error {
		accounts, err := b.Accounts(ctx, keys, nil)
		for _, u := range accounts {
			there[u.Key] = transfer.UserFingerprint(u.Account)
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("look for users: %w", err)
	}
	written := false
	for _, l := range noted {
		written = written || bytes.Equal(there[l.Key], l.Fingerprint)
	}
	var users []transfer.ImportedUser
	for _, l := range noted {
		now, was := there[l.Key], before[l.UserID]
		if now == nil || was == nil && !written { // the key may be somebody else's there
			continue
		}
		u := transfer.ImportedUser{Key: l.Key, Fingerprint: l.Fingerprint, Account: core.Account{User: core.User{ID: l.UserID}}}
		if !written {
			u.Fingerprint = changedHalves(was, now, l.Fingerprint)
		}
		users = append(users, u)
	}
	return users, nil
}

// changedHalves returns a fingerprint with those halves of noted that are in now no longer as they were.
func changedHalves(was, now, noted []byte) []byte {
	half := len(was) / 2
	settled := bytes.Clone(was)
	if !bytes.Equal(now[:half], was[:half]) {
		copy(settled[:half], noted[:half])
	}
	if !bytes.Equal(now[half:], was[half:]) {
		copy(settled[half:], noted[half:])
	}
	return settled
}

// anyThere reports whether any of the tokens is in the target.
func (e *exporter) anyThere(ctx context.Context, noted map[string][]core.Digest) (there bool, err error) {
	wanted := map[string]bool{}
	for _, digests := range noted {
		for _, d := range digests {
			wanted[string(d)] = true
		}
	}
	if len(wanted) == 0 {
		return false, nil
	}
	for _, table := range e.to.Shape().Tokens {
		err := e.to.EachToken(ctx, table, func(k tables.ExistingToken) error {
			there = there || wanted[string(k.ID)]
			return nil
		})
		if err != nil {
			return false, err
		}
	}
	return there, nil
}

// refuseCutOff refuses a source that an export was writing to when it was cut off.
func (i *importer) refuseCutOff(ctx context.Context) error {
	noted, err := i.to.NotedExport(ctx, i.place.Source)
	if err == nil && !noted.Empty() {
		return ErrExportCutOff
	}
	return err
}
