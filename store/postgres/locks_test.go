package postgres_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"testing"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/store/postgres/postgrestest"
)

// TestLocked has another transaction hold locks.
func TestLocked(t *testing.T) {
	t.Parallel()
	const wait = 300 * time.Millisecond
	dsn := postgrestest.Schema(t, "wait", patient)
	direct := mustOpen(t, dsn)
	s := mustOpen(t, postgrestest.With(t, dsn, "wait", wait.String()))
	holder := raw(t, postgrestest.DSN(t))
	number := 0
	for name, prepare := range operations() {
		number++
		op := prepare(t, direct, number)
		schema := schemaOf(t, dsn)
		run(t, holder, `BEGIN`, `LOCK TABLE `+schema+`.users, `+schema+`.tokens, `+schema+`.cutover IN EXCLUSIVE MODE`)

		began := time.Now()
		if err := op.run(t.Context(), s); !errors.Is(err, core.ErrUnavailable) {
			t.Errorf("%s: error %v", name, err)
		}
		if took := time.Since(began); took > wait+soon {
			t.Errorf("%s: answered after %v", name, took)
		}
		if err := s.Ping(t.Context()); err != nil {
			t.Errorf("look-ups don't go on: %v", err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		if err := op.run(ctx, s); !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, core.ErrUnavailable) {
			t.Errorf("%s: error %v", name, err)
		}
		cancel()
		waited := make(chan error)
		go func() { waited <- op.run(t.Context(), direct) }()
		run(t, holder, `ROLLBACK`)
		if err := <-waited; err != nil {
			t.Errorf("%s: after the lock was given back: %v", name, err)
		}
		if !op.done(t, direct) {
			t.Errorf("%s: not done", name)
		}
	}
}

// schemaOf returns the schema in a DSN.
func schemaOf(t *testing.T, dsn string) string {
	t.Helper()
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	return u.Query().Get("schema")
}

// TestDeadlock makes the store's transaction the victim of a deadlock.
func TestDeadlock(t *testing.T) {
	t.Parallel()
	dsn := postgrestest.Schema(t, "wait", patient)
	schema := schemaOf(t, dsn)
	s := mustOpen(t, postgrestest.With(t, dsn, "deadlock_timeout", "300ms"))
	holder := raw(t, postgrestest.With(t, postgrestest.DSN(t), "deadlock_timeout", "1min"))
	for round := range 2 {
		user, _ := someone(t, s, round)
		if err := s.IssueToken(t.Context(), tokenOf(user, fmt.Sprint("another of ", round)), "", 0, nil); err != nil {
			t.Fatal(err)
		}
		// Each of the two comes to hold a token that the other wants. The one that has
		// waited for the deadlock_timeout checks for a deadlock, once, and is the
		// victim.
		run(t, holder, `BEGIN`)
		var last []byte
		err := holder.QueryRowContext(t.Context(), `SELECT digest FROM `+schema+`.tokens WHERE user_id = $1 ORDER BY ctid DESC LIMIT 1 FOR UPDATE`, user.ID).Scan(&last)
		if err != nil {
			t.Fatal(err)
		}
		deleted := make(chan error)
		go func() {
			n, err := s.DeleteUserTokens(t.Context(), user.ID, "default", nil)
			if err == nil && n != 2 {
				err = fmt.Errorf("%d tokens were deleted", n)
			}
			deleted <- err
		}()
		waitForLocks(t, "DELETE FROM", 1)
		if _, err := holder.ExecContext(t.Context(), `UPDATE `+schema+`.tokens SET sliding = 1 WHERE user_id = $1`, user.ID); err != nil {
			t.Fatalf("the wrong one was ended: %v", err)
		}
		run(t, holder, `COMMIT`)
		if err := <-deleted; err != nil {
			t.Errorf("round %d: %v", round, err)
		}
	}
}

// TestATokenEndsAfterTheOneThatIsIssuedByIt logs out a token while another is issued by it: at no time has
// their user none, by which who ends all tokens would pass the user by.
func TestATokenEndsAfterTheOneThatIsIssuedByIt(t *testing.T) {
	t.Parallel()
	dsn := postgrestest.Schema(t, "wait", patient)
	table := schemaOf(t, dsn) + ".tokens"
	s := mustOpen(t, dsn)
	user, _ := someone(t, s, 0)
	first, second := tokenOf(user, "first"), tokenOf(user, "second")
	second.By = first.Digest
	if _, err := s.DeleteUserTokens(t.Context(), user.ID, first.Realm, nil); err != nil {
		t.Fatal(err)
	}
	if err := s.IssueToken(t.Context(), first, "", 0, nil); err != nil {
		t.Fatal(err)
	}
	// Another transaction holds the digest of the second: its row waits for that one.
	holder := raw(t, postgrestest.DSN(t))
	run(t, holder, `BEGIN`)
	if _, err := holder.ExecContext(t.Context(), `INSERT INTO `+table+` SELECT (t).* FROM (
		SELECT jsonb_populate_record(t, jsonb_build_object('digest', $1::bytea)) AS t FROM `+table+` t) AS t`, []byte(second.Digest)); err != nil {
		t.Fatal(err)
	}
	issued, ended := make(chan error, 1), make(chan error, 1)
	go func() { issued <- s.IssueToken(t.Context(), second, "", 0, nil) }()
	waitForLocks(t, "INSERT INTO "+table, 1)
	go func() { ended <- s.DeleteToken(t.Context(), first.Digest, nil) }()
	watcher := raw(t, postgrestest.DSN(t))
	postgrestest.Eventually(t, func() error {
		select {
		case err := <-ended:
			ended <- err
			return nil
		default:
			return waitingForLocks(t, watcher, "DELETE FROM "+table, 1)
		}
	})
	owners, err := s.TokenOwners(t.Context())
	if want := []core.TokenOwner{{UserID: user.ID, Realm: first.Realm}}; err != nil || !slices.Equal(owners, want) {
		t.Errorf("while the second is issued: tokens of %v, %v, want %v", owners, err, want)
	}
	run(t, holder, `ROLLBACK`)
	for _, err := range []error{<-issued, <-ended} {
		if err != nil {
			t.Error(err)
		}
	}
}

// waitForLocks waits until count statements that have a text in them wait for a lock.
func waitForLocks(t *testing.T, text string, count int) {
	t.Helper()
	conn := raw(t, postgrestest.DSN(t))
	postgrestest.Eventually(t, func() error { return waitingForLocks(t, conn, text, count) })
}

// waitingForLocks fails unless count statements that have a text in them wait for a lock.
func waitingForLocks(t *testing.T, conn *sql.Conn, text string, count int) error {
	t.Helper()
	var waiting int
	err := conn.QueryRowContext(t.Context(), `SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%' || $1 || '%'`, text).Scan(&waiting)
	if err == nil && waiting < count {
		err = fmt.Errorf("%d wait", waiting)
	}
	return err
}
