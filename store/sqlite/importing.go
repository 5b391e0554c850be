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

// BeginImport implements [core.Importer].
func (s *Store) BeginImport(ctx context.Context, source, options string) (place core.ImportPlace, err error) {
	err = s.write(ctx, func(ctx context.Context, tx *sqlx.Tx) error {
		row := struct {
			ID                      int64
			Run                     int64
			Options, Stage, Reached string
		}{}
		err := tx.GetContext(ctx, &row, `SELECT id, run, options, stage, reached FROM imports WHERE source = ?`, source)
		if errors.Is(err, sql.ErrNoRows) {
			err = tx.GetContext(ctx, &row, `
				INSERT INTO imports (source, options, run, stage, reached) VALUES (?, '', 0, '', '')
				RETURNING id, run, options, stage, reached`, source)
		}
		if err != nil {
			return fmt.Errorf("select import: %w", err)
		}
		place = core.ImportPlace{Source: row.ID, Run: row.Run, Options: options, Stage: row.Stage, Reached: row.Reached}
		if row.Stage == "" || row.Options != options {
			place.Run, place.Stage, place.Reached = row.Run+1, "", ""
		}
		return nil
	})
	return place, err
}

// errDry ends a batch that is not to be written.
var errDry = errors.New("dry run")

// rehearsed takes the end of a dry run as the success that it is.
func rehearsed(err error) error {
	if errors.Is(err, errDry) {
		return nil
	}
	return err
}

// keepPlace writes how far the import has come.
func keepPlace(ctx context.Context, tx *sqlx.Tx, p core.ImportPlace) error {
	if p.Dry {
		return errDry
	}
	if _, err := tx.ExecContext(ctx,
		`UPDATE imports SET run = ?, options = ?, stage = ?, reached = ? WHERE id = ?`, p.Run, p.Options, p.Stage, p.Reached, p.Source); err != nil {
		return fmt.Errorf("keep place: %w", err)
	}
	return nil
}

// FinishImport implements [core.Importer].
func (s *Store) FinishImport(ctx context.Context, place core.ImportPlace, whole bool) (ended int, err error) {
	for whole {
		n, err := s.endUnseen(ctx, place)
		if err != nil {
			return ended, err
		}
		if n == 0 {
			break
		}
		ended += n
	}
	err = s.write(ctx, func(ctx context.Context, tx *sqlx.Tx) error {
		return keepPlace(ctx, tx, core.ImportPlace{Source: place.Source, Run: place.Run})
	})
	return ended, err
}

// endUnseen removes a batch of the tokens that the run did not see, and gives
// their number.
func (s *Store) endUnseen(ctx context.Context, place core.ImportPlace) (ended int, err error) {
	err = s.write(ctx, func(ctx context.Context, tx *sqlx.Tx) error {
		var unseen [][]byte
		if err := tx.SelectContext(ctx, &unseen, `
			SELECT t.digest FROM imported_tokens i JOIN tokens t ON t.digest = i.digest WHERE i.source = ?1 AND i.run < ?2
			UNION ALL
			SELECT t.digest FROM imported_tokens i JOIN tokens t ON t.twin = i.digest AND t.twin IS NOT NULL WHERE i.source = ?1 AND i.run < ?2
			LIMIT ?3`, place.Source, place.Run, core.MaxImport); err != nil {
			return fmt.Errorf("select unseen tokens: %w", err)
		}
		ended = len(unseen)
		if _, err := tx.ExecContext(ctx, `DELETE FROM tokens WHERE digest IN (SELECT unhex(value) FROM json_each(?))`, hexList(unseen)); err != nil {
			return fmt.Errorf("end unseen tokens: %w", err)
		}
		return nil
	})
	return ended, err
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
