package sqlite

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/transfer"
	"github.com/authcompat/authcompat/store/internal/record"
	"github.com/jmoiron/sqlx"
	"golang.org/x/sync/errgroup"
)

// bulkTimeout is the minimum timeout for a batch of an import, which has thousands of
// rows.
const bulkTimeout = time.Minute

var _ transfer.Importer = (*Store)(nil)

const selectImport = `SELECT id, run, options, stage, reached, tables FROM imports WHERE source = ?`

// FindImport implements [transfer.ImportReader].
func (s *Store) FindImport(ctx context.Context, source string) (checkpoint transfer.Checkpoint, err error) {
	err = s.read(ctx, func(ctx context.Context) error {
		var row record.Import
		err := s.reader.GetContext(ctx, &row, selectImport, source)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("select import: %w", err)
		}
		checkpoint, err = row.Checkpoint()
		return err
	})
	return checkpoint, err
}

// BeginImport implements [transfer.Importer].
func (s *Store) BeginImport(ctx context.Context, source, options string) (checkpoint transfer.Checkpoint, err error) {
	err = s.write(ctx, func(ctx context.Context, tx *sqlx.Tx) error {
		var row record.Import
		err := tx.GetContext(ctx, &row, selectImport, source)
		if errors.Is(err, sql.ErrNoRows) {
			err = tx.GetContext(ctx, &row, `
				INSERT INTO imports (source, options, run, stage, reached) VALUES (?, '', 0, '', '')
				RETURNING id, run, options, stage, reached, tables`, source)
		}
		if err != nil {
			return fmt.Errorf("select import: %w", err)
		}
		if checkpoint, err = row.Checkpoint(); err != nil {
			return err
		}
		if row.Stage == "" || row.Options != options {
			checkpoint.Run, checkpoint.Stage, checkpoint.Cursor = row.Run+1, "", ""
		}
		checkpoint.Options = options
		return nil
	})
	return checkpoint, err
}

// currentRun is the condition, on the row of a source, for its run ?1 to go on, or to begin.
const currentRun = `(run < ?1 OR run = ?1 AND stage <> '')`

// checkCurrent fails unless the run may go on.
func checkCurrent(ctx context.Context, tx *sqlx.Tx, p transfer.Checkpoint) error {
	var current bool
	if err := tx.GetContext(ctx, &current, `SELECT EXISTS (SELECT 1 FROM imports WHERE `+currentRun+` AND id = ?2)`, p.Run, p.Source); err != nil {
		return fmt.Errorf("select import: %w", err)
	}
	if !current {
		return transfer.ErrOvertaken
	}
	return nil
}

// saveCheckpoint writes the checkpoint of the import. It fails unless the run may go on.
func saveCheckpoint(ctx context.Context, tx *sqlx.Tx, p transfer.Checkpoint) error {
	n, err := record.Affected(tx.ExecContext(ctx, `UPDATE imports SET run = ?1, options = ?2, stage = ?3, reached = ?4, tables = ?5 WHERE `+currentRun+` AND id = ?6`,
		p.Run, p.Options, p.Stage, p.Cursor, jsonList(p.Tables), p.Source))
	if err != nil {
		return fmt.Errorf("save checkpoint: %w", err)
	}
	if n == 0 {
		return transfer.ErrOvertaken
	}
	return nil
}

// writeBulk is write for do with thousands of statements, on the connection for
// imports. The statements' context can't be canceled, because for a context that can
// be, the driver starts a goroutine per statement. The transaction itself still ends
// with ctx.
func (s *Store) writeBulk(ctx context.Context, do func(context.Context, *sqlx.Tx) error) error {
	db, err := s.bulk.open()
	if err != nil {
		return err
	}
	return s.writeTo(ctx, db, max(s.wait, bulkTimeout), func(ctx context.Context, tx *sqlx.Tx) error {
		return do(context.WithoutCancel(ctx), tx)
	})
}

