package postgres

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/authcompat/authcompat/core"
	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"
)

var _ core.Importer = (*Store)(nil)

// BeginImport implements [core.Importer].
func (s *Store) BeginImport(ctx context.Context, source, options string) (place core.ImportPlace, err error) {
	err = s.bulk().write(ctx, func(ctx context.Context, tx *sqlx.Tx, _ bool) error {
		row := struct {
			ID                      int64
			Run                     int64
			Options, Stage, Reached string
		}{}
		const found = `SELECT id, run, options, stage, reached FROM @imports WHERE source = $1`
		err := tx.GetContext(ctx, &row, s.in(found), source)
		if errors.Is(err, sql.ErrNoRows) {
			err = tx.GetContext(ctx, &row, s.in(`
				INSERT INTO @imports (source, options, run, stage, reached) VALUES ($1, '', 0, '', '')
				RETURNING id, run, options, stage, reached`), source)
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
func (s *Store) keepPlace(ctx context.Context, tx *sqlx.Tx, p core.ImportPlace) error {
	if p.Dry {
		return errDry
	}
	_, err := tx.ExecContext(ctx, s.in(`UPDATE @imports SET run = $1, options = $2, stage = $3, reached = $4 WHERE id = $5`),
		p.Run, p.Options, p.Stage, p.Reached, p.Source)
	return wrap("keep place", err)
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
	err = s.bulk().write(ctx, func(ctx context.Context, tx *sqlx.Tx, _ bool) error {
		return s.keepPlace(ctx, tx, core.ImportPlace{Source: place.Source, Run: place.Run})
	})
	return ended, err
}

// endUnseen removes a batch of the tokens that the run did not see, and gives
// their number.
func (s *Store) endUnseen(ctx context.Context, place core.ImportPlace) (ended int, err error) {
	err = s.bulk().write(ctx, func(ctx context.Context, tx *sqlx.Tx, _ bool) error {
		n, err := affected(tx.ExecContext(ctx, s.in(`
			DELETE FROM @tokens WHERE digest IN (
				SELECT t.digest FROM @imported_tokens i JOIN @tokens t ON t.digest = i.digest WHERE i.source = $1 AND i.run < $2
				UNION ALL
				SELECT t.digest FROM @imported_tokens i JOIN @tokens t ON t.twin = i.digest AND t.twin IS NOT NULL WHERE i.source = $1 AND i.run < $2
				LIMIT $3)`), place.Source, place.Run, core.MaxImport))
		ended = int(n)
		return wrap("end unseen tokens", err)
	})
	return ended, err
}

// ImportUsers implements [core.Importer]. Nobody registers while a batch is
// written.
func (s *Store) ImportUsers(ctx context.Context, place core.ImportPlace, users []core.Account) (results []core.ImportResult, err error) {
	if len(users) > core.MaxImport {
		return nil, errors.New("more users than a batch may have")
	}
	err = s.bulk().write(ctx, func(ctx context.Context, tx *sqlx.Tx, _ bool) error {
		if _, err := tx.ExecContext(ctx, s.in(`LOCK TABLE @users IN SHARE ROW EXCLUSIVE MODE`)); err != nil {
			return fmt.Errorf("lock users: %w", err)
		}
		batch, err := s.knownUsers(ctx, tx, place.Source, users)
		if err != nil {
			return err
		}
		results = make([]core.ImportResult, len(users))
		var added, changed userColumns
		marks := map[int64][]byte{} // a source may tell a user twice
		for i, in := range users {
			merged := batch.Merge(in)
			results[i] = merged.Result
			if merged.Mark == nil {
				continue
			}
			if merged.Insert && merged.ID == 0 {
				if err := tx.GetContext(ctx, &merged.ID, s.in(`SELECT nextval(pg_get_serial_sequence('@users', 'id'))`)); err != nil {
					return fmt.Errorf("draw id: %w", err)
				}
			}
			batch.Add(merged)
			marks[merged.ID] = merged.Mark
			switch {
			case merged.Insert:
				err = added.add(merged.Account)
			case merged.Write:
				err = changed.add(merged.Account)
			}
			if err != nil {
				return err
			}
		}
		if err := s.writeUsers(ctx, tx, place, added, changed, marks); err != nil {
			return err
		}
		return s.keepPlace(ctx, tx, place)
	})
	return results, rehearsed(err)
}

// userColumns are users, column by column.
type userColumns struct {
	ids, created                []int64
	names, emails, hashes, more []string
	active                      []bool
}

func (c *userColumns) add(a core.Account) error {
	attributes, err := encodeAttributes(a.Attributes)
	if err != nil {
		return err
	}
	c.ids, c.created = append(c.ids, a.ID), append(c.created, a.CreatedAt.UnixMicro())
	c.names, c.emails, c.hashes = append(c.names, a.Username), append(c.emails, a.Email), append(c.hashes, a.PasswordHash)
	c.more, c.active = append(c.more, attributes.String), append(c.active, a.Active)
	return nil
}

// arrays gives the columns in the order of unnestUsers.
func (c *userColumns) arrays() []any {
	return []any{
		pq.Array(c.ids), pq.Array(c.names), pq.Array(c.emails), pq.Array(c.hashes),
		pq.Array(c.active), pq.Array(c.more), pq.Array(c.created),
	}
}

const unnestUsers = `unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::boolean[], $6::text[], $7::bigint[])
	AS n (id, username, email, password_hash, active, attributes, created_at)`

// writeUsers writes a batch. Those who change go first, so that a name may pass
// from one of them to a new one.
func (s *Store) writeUsers(ctx context.Context, tx *sqlx.Tx, place core.ImportPlace, added, changed userColumns, marks map[int64][]byte) error {
	if _, err := tx.ExecContext(ctx, s.in(`
		UPDATE @users u SET username = n.username, email = n.email, password_hash = n.password_hash,
		       active = n.active, attributes = nullif(n.attributes, '')
		FROM `+unnestUsers+` WHERE u.id = n.id`), changed.arrays()...); err != nil {
		return fmt.Errorf("update users: %w", err)
	}
	if _, err := tx.ExecContext(ctx, s.in(`
		INSERT INTO @users (id, username, email, password_hash, active, attributes, created_at)
		SELECT id, username, email, password_hash, active, nullif(attributes, ''), created_at FROM `+unnestUsers), added.arrays()...); err != nil {
		return fmt.Errorf("insert users: %w", err)
	}
	if err := s.markUsers(ctx, tx, place.Source, marks); err != nil {
		return err
	}
	if len(added.ids) == 0 || place.Dry {
		return nil
	}
	// The sequence is not part of the transaction, and only ever goes up.
	_, err := tx.ExecContext(ctx, s.in(`
		SELECT setval(pg_get_serial_sequence('@users', 'id'), greatest(max(id), nextval(pg_get_serial_sequence('@users', 'id')) - 1, 1))
		FROM @users`))
	return wrap("move ids on", err)
}

// markUsers keeps what was last taken over, or handed over, of users.
func (s *Store) markUsers(ctx context.Context, tx *sqlx.Tx, source int64, marks map[int64][]byte) error {
	ids, contents := make([]int64, 0, len(marks)), make([][]byte, 0, len(marks))
	for id, mark := range marks {
		ids, contents = append(ids, id), append(contents, mark)
	}
	_, err := tx.ExecContext(ctx, s.in(`
		INSERT INTO @imported_users (user_id, source, mark)
		SELECT id, $2, mark FROM unnest($1::bigint[], $3::bytea[]) AS n (id, mark)
		ON CONFLICT (user_id) DO UPDATE SET source = excluded.source, mark = excluded.mark`),
		pq.Array(ids), source, pq.ByteaArray(contents))
	return wrap("mark users", err)
}

// knownUsers reads what is here of users who have an id or a name of the batch.
func (s *Store) knownUsers(ctx context.Context, tx *sqlx.Tx, source int64, users []core.Account) (core.UserBatch, error) {
	ids, names := make([]int64, 0, len(users)), make([]string, 0, len(users))
	for _, u := range users {
		ids = append(ids, u.ID)
		if result := core.MergeUser(u, core.UserFacts{}).Result; result.Outcome != core.ImportRefused {
			names = append(names, u.Username) // others may be no text of PostgreSQL's
		}
	}
	var rows []accountRow
	if err := tx.SelectContext(ctx, &rows, s.in(`
		SELECT id, username, email, password_hash, active, attributes, created_at FROM @users
		WHERE id = ANY ($1::bigint[]) OR username = ANY ($2::text[])`), pq.Array(ids), pq.Array(names)); err != nil {
		return core.UserBatch{}, fmt.Errorf("select users: %w", err)
	}
	here := make([]core.Account, 0, len(rows))
	for _, row := range rows {
		account, err := row.account()
		if err != nil {
			return core.UserBatch{}, err
		}
		here, ids = append(here, account), append(ids, row.ID)
	}
	marks, err := s.selectMarks(ctx, tx, source, ids)
	if err != nil {
		return core.UserBatch{}, err
	}
	return core.NewUserBatch(here, marks), nil
}
