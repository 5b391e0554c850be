package keyring

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
	"github.com/authcompat/authcompat/core/sealing"
)

// ReloadInterval is how often a server reads the keys again. Commands that change the keys
// rely on it.
const ReloadInterval = time.Minute

// Reloader loads the sealing keys for a running server, which keeps those that it has
// while they can't be read. After the start it never creates a key.
type Reloader struct {
	log   *slog.Logger
	dsn   string     // of the start: another store takes a restart
	admin core.Admin // counts the tokens of each key; nil: they can't be counted

	mu          sync.Mutex
	held        sealing.Sealer // the keys in memory
	started     bool
	unset       bool        // there is no location
	lastWarning string      // logged last; empty if the keys could be read
	last        fs.FileInfo // of the file when latest was read
	latest      sealing.Sealer
}

// NewReloader returns a Reloader for a server on the store at dsn. It logs when the keys
// can't be read.
func NewReloader(log *slog.Logger, dsn string) *Reloader { return &Reloader{log: log, dsn: dsn} }

// Unset reports whether there was no location of keys when the server started.
func (w *Reloader) Unset() bool { return w.unset }

func (w *Reloader) location(file string) Location { return Location{file, w.dsn} }

// Start returns the keys that a server starts with, from the file if one is named, and
// creates them as LoadOrCreate does. It removes the keys that a killed rotation has left in
// an unfinished file. A server starts even if its keys are lost: then the
// sealer has none, and a warning is logged.
func (w *Reloader) Start(ctx context.Context, file string, admin core.Admin) (sealing.Sealer, error) {
	location := w.location(file)
	if path, err := location.checkedPath(); path != "" && err == nil {
		if err := removeUnfinished(ctx, path); err != nil {
			w.log.Warn("a file with sealing keys can't be removed: a command that was killed has left it", "error", err)
		}
	}
	sealer, err := location.LoadOrCreate(ctx, admin)
	w.mu.Lock()
	defer w.mu.Unlock()
	if errors.Is(err, errKeysLost) {
		w.warnOnce(location, err)
		sealer, err = sealing.Sealer{}, nil
	}
	w.started, w.unset = true, sealer.KeyID() == "" && w.lastWarning == ""
	w.admin, w.held = admin, sealer
	return sealer, err
}

// Path returns the file that has the keys, given the file that a setting names; empty if
// they are in no file.
func (w *Reloader) Path(file string) string { return w.location(file).path() }

// adopt replaces the keys in memory by those that were read. If there are tokens that only
// the old ones open, the file is a wrong one or has lost keys: then it fails and changes
// nothing. The caller holds the lock.
func (w *Reloader) adopt(sealer sealing.Sealer) error {
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

// Reload returns the keys as they are now. If fresh is false, those in memory stay in use;
// the error says why, and is nil if only the file beside the database is missing.
func (w *Reloader) Reload(ctx context.Context, file string) (sealer sealing.Sealer, fresh bool, err error) {
	location := w.location(file)
	sealer, err = location.load(ctx)
	w.mu.Lock()
	defer w.mu.Unlock()
	if err == nil {
		err = w.adopt(sealer)
	}
	w.warnOnce(location, err)
	if errors.Is(err, fs.ErrNotExist) && file == "" {
		return sealing.Sealer{}, false, nil
	}
	return sealer, err == nil, err
}

// Refresh returns the keys again for a token whose key is missing: after `secret rotate` a
// server meets tokens that are sealed with a key from after its start. An unchanged file
// is not read again.
func (w *Reloader) Refresh(ctx context.Context, file string) (sealing.Sealer, error) {
	location := w.location(file)
	w.mu.Lock()
	defer w.mu.Unlock()
	now, err := os.Stat(location.path())
	if err == nil && w.last != nil && os.SameFile(w.last, now) && w.last.ModTime().Equal(now.ModTime()) {
		return w.latest, nil
	}
	sealer, reading := location.load(ctx)
	if reading == nil {
		reading = w.adopt(sealer)
	}
	if err == nil && reading == nil {
		w.last, w.latest = now, sealer
	}
	return sealer, reading
}

// warnOnce logs that the keys can't be read, once for as long as the reason stays the
// same. The caller holds the lock.
func (w *Reloader) warnOnce(location Location, err error) {
	was := w.lastWarning
	switch {
	case err == nil:
		w.lastWarning = ""
		if was != "" {
			w.log.Info("the sealing keys are there again", "file", location.path())
		}
		return
	case errors.Is(err, fs.ErrNotExist):
		w.lastWarning = "missing " + location.path() // Start tells more of it
	default:
		w.lastWarning = err.Error()
	}
	if w.lastWarning == was {
		return
	}
	if !w.started {
		w.log.Warn("the sealing keys are missing: logins that have to show a token again fail until the file is back; all else goes on", "file", location.path(), "error", err)
		return
	}
	w.log.Warn("the sealing keys can't be taken: the server goes on with those it has in memory; bring the file back before it ends", "file", location.path(), "error", err)
}