// withoutTriggers runs do, which inserts rows, without the triggers that look for a row
// that each new one replaces: a batch replaces none. No other connection sees the
// database without the triggers, because they are restored in the same transaction.
func withoutTriggers(ctx context.Context, tx *sqlx.Tx, do func() error) error {
	var triggers []struct{ Name, SQL string }
	if err := tx.SelectContext(ctx, &triggers, `
		SELECT name, sql FROM sqlite_schema WHERE type = 'trigger' AND name IN ('token_replaced', 'user_replaced')`); err != nil {
		return fmt.Errorf("select triggers: %w", err)
	}
	for _, t := range triggers {
		if _, err := tx.ExecContext(ctx, `DROP TRIGGER `+t.Name); err != nil {
			return fmt.Errorf("remove trigger: %w", err)
		}
	}
	if err := do(); err != nil {
		return err
	}
	for _, t := range triggers {
		if _, err := tx.ExecContext(ctx, t.SQL); err != nil {
			return fmt.Errorf("put trigger back: %w", err)
		}
	}
	return nil
}

// bulkWriter is the connection for imports, which is open from the first batch to the
// end of a run.
type bulkWriter struct {
	dsn   string
	mutex sync.Mutex
	db    *sqlx.DB
	over  bool // the store is closed
}

// errClosed says that a store is used after Close.
var errClosed = errors.New("the database is closed")

// open returns the connection.
func (b *bulkWriter) open() (_ *sqlx.DB, err error) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	switch {
	case b.over:
		return nil, errClosed
	case b.db == nil:
		b.db, err = connect(b.dsn, 1)
	}
	return b.db, err
}

// close closes the connection: until the next run, or for good.
func (b *bulkWriter) close(forGood bool) error {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	b.over = b.over || forGood
	if b.db == nil {
		return nil
	}
	db := b.db
	b.db = nil
	return db.Close()
}

