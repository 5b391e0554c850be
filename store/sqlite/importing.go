package sqlite

import (
	"context"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/jmoiron/sqlx"
)

// bulkWait is how long a batch of an import may take at most, where the store
// does not wait longer anyway: it has thousands of rows.
const bulkWait = time.Minute

var _ core.Importer = (*Store)(nil)

// importRow is a row of imports.
type importRow struct {
	ID                              int64
	Run                             int64
	Options, Stage, Reached, Tables string
}

const selectImport = `SELECT id, run, options, stage, reached, tables FROM imports WHERE source = ?`

// place gives where the run stands.
func (r importRow) place() (core.ImportPlace, error) {
	place := core.ImportPlace{Source: r.ID, Run: r.Run, Options: r.Options, Stage: r.Stage, Reached: r.Reached}
	if err := json.Unmarshal([]byte(r.Tables), &place.Tables); err != nil {
		return place, fmt.Errorf("tables of import %d are not a list of texts: %w", r.ID, err)
	}
	return place, nil
}

// FindImport implements [core.ImportReader].
func (s *Store) FindImport(ctx context.Context, source string) (place core.ImportPlace, err error) {
	err = s.read(ctx, func(ctx context.Context) error {
		var row importRow
		err := s.reader.GetContext(ctx, &row, selectImport, source)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("select import: %w", err)
		}
		place, err = row.place()
		return err
	})
	return place, err
}

// BeginImport implements [core.Importer].
func (s *Store) BeginImport(ctx context.Context, source, options string) (place core.ImportPlace, err error) {
	// Digests come in no order, so that each batch touches most pages: they had
	// better stay in memory, and not be written back one by one.
	if _, err := s.writer.ExecContext(ctx, `PRAGMA cache_size = -131072; PRAGMA wal_autocheckpoint = 65536`); err != nil {
		return place, explain(ctx, s.wait, fmt.Errorf("prepare import: %w", err))
	}
	err = s.write(ctx, func(ctx context.Context, tx *sqlx.Tx) error {
		var row importRow
		err := tx.GetContext(ctx, &row, selectImport, source)
		if errors.Is(err, sql.ErrNoRows) {
			err = tx.GetContext(ctx, &row, `
				INSERT INTO imports (source, options, run, stage, reached) VALUES (?, '', 0, '', '')
				RETURNING id, run, options, stage, reached, tables`, source)
		}
		if err != nil {
			return fmt.Errorf("select import: %w", err)
		}
		if place, err = row.place(); err != nil {
			return err
		}
		if row.Stage == "" || row.Options != options {
			place.Run, place.Stage, place.Reached = row.Run+1, "", ""
		}
		place.Options = options
		return nil
	})
	return place, err
}

// keepPlace writes how far the import has come.
func keepPlace(ctx context.Context, tx *sqlx.Tx, p core.ImportPlace) error {
	if _, err := tx.ExecContext(ctx, `UPDATE imports SET run = ?, options = ?, stage = ?, reached = ?, tables = ? WHERE id = ?`,
		p.Run, p.Options, p.Stage, p.Reached, jsonList(p.Tables), p.Source); err != nil {
		return fmt.Errorf("keep place: %w", err)
	}
	return nil
}

// unwatched is the context for the thousands of statements of a batch. One that can
// end makes the driver start a goroutine for each; the transaction itself ends with
// ctx all the same.
func unwatched(ctx context.Context) context.Context { return context.WithoutCancel(ctx) }

// FinishImport implements [core.Importer].
func (s *Store) FinishImport(ctx context.Context, place core.ImportPlace, tables []string) (ended int, err error) {
	after := []byte{}
	for len(tables) > 0 && after != nil {
		n := 0
		if n, after, err = s.endUnseen(ctx, place, tables, after); err != nil {
			return ended, err
		}
		ended += n
	}
	err = s.write(ctx, func(ctx context.Context, tx *sqlx.Tx) error {
		return keepPlace(ctx, tx, core.ImportPlace{Source: place.Source, Run: place.Run, Tables: place.Tables})
	})
	return ended, err
}

