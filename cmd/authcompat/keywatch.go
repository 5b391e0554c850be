package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/authcompat/authcompat/core"
)

// resealEvery is how often a server takes the keys as they are then.
const resealEvery = time.Minute

// keyWatch finds the sealing keys for a running server, which goes on with those
// that it has while they can't be read. It never writes a key after the start.
type keyWatch struct {
	log   *slog.Logger
	dsn   string     // of the start: another store takes a restart
	admin core.Admin // knows which keys tokens are sealed with; nil: nobody does

	mu      sync.Mutex
	held    core.Sealer // the keys in memory
	begun   bool
	none    bool        // no place of keys is given
	trouble string      // what was logged last; empty: the keys could be read
	last    fs.FileInfo // of the file that latest was read from
	latest  core.Sealer
}

// newKeyWatch gives what finds the keys of a server on a store.
func newKeyWatch(log *slog.Logger, dsn string) *keyWatch { return &keyWatch{log: log, dsn: dsn} }

// unset tells whether the server started where no place of keys is given.
func (w *keyWatch) unset() bool { return w.none }

func (w *keyWatch) place(file string) keyPlace { return keyPlace{file, w.dsn} }

// begin gives the keys that a server starts with. Without those that tokens are
// sealed with it starts, and says so.
func (w *keyWatch) begin(ctx context.Context, file string, admin core.Admin) (core.Sealer, error) {
	place := w.place(file)
	sealer, err := place.readOrMake(ctx, admin)
	w.mu.Lock()
	defer w.mu.Unlock()
	if errors.Is(err, errKeysLost) {
		w.note(place, err)
		sealer, err = core.Sealer{}, nil
	}
	w.begun, w.none = true, sealer.KeyID() == "" && w.trouble == ""
	w.admin, w.held = admin, sealer
	return sealer, err
}

// take takes keys into use that were read. Where those in memory open tokens that
// the new ones don't, the file is another one's, or has lost keys: the error says
// so, and nothing changes. The caller holds the lock.
func (w *keyWatch) take(sealer core.Sealer) error {
	missing := slices.DeleteFunc(w.held.KeyIDs(), func(id string) bool { return slices.Contains(sealer.KeyIDs(), id) })
	if len(missing) > 0 && w.admin != nil {
		ctx, cancel := context.WithTimeout(context.Background(), countTime)
		defer cancel()
		counts, err := w.admin.SealKeys(ctx)
		if err != nil {
			return fmt.Errorf("count sealed tokens: %w", err)
		}
		for _, id := range missing {
			if n := counts[id]; n > 0 {
				return fmt.Errorf("key %s is not there any more, and %d tokens are sealed with it", id, n)
			}
		}
	}
	w.held = sealer
	return nil
}

// countTime is how long it may take to count the tokens of each key.
const countTime = 30 * time.Second

// again gives the keys as they are now. Where fresh is false, those in memory
// hold; that is an error unless the file beside the database is missing.
func (w *keyWatch) again(file string) (sealer core.Sealer, fresh bool, err error) {
	place := w.place(file)
	sealer, err = place.read()
	w.mu.Lock()
	defer w.mu.Unlock()
	if err == nil {
		err = w.take(sealer)
	}
	w.note(place, err)
	if errors.Is(err, fs.ErrNotExist) && file == "" {
		return core.Sealer{}, false, nil
	}
	return sealer, err == nil, err
}

// rekey gives the keys anew for a token whose key is missing: after `secret
// rotate` a server meets tokens that are sealed with a key which came after its
// start. A file that is the same is not read again.
func (w *keyWatch) rekey(file string) (core.Sealer, error) {
	place := w.place(file)
	w.mu.Lock()
	defer w.mu.Unlock()
	now, err := os.Stat(place.path())
	if err == nil && w.last != nil && os.SameFile(w.last, now) && w.last.ModTime().Equal(now.ModTime()) {
		return w.latest, nil
	}
	sealer, reading := place.read()
	if reading == nil {
		reading = w.take(sealer)
	}
	if err == nil && reading == nil {
		w.last, w.latest = now, sealer
	}
	return sealer, reading
}

// note logs that the keys can't be read, once until they can or another thing is
// wrong with them. The caller holds the lock.
func (w *keyWatch) note(place keyPlace, err error) {
	was := w.trouble
	switch {
	case err == nil:
		w.trouble = ""
		if was != "" {
			w.log.Info("the sealing keys are there again", "file", place.path())
		}
		return
	case errors.Is(err, fs.ErrNotExist):
		w.trouble = "missing " + place.path() // begin tells more of it
	default:
		w.trouble = err.Error()
	}
	if w.trouble == was {
		return
	}
	if !w.begun {
		w.log.Warn("the sealing keys are missing: logins that have to show a token again fail until the file is back; all else goes on", "file", place.path(), "error", err)
		return
	}
	w.log.Warn("the sealing keys can't be taken: the server goes on with those it has in memory; bring the file back before it ends", "file", place.path(), "error", err)
}
