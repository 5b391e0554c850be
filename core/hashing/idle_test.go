package hashing

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// TestCheckIdle checks passwords only while nothing else is hashed, and keeps nobody waiting.
func TestCheckIdle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newPoolWorld(t, PoolOptions{Threads: 1})
		light, _ := costs(t)
		encoded, err := w.Hash(t.Context(), "secret")
		if err != nil {
			t.Fatal(err)
		}
		for plain, want := range map[string]bool{"secret": true, "wrong": false} {
			if ok, err := w.CheckIdle(t.Context(), "ann", encoded, plain); ok != want || err != nil {
				t.Errorf("%s: %t, %v", plain, ok, err)
			}
		}
		failed := w.hash(t.Context(), "login", light)
		synctest.Wait()
		if _, err := w.CheckIdle(t.Context(), "ann", encoded, "secret"); !errors.Is(err, ErrBusy) {
			t.Errorf("while another is hashed: %v", err)
		}
		// What can't be checked costs the same.
		for _, none := range []string{"", "!"} {
			if _, err := w.CheckIdle(t.Context(), "nobody", none, "secret"); !errors.Is(err, ErrBusy) {
				t.Errorf("%q: %v", none, err)
			}
		}
		time.Sleep(2 * time.Second)
		w.done.Wait()
		if *failed != nil {
			t.Errorf("the login: %v", *failed)
		}
		if ok, err := w.CheckIdle(t.Context(), "ann", encoded, "secret"); !ok || err != nil {
			t.Errorf("afterwards: %t, %v", ok, err)
		}
		if ok, err := w.CheckIdle(t.Context(), "nobody", "", "secret"); ok || err != nil {
			t.Errorf("nobody: %t, %v", ok, err)
		}
		// While one is checked, no other is, and a login finds the pool free.
		w.spare = true
		if _, err := w.CheckIdle(t.Context(), "ann", encoded, "secret"); !errors.Is(err, ErrBusy) {
			t.Errorf("while one is checked: %v", err)
		}
		if ok, _, err := w.Check(t.Context(), "ann", encoded, "secret"); !ok || err != nil {
			t.Errorf("a login while one is checked: %t, %v", ok, err)
		}
	})
}