// FinishImport implements [transfer.Importer].
func (s *Store) FinishImport(ctx context.Context, checkpoint transfer.Checkpoint, tables []string) (ended int, err error) {
	if err := s.bulk.close(false); err != nil {
		return 0, s.explain(ctx, s.wait, err)
	}
	for len(tables) > 0 {
		n, err := s.revokeUnseen(ctx, checkpoint, tables)
		if err != nil {
			return ended, err
		}
		if n == 0 {
			break
		}
		ended += n
	}
	err = s.writeWithin(ctx, max(s.wait, bulkTimeout), func(ctx context.Context, tx *sqlx.Tx) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM import_seen WHERE source = ?`, checkpoint.Source); err != nil {
			return fmt.Errorf("forget seen tokens: %w", err)
		}
		return saveCheckpoint(ctx, tx, transfer.Checkpoint{Source: checkpoint.Source, Run: checkpoint.Run, Tables: checkpoint.Tables})
	})
	return ended, err
}

// linkedTokens is the condition for tokens imported from these tables of a source: ?1
// is the source, ?2 the tables. A token whose table is unknown may be from any of them.
// unseenTokens is the condition for those that run ?3 has not seen.
const (
	linkedTokens = `source = ?1 AND (origin = '' OR origin IN (SELECT value FROM json_each(?2)))`
	unseenTokens = `digest NOT IN (SELECT digest FROM import_seen WHERE source = ?1 AND run = ?3)`
)

// CountImported implements [transfer.ImportReader]. It counts two halves of the digests
// concurrently.
func (s *Store) CountImported(ctx context.Context, checkpoint transfer.Checkpoint, tables []string) (here, unseen int, err error) {
	var halves [2]struct{ here, unseen int }
	var both errgroup.Group
	for i, half := range []string{`digest < x'80'`, `digest >= x'80'`} {
		both.Go(func() (err error) {
			halves[i].here, halves[i].unseen, err = s.countImported(ctx, checkpoint, tables, half)
			return err
		})
	}
	err = both.Wait()
	return halves[0].here + halves[1].here, halves[0].unseen + halves[1].unseen, err
}

// countImported counts the tokens in one half of all digests.
func (s *Store) countImported(ctx context.Context, checkpoint transfer.Checkpoint, tables []string, half string) (here, unseen int, err error) {
	err = s.read(ctx, func(ctx context.Context) error {
		first, err := firstRun(ctx, s.reader, checkpoint)
		if err != nil {
			return err
		}
		linked := ` FROM tokens WHERE ` + half + ` AND ` + linkedTokens
		missing := `0`
		if !first {
			// One set less the other takes half the time of a look-up of each digest.
			missing = `(SELECT count(*) FROM (SELECT digest` + linked + ` EXCEPT SELECT digest FROM import_seen WHERE source = ?1 AND run = ?3 AND ` + half + `))`
		}
		if err := s.reader.QueryRowxContext(ctx, `SELECT count(*), `+missing+linked, checkpoint.Source, jsonList(tables), checkpoint.Run).Scan(&here, &unseen); err != nil {
			return fmt.Errorf("count imported tokens: %w", err)
		}
		return nil
	})
	return here, unseen, err
}

// showNewest makes the newest imported token of each user reusable, if the user has no
// reusable token: ?1 is the source, ?2 the users.
const showNewest = `
	UPDATE tokens SET reusable = 1 WHERE digest IN (
		SELECT digest FROM (
			SELECT t.digest, row_number() OVER (PARTITION BY t.user_id, t.realm, t.issuer ORDER BY t.created_at DESC, t.digest) AS place,
			       max(t.reusable) OVER (PARTITION BY t.user_id, t.realm, t.issuer) AS shown
			FROM tokens t WHERE t.user_id IN (SELECT value FROM json_each(?2))
				AND (t.reusable = 1 OR t.sealed IS NOT NULL AND t.source = ?1 AND t.twin IS NULL))
		WHERE place = 1 AND shown = 0)`

// revokeUnseen deletes a batch of the tokens that the run did not see, and returns
// their number.
func (s *Store) revokeUnseen(ctx context.Context, checkpoint transfer.Checkpoint, tables []string) (ended int, err error) {
	err = s.writeWithin(ctx, max(s.wait, bulkTimeout), func(ctx context.Context, tx *sqlx.Tx) error {
		if err := checkCurrent(ctx, tx, checkpoint); err != nil {
			return err
		}
		if first, err := firstRun(ctx, tx, checkpoint); first || err != nil {
			return err
		}
		var tokens []struct {
			Digest       []byte
			LegacyDigest []byte `db:"twin"`
			UserID       int64  `db:"user_id"`
			Reusable     bool
		}
		if err := tx.SelectContext(ctx, &tokens, `SELECT digest, twin, user_id, reusable FROM tokens
			WHERE `+linkedTokens+` AND `+unseenTokens+` LIMIT ?4`, checkpoint.Source, jsonList(tables), checkpoint.Run, transfer.MaxImport); err != nil {
			return fmt.Errorf("select unseen tokens: %w", err)
		}
		ended = len(tokens)
		if ended == 0 {
			return nil
		}
		var digests, links []core.Digest
		var users []int64 // users whose reusable token is deleted
		for _, t := range tokens {
			digests, links = append(digests, t.Digest), append(links, t.Digest)
			if t.LegacyDigest != nil {
				links = append(links, t.LegacyDigest)
			}
			if t.Reusable {
				users = append(users, t.UserID)
			}
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM tokens WHERE digest IN (SELECT unhex(value) FROM json_each(?))`, hexList(digests)); err != nil {
			return fmt.Errorf("end unseen tokens: %w", err)
		}
		if _, err := tx.ExecContext(ctx, `UPDATE imported_tokens SET absent = 1 WHERE digest IN (SELECT unhex(value) FROM json_each(?))`, hexList(links)); err != nil {
			return fmt.Errorf("mark unseen tokens: %w", err)
		}
		if _, err := tx.ExecContext(ctx, showNewest, checkpoint.Source, jsonList(users)); err != nil {
			return fmt.Errorf("show another token: %w", err)
		}
		return nil
	})
	return ended, err
}

// hexList returns digests as a JSON list for json_each. They are sorted, because that
// makes SQLite faster.
func hexList(digests []core.Digest) string {
	sorted := slices.SortedFunc(slices.Values(digests), func(a, b core.Digest) int { return bytes.Compare(a, b) })
	list := append(make([]byte, 0, 70*len(digests)+2), '[')
	for i, d := range sorted {
		if i > 0 {
			list = append(list, ',')
		}
		list = append(hex.AppendEncode(append(list, '"'), d), '"')
	}
	return string(append(list, ']'))
}

// jsonList returns strings or numbers as a JSON list for json_each.
func jsonList[T string | int64](values []T) string {
	text, _ := json.Marshal(append([]T{}, values...)) // can't fail for these types
	return string(text)
}

// ImportAddresses implements [transfer.Importer].
func (s *Store) ImportAddresses(ctx context.Context, addresses []core.Address) error {
	return s.writeWithin(ctx, max(s.wait, bulkTimeout), func(ctx context.Context, tx *sqlx.Tx) error {
		return s.addresses().Import(ctx, tx.Tx, addresses)
	})
}
