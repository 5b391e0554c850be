package sqlite

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/authcompat/authcompat/core"
)

// short is a wait that tests can afford.
const short = 30 * time.Millisecond

// withToken creates a user "ann" with a token "key".
func withToken(t *testing.T, s *Store) core.User {
	t.Helper()
	user, err := s.CreateUser(t.Context(), core.NewUser{Username: "ann", PasswordHash: "old"}, func(user core.User) (core.Token, error) {
		return core.Token{Digest: core.Presented("key").SHA256(), UserID: user.ID, Realm: "default"}, nil
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return user
}

// wantReads checks that look-ups still work.
func wantReads(t *testing.T, s *Store) {
	t.Helper()
	if _, _, err := s.FindToken(t.Context(), "default", "key"); err != nil {
		t.Errorf("find token: %v", err)
	}
	if _, err := s.Account(t.Context(), "ann"); err != nil {
		t.Errorf("account: %v", err)
	}
	if err := s.Ping(t.Context()); err != nil {
		t.Errorf("ping: %v", err)
	}
}

// writes returns all calls that write.
func writes(s *Store, ann core.User) map[string]func(context.Context) error {
	token := core.Token{Digest: core.Presented("another").SHA256(), UserID: ann.ID, Realm: "default"}
	return map[string]func(context.Context) error{
		"CreateUser": func(ctx context.Context) error {
			_, err := s.CreateUser(ctx, core.NewUser{Username: "bob"}, nil, nil)
			return err
		},
		"IssueToken": func(ctx context.Context) error { return s.IssueToken(ctx, token, "", 0, nil) },
		"ReuseToken": func(ctx context.Context) error {
			_, err := s.ReuseToken(ctx, token, "", time.Now(), nil)
			return err
		},
		"ExtendExpiry": func(ctx context.Context) error {
			return s.ExtendExpiry(ctx, core.Presented("key").SHA256(), time.Now(), time.Now())
		},
		"DeleteToken": func(ctx context.Context) error { return s.DeleteToken(ctx, core.Presented("key").SHA256(), nil) },
		"DeleteUserTokens": func(ctx context.Context) error {
			_, err := s.DeleteUserTokens(ctx, ann.ID, "default", nil)
			return err
		},
		"UpdatePassword": func(ctx context.Context) error { return s.UpdatePassword(ctx, ann.ID, "old", "new", false, nil) },
	}
}

// TestLocked has another process hold the write lock.
func TestLocked(t *testing.T) {
	path := filepath.Join(t.TempDir(), "authcompat.db")
	s, err := Open(t.Context(), path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	ann := withToken(t, s)
	s.wait = short
	other, err := connect(writerDSN(path, true), 1)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	lock := other.MustBegin()

	for name, write := range writes(s, ann) {
		if err := write(t.Context()); !errors.Is(err, core.ErrUnavailable) {
			t.Errorf("%s: error %v", name, err)
		}
	}
	wantReads(t, s)
	if another, err := Open(t.Context(), path, Options{Wait: time.Second}); err != nil {
		t.Errorf("open beside a writer: %v", err)
	} else {
		another.Close()
	}

	s.wait = time.Hour
	for name, write := range writes(s, ann) {
		ctx, cancel := context.WithTimeout(t.Context(), short)
		if err := write(ctx); !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, core.ErrUnavailable) {
			t.Errorf("%s: error %v", name, err)
		}
		cancel()
	}
	waited := make(chan error)
	go func() { waited <- s.DeleteToken(t.Context(), core.Presented("key").SHA256(), nil) }()
	if err := lock.Rollback(); err != nil {
		t.Fatal(err)
	}
	if err := <-waited; err != nil {
		t.Errorf("after the lock was given back: %v", err)
	}
}

// TestReadersBusy has look-ups wait for a reader slot.
func TestReadersBusy(t *testing.T) {
	s := mustOpen(t, Options{Readers: 1})
	withToken(t, s)
	s.wait = short
	if err := s.acquireReader(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.FindToken(t.Context(), "default", "key"); !errors.Is(err, core.ErrUnavailable) {
		t.Errorf("no free slot: error %v", err)
	}
	s.wait = time.Hour
	ctx, cancel := context.WithTimeout(t.Context(), short)
	defer cancel()
	if _, err := s.Account(ctx, "ann"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("context ended: error %v", err)
	}
	waited := make(chan error)
	go func() { waited <- s.Ping(t.Context()) }()
	s.releaseReader()
	if err := <-waited; err != nil {
		t.Errorf("after the slot was released: %v", err)
	}
	wantReads(t, s)
}

// TestFull fills the database to its maximum size.
func TestFull(t *testing.T) {
	s := mustOpen(t, Options{})
	ann := withToken(t, s)
	large := strings.Repeat("x", 100_000)
	// A limit below the current size becomes the current size.
	s.writer.MustExec(`PRAGMA max_page_count = 1`)

	if err := s.UpdatePassword(t.Context(), ann.ID, "old", large, false, nil); !errors.Is(err, core.ErrUnavailable) {
		t.Errorf("update password: error %v", err)
	}
	_, err := s.CreateUser(t.Context(), core.NewUser{Username: "bob", PasswordHash: large}, nil, nil)
	if !errors.Is(err, core.ErrUnavailable) {
		t.Errorf("create user: error %v", err)
	}
	if strings.Contains(fmt.Sprint(err), "xx") {
		t.Error("the error shows the hash")
	}
	wantReads(t, s)

	s.writer.MustExec(`PRAGMA max_page_count = 1000000`)
	if err := s.UpdatePassword(t.Context(), ann.ID, "old", large, false, nil); err != nil {
		t.Errorf("with space again: %v", err)
	}
	if _, err := s.CreateUser(t.Context(), core.NewUser{Username: "bob"}, nil, nil); err != nil {
		t.Errorf("with space again: %v", err)
	}
}

// TestReadOnly has writes refused like those to a read-only file.
func TestReadOnly(t *testing.T) {
	s := mustOpen(t, Options{})
	ann := withToken(t, s)
	s.writer.MustExec(`PRAGMA query_only = 1`)
	for name, write := range writes(s, ann) {
		if err := write(t.Context()); !errors.Is(err, core.ErrUnavailable) {
			t.Errorf("%s: error %v", name, err)
		}
	}
	wantReads(t, s)
}

// TestMintPanics checks that a panic in mint leaves no lock behind.
func TestMintPanics(t *testing.T) {
	s := mustOpen(t, Options{Wait: time.Second})
	func() {
		defer func() {
			if recover() == nil {
				t.Error("no panic")
			}
		}()
		_, _ = s.CreateUser(t.Context(), core.NewUser{Username: "ann"}, func(core.User) (core.Token, error) { panic("mint") }, nil)
	}()
	if _, err := s.Account(t.Context(), "ann"); !errors.Is(err, core.ErrNotFound) {
		t.Errorf("account: error %v", err)
	}
	withToken(t, s)
}

// TestNoIDLeft adds a user to a database that an earlier version has left without an id
// for him: the store is unavailable for that, and says why.
func TestNoIDLeft(t *testing.T) {
	s, err := Open(t.Context(), filepath.Join(t.TempDir(), "x.db"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	withToken(t, s)
	if _, err := s.writer.Exec(`UPDATE sqlite_sequence SET seq = 9223372036854775807 WHERE name = 'users'`); err != nil {
		t.Fatal(err)
	}
	_, err = s.CreateUser(t.Context(), core.NewUser{Username: "bob"}, nil, nil)
	if !errors.Is(err, core.ErrUnavailable) || !strings.Contains(err.Error(), "the last id that a user can have") {
		t.Errorf("error %v, want that of an unavailable store that has no id left", err)
	}
	wantReads(t, s)
}
