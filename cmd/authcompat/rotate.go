package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/authcompat/authcompat/core"
)

// fileToChange is path for a command that changes the keys.
func (k keyPlace) fileToChange() (string, error) {
	if path := k.path(); path != "" {
		return path, nil
	}
	if _, ok := os.LookupEnv(secretVariable); ok {
		return "", fmt.Errorf("the keys stand in %s, which this command can't change: put a new key (head -c 32 /dev/urandom | base64) before the old ones, with a comma between them, and restart the servers; they seal tokens anew by themselves", secretVariable)
	}
	return "", errors.New("this store has no key file of its own: give --secret-key-file")
}

// rotation is a change of a key file, and what came of it.
type rotation struct {
	path              string
	anew, drop, force bool

	key                   string // that seals
	done, broken, dropped int
}

// run does it all under the lock: a rotation beside it could drop the key that
// this one seals with.
func (r *rotation) run(ctx context.Context, s *core.Service, admin core.Admin) error {
	if r.drop && !r.force {
		if err := settledKeys(r.path); err != nil {
			return err
		}
	}
	if r.anew {
		if err := addKey(r.path); err != nil {
			return err
		}
		if err := s.RecordOperation(ctx, core.ActRotateSecret); err != nil {
			return err
		}
	}
	ring, err := readKeys(r.path)
	if err != nil {
		return err
	}
	s.SealWith(ring.sealer)
	r.key = ring.sealer.KeyID()
	if r.done, r.broken, err = s.Reseal(ctx, admin); err != nil {
		return fmt.Errorf("%w; %d tokens are sealed anew: go on with --resume", err, r.done)
	}
	if r.drop {
		r.dropped, err = dropKeys(ctx, admin, r.path)
	}
	if r.dropped > 0 {
		err = errors.Join(err, s.RecordOperation(ctx, core.ActDropSecrets))
	}
	return err
}

// settleTime is how long after a change of a key file all servers have the new
// keys.
const settleTime = 2 * resealEvery

// settledKeys fails where a server may not have the newest keys of a file yet.
func settledKeys(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return fmt.Errorf("sealing keys: %w", err)
	}
	if left := settleTime - time.Since(info.ModTime()); left > 0 {
		return fmt.Errorf("%s was changed a moment ago, and a server may still seal with an old key: drop old keys in %v, or with --force if no server runs or all have had a SIGHUP since",
			path, left.Round(time.Second))
	}
	return nil
}

// noKeys says what is to be done where there is no file of keys beside a database.
func noKeys(ctx context.Context, admin core.Admin, missing error) error {
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
func addKey(path string) error {
	key, err := newKey()
	if err != nil {
		return err
	}
	return changeKeys(path, func(r keyRing) []string { return append([]string{key}, r.words...) })
}

// dropKeys removes the keys but the newest from the file that no token is sealed
// with.
func dropKeys(ctx context.Context, admin core.Admin, path string) (dropped int, err error) {
	counts, err := admin.SealKeys(ctx)
	if err != nil {
		return 0, err
	}
	err = changeKeys(path, func(r keyRing) []string {
		var kept []string
		for i, id := range r.sealer.KeyIDs() {
			if i == 0 || counts[id] > 0 {
				kept = append(kept, r.words[i])
			}
		}
		dropped = len(r.words) - len(kept)
		return kept
	})
	return dropped, err
}