// fromTables are the tokens here that came from tables of a source; ?1 is the
// source, ?2 the tables. Those whose table is not known may be of any.
const fromTables = `imported_tokens i JOIN tokens t ON t.digest = i.digest OR t.twin = i.digest AND t.twin IS NOT NULL
	WHERE i.source = ?1 AND (i.origin = '' OR i.origin IN (SELECT value FROM json_each(?2)))`

// CountImported implements [core.ImportReader].
func (s *Store) CountImported(ctx context.Context, place core.ImportPlace, tables []string) (here, unseen int, err error) {
	err = s.read(ctx, func(ctx context.Context) error {
		row := s.reader.QueryRowxContext(ctx, `SELECT count(*), coalesce(sum(i.run < ?3), 0) FROM `+fromTables, place.Source, jsonList(tables), place.Run)
		if err := row.Scan(&here, &unseen); err != nil {
			return fmt.Errorf("count imported tokens: %w", err)
		}
		return nil
	})
	return here, unseen, err
}

// showNewest makes the newest token of users that came from a source the one that
// is shown again, where they have none: ?1 is the source, ?2 the users.
const showNewest = `
	UPDATE tokens SET reusable = 1 WHERE digest IN (
		SELECT digest FROM (
			SELECT t.digest, row_number() OVER (PARTITION BY t.user_id, t.realm, t.issuer ORDER BY t.created_at DESC, t.digest) AS place,
			       max(t.reusable) OVER (PARTITION BY t.user_id, t.realm, t.issuer) AS shown
			FROM tokens t WHERE t.user_id IN (SELECT value FROM json_each(?2)) AND (t.reusable = 1 OR t.sealed IS NOT NULL
				AND EXISTS (SELECT 1 FROM imported_tokens i WHERE i.digest = t.digest AND i.source = ?1)))
		WHERE place = 1 AND shown = 0)`

// endUnseen removes a batch of the tokens that the run did not see, and gives
// their number and the digest that it came to; nil where it was the last.
func (s *Store) endUnseen(ctx context.Context, place core.ImportPlace, tables []string, after []byte) (ended int, last []byte, err error) {
	err = s.write(ctx, func(ctx context.Context, tx *sqlx.Tx) error {
		var unseen []struct{ Link, Token []byte }
		if err := tx.SelectContext(ctx, &unseen, `SELECT i.digest AS link, t.digest AS token FROM `+fromTables+`
			AND i.run < ?3 AND i.digest > ?4 ORDER BY i.digest LIMIT ?5`,
			place.Source, jsonList(tables), place.Run, after, core.MaxImport); err != nil {
			return fmt.Errorf("select unseen tokens: %w", err)
		}
		links, tokens := make([][]byte, len(unseen)), make([][]byte, len(unseen))
		for n, u := range unseen {
			links[n], tokens[n] = u.Link, u.Token
		}
		ended, last = len(unseen), nil
		if ended > 0 {
			last = links[ended-1]
		}
		if _, err := tx.ExecContext(ctx, `UPDATE imported_tokens SET absent = 1 WHERE digest IN (SELECT unhex(value) FROM json_each(?))`, hexList(links)); err != nil {
			return fmt.Errorf("mark unseen tokens: %w", err)
		}
		list := hexList(tokens)
		var users []int64 // who lose the token that they are shown
		if err := tx.SelectContext(ctx, &users, `SELECT user_id FROM tokens WHERE reusable = 1 AND digest IN (SELECT unhex(value) FROM json_each(?))`, list); err != nil {
			return fmt.Errorf("select unseen tokens: %w", err)
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM tokens WHERE digest IN (SELECT unhex(value) FROM json_each(?))`, list); err != nil {
			return fmt.Errorf("end unseen tokens: %w", err)
		}
		if _, err := tx.ExecContext(ctx, showNewest, place.Source, jsonList(users)); err != nil {
			return fmt.Errorf("show another token: %w", err)
		}
		return nil
	})
	return ended, last, err
}

// hexList gives digests as a JSON list for json_each.
func hexList[T ~[]byte](digests []T) string {
	texts := make([]string, len(digests))
	for i, d := range digests {
		texts[i] = hex.EncodeToString(d)
	}
	return jsonList(texts)
}

// jsonList gives texts or numbers as a list for json_each.
func jsonList[T string | int64](values []T) string {
	text, _ := json.Marshal(values) // can't fail for these types
	return string(text)
}
