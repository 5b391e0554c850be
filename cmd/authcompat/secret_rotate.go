package main

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/store"
)

func newSecret() *cobra.Command {
	return group("secret", "Manage the keys that seal tokens which are shown again", newSecretRotate(), newSecretShow())
}

// keySource is where the sealing keys stand in a file.
func keySource(file, dsn string) (string, error) {
	if _, ok := os.LookupEnv(secretVariable); ok {
		return "", fmt.Errorf("the keys stand in %s, which this command can't change: put a new key (head -c 32 /dev/urandom | base64) before the old ones, with a comma between them, and restart the servers; they seal tokens anew by themselves", secretVariable)
	}
	if file != "" {
		return file, nil
	}
	if database, ok := store.SQLitePath(dsn); ok {
		return database + ".key", nil
	}
	return "", errors.New("this store has no key file of its own: give --secret-key-file")
}

func newSecretRotate() *cobra.Command {
	var flags engineFlags
	var file string
	var drop, asJSON bool
	cmd := &cobra.Command{
		Use:   "rotate",
		Short: "Put a new sealing key before the old ones, and seal all tokens with it",
		Long: `Put a new key into the key file, before the old ones, and seal all tokens anew with it. Tokens do not
change. Servers on the file go on meanwhile, and take the new key when they meet a token that is sealed
with it, or at SIGHUP. Cut off, the command is run again with --resume: it makes no other key, and goes on.

Old keys stay in the file, so that backups of the database can be used; --drop-old removes those that no
token is sealed with any more. Do so when every server has been started again, or had a SIGHUP, since the
rotation, and it was resumed after that: until then they may seal with the older key.`,
		Example: `  authcompat secret rotate
  authcompat secret rotate --resume --drop-old`,
		Args: cobra.NoArgs,
	}
	var resume bool
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if drop && !resume {
			return errors.New("--drop-old goes with --resume, once all servers have the new key")
		}
		path, err := keySource(file, flags.store)
		if err != nil {
			return err
		}
		return flags.administer(cmd, func(ctx context.Context, e *engine) error {
			if !resume {
				if err := addKey(path); err != nil {
					return err
				}
				if err := e.RecordOperation(ctx, core.ActRotateSecret); err != nil {
					return err
				}
			}
			sealer, err := openSealer(path, flags.store)
			if err != nil {
				return err
			}
			e.SealWith(sealer)
			done, broken, err := e.Reseal(ctx, e.admin)
			if err != nil {
				return fmt.Errorf("%w; %d tokens are sealed anew: go on with --resume", err, done)
			}
			dropped := 0
			if drop {
				if dropped, err = e.dropKeys(ctx, path, sealer); err != nil {
					return err
				}
			}
			record := map[string]any{"key": sealer.KeyID(), "resealed": done, "broken": broken, "dropped": dropped}
			return report(cmd.OutOrStdout(), asJSON, record, "key %s seals; %d tokens sealed anew, %d did not open; %d old keys removed", sealer.KeyID(), done, broken, dropped)
		})
	}
	flags.add(cmd.Flags())
	cmd.Flags().StringVar(&file, "secret-key-file", "", "the key file, where it is not the one beside an SQLite database")
	cmd.Flags().BoolVar(&resume, "resume", false, "make no new key, but seal what is not sealed with the newest")
	cmd.Flags().BoolVar(&drop, "drop-old", false, "remove old keys that no token is sealed with")
	cmd.Flags().BoolVar(&asJSON, "json", false, "as a JSON object")
	return cmd
}

func newSecretShow() *cobra.Command {
	var flags engineFlags
	var file string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "show",
		Short: "Show the ids of the sealing keys, and how many tokens each seals; never a key",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return flags.administer(cmd, func(ctx context.Context, e *engine) error {
				sealer, err := openSealer(file, flags.store)
				if err != nil {
					return err
				}
				counts, err := e.admin.SealKeys(ctx)
				if err != nil {
					return err
				}
				t := newTable(cmd.OutOrStdout(), asJSON, "KEY\tTOKENS\tSTATE")
				state := "seals"
				for _, id := range sealer.KeyIDs() {
					if err := t.row(map[string]any{"key": id, "tokens": counts[id], "state": state}, "%s\t%d\t%s", id, counts[id], state); err != nil {
						return err
					}
					delete(counts, id)
					state = "opens"
				}
				for id, n := range counts {
					if err := t.row(map[string]any{"key": id, "tokens": n, "state": "missing"}, "%s\t%d\tmissing", id, n); err != nil {
						return err
					}
				}
				return t.end()
			})
		},
	}
	flags.add(cmd.Flags())
	cmd.Flags().StringVar(&file, "secret-key-file", "", "the key file, where it is not the one beside an SQLite database")
	cmd.Flags().BoolVar(&asJSON, "json", false, "one JSON object a line")
	return cmd
}

// addKey puts a new key before those of a file.
func addKey(path string) error {
	key := make([]byte, core.KeySize)
	if _, err := rand.Read(key); err != nil {
		return fmt.Errorf("make sealing key: %w", err)
	}
	return changeKeys(path, func(keys []string) []string {
		return append([]string{base64.StdEncoding.EncodeToString(key)}, keys...)
	})
}

// dropKeys removes the keys but the newest from the file that no token is sealed
// with.
func (e *engine) dropKeys(ctx context.Context, path string, sealer core.Sealer) (dropped int, err error) {
	counts, err := e.admin.SealKeys(ctx)
	if err != nil {
		return 0, err
	}
	ids := sealer.KeyIDs()
	err = changeKeys(path, func(keys []string) []string {
		var kept []string
		for i, key := range keys {
			if i < len(ids) && (i == 0 || counts[ids[i]] > 0) {
				kept = append(kept, key)
			}
		}
		dropped = len(keys) - len(kept)
		return kept
	})
	return dropped, err
}

// changeKeys replaces the keys of a file in one step: at any moment there are the
// old ones or the new ones, on the disk.
func changeKeys(path string, change func([]string) []string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("sealing keys: %w", err)
	}
	if _, err := core.ParseKeys(string(text)); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	keys := strings.FieldsFunc(string(text), func(c rune) bool { return strings.ContainsRune(", \t\r\n", c) })
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*") // mode 0600
	if err != nil {
		return fmt.Errorf("sealing keys: %w", err)
	}
	defer os.Remove(f.Name())
	_, err = f.WriteString(strings.Join(change(keys), "\n") + "\n")
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("sealing keys: %w", err)
	}
	return syncDirectory(filepath.Dir(path))
}
