package keyring

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/authcompat/authcompat/core"
)

// WritableFile returns the path of the key file for a command that changes it. It fails if
// the keys are in EnvVar or have no file.
func (k Location) WritableFile() (string, error) {
	path, err := k.checkedPath()
	if path != "" || err != nil {
		return path, err
	}
	if _, ok := os.LookupEnv(EnvVar); ok {
		return "", fmt.Errorf("the keys stand in %s, which this command can't change: put a new key (head -c 32 /dev/urandom | base64) before the old ones, with a comma between them, and restart the servers; they seal tokens anew by themselves", EnvVar)
	}
	return "", errors.New("this store has no key file of its own: give --secret-key-file")
}

// Rotation is a change of a key file, and its result.
type Rotation struct {
	Path   string // of the key file
	NewKey bool   // put a new key before the old ones
	Drop   bool   // remove old keys that no token is sealed with
	Force  bool   // do so although a server may not have the newest key yet

	// The result of Run.
	Key      string // id of the key that seals
	Resealed int    // tokens that were sealed anew
	Broken   int    // tokens that did not open
	Dropped  int    // keys that were removed
	Kept     string // the file that has them now; empty if none was removed
	// Missing has the number of tokens of each key that is not in the file, by its id: they
	// could not be sealed anew.
	Missing map[string]int64
}

// Run changes the file, and seals the tokens of the service's store with its newest key.
// One rotation of a file runs at a time: if Run has to wait, it calls waiting with the
// file. The error is fs.ErrNotExist if there is no file. A rotation that was interrupted
// is finished by one without NewKey.
func (r *Rotation) Run(ctx context.Context, s *core.Service, admin core.Admin, waiting func(path string)) error {
	return lock(ctx, r.Path, waiting, func() error { return r.locked(ctx, s, admin) })
}

// locked is Run with the lock held: a rotation at the same time could remove the key that
// this one seals with.
func (r *Rotation) locked(ctx context.Context, s *core.Service, admin core.Admin) error {
	if r.Drop && !r.Force {
		if err := checkPropagated(r.Path, time.Now()); err != nil {
			return err
		}
	}
	if r.NewKey {
		if err := addKey(ctx, r.Path); err != nil {
			return err
		}
		if err := s.RecordOperation(ctx, core.ActionRotateSecret); err != nil {
			return err
		}
	}
	ring, err := readKeys(ctx, r.Path)
	if err != nil {
		return err
	}
	s.SealWith(ring.sealer)
	r.Key = ring.sealer.KeyID()
	if r.Resealed, r.Broken, err = s.Reseal(ctx, admin); err != nil {
		return fmt.Errorf("%w; %d tokens are sealed anew: authcompat secret reseal seals the others", err, r.Resealed)
	}
	if r.Missing, err = admin.SealKeys(ctx); err != nil {
		return fmt.Errorf("count sealed tokens: %w", err)
	}
	for _, id := range ring.sealer.KeyIDs() {
		delete(r.Missing, id)
	}
	if r.Drop {
		r.Dropped, r.Kept, err = dropKeys(ctx, admin, r.Path)
	}
	if r.Dropped > 0 {
		err = errors.Join(err, s.RecordOperation(ctx, core.ActionDropSecrets))
	}
	return err
}

// ExplainMissing adds to the error of a missing key file beside a database what to do
// about it.
func ExplainMissing(ctx context.Context, admin core.Admin, missing error) error {
	sealed, err := admin.SealKeys(ctx)
	switch {
	case err != nil:
		return errors.Join(missing, err)
	case len(sealed) > 0:
		return fmt.Errorf("%w; %w", missing, errKeysLost)
	}
	return fmt.Errorf("%w (serve makes it)", missing)
}

// addKey puts a new key before those of a file.
func addKey(ctx context.Context, path string) error {
	key, err := newKey()
	if err != nil {
		return err
	}
	return replaceKeys(ctx, path, func(r keyRing) ([]string, error) { return append([]string{key}, r.words...), nil })
}

// dropKeys removes from the file the keys that no token of the store is sealed with, except
// the newest. They are put into the file of removed keys, whose path it returns: a backup, or
// another user base that wrongly shares the file, may need them.
func dropKeys(ctx context.Context, admin core.Admin, path string) (dropped int, keptIn string, err error) {
	counts, err := admin.SealKeys(ctx)
	if err != nil {
		return 0, "", err
	}
	undo := func() error { return nil }
	err = replaceKeys(ctx, path, func(r keyRing) ([]string, error) {
		var kept, removed []string
		for i, id := range r.sealer.KeyIDs() {
			if i == 0 || counts[id] > 0 {
				kept = append(kept, r.words[i])
			} else {
				removed = append(removed, r.words[i])
			}
		}
		if len(removed) == 0 {
			return kept, nil
		}
		dropped = len(removed)
		if keptIn, undo, err = keepRemoved(ctx, path, removed); err != nil {
			undo = func() error { return nil }
		}
		return kept, err
	})
	if errors.Is(err, errMounted) { // any other may come after the file was replaced
		err = errors.Join(err, undo())
	}
	if err != nil {
		return 0, "", err
	}
	return dropped, keptIn, nil
}
