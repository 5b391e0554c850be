package httpserver

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/hashing"
	"github.com/authcompat/authcompat/store/sqlite/sqlitetest"
)

// heldStore holds every login up, while what was read of its request is in memory.
type heldStore struct {
	core.Store
	arrived chan struct{}
	release chan struct{}
}

// Account implements core.Store.
func (s *heldStore) Account(context.Context, string) (core.Account, error) {
	s.arrived <- struct{}{}
	<-s.release
	return core.Account{}, core.ErrNotFound
}

// allocated returns how many bytes this process has allocated so far.
func allocated() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.TotalAlloc
}

// TestMemoryOfLargeBodies sends many bodies at once that take much more memory than they
// have bytes.
func TestMemoryOfLargeBodies(t *testing.T) {
	const clients, most = 16, 4 * largeBodies // garbage included
	for _, unit := range []string{"0,", `{"":0},`, "1.5,"} {
		t.Run(unit, func(t *testing.T) {
			store := &heldStore{arrived: make(chan struct{}), release: make(chan struct{})}
			bodies := NewBodyBudget()
			bodies.wait = time.Millisecond
			h, login := servedFrom(t, "ocd-users", store, bodies)
			text := grow([3]string{`{"username":"a","password":"p","x":[`, unit, "0]}"}, 1<<20)
			before := allocated()
			done := make(chan int)
			send := func() {
				w := httptest.NewRecorder()
				h.ServeHTTP(w, request(login, "json", text))
				done <- w.Code
			}
			go send()
			<-store.arrived // one alone is not refused
			held := 1
			for range clients - 1 {
				go send()
			}
			for range clients - 1 {
				select {
				case <-store.arrived:
					held++
				case status := <-done:
					if status != http.StatusTooManyRequests {
						t.Errorf("refused with %d", status)
					}
				}
			}
			if took := allocated() - before; took > most {
				t.Errorf("%d bodies took %d MiB", held, took>>20)
			}
			close(store.release)
			for range held {
				<-done
			}
		})
	}
}

// heldHasher holds every login up that is about to be hashed.
type heldHasher struct {
	core.Hasher
	arrived chan struct{}
	release chan struct{}
}

// HashDummy implements core.Hasher.
func (h *heldHasher) HashDummy(context.Context, string, string) error {
	h.arrived <- struct{}{}
	<-h.release
	return nil
}

// TestMemoryOfLongNames sends names at once that take four times their length as the text that
// Python has for them: while their logins wait, nothing holds them.
func TestMemoryOfLongNames(t *testing.T) {
	const clients, most = 62, 2 * largeBodies
	hasher, err := hashing.NewDjangoHasher(1)
	if err != nil {
		t.Fatal(err)
	}
	held := &heldHasher{Hasher: hasher, arrived: make(chan struct{}), release: make(chan struct{})}
	h, login := servedBy(t, "snippit", sqlitetest.MustOpen(t), held, NewBodyBudget())
	text := grow([3]string{`{"password":"p","username":["`, "\x7f", `"]}`}, 1<<20)
	heap := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := heap()
	done := make(chan int)
	for range clients {
		go func() {
			w := httptest.NewRecorder()
			h.ServeHTTP(w, request(login, "json", text))
			done <- w.Code
		}()
		select {
		case <-held.arrived:
		case status := <-done:
			t.Fatalf("status %d", status)
		}
	}
	if holds := heap() - before; holds > most {
		t.Errorf("%d logins hold %d MiB", clients, holds>>20)
	}
	close(held.release)
	for range clients {
		<-done
	}
}

// TestBodyBudget reads bodies of 8 MiB at once: the ninth exceeds the budget, small ones
// are still read, and what is released is free again.
func TestBodyBudget(t *testing.T) {
	const size = 8 << 20
	budget := NewBodyBudget()
	read := func(bytes int64) (release func(), err error) {
		r := (&http.Request{Body: io.NopCloser(io.LimitReader(zeros{}, bytes))}).WithContext(t.Context())
		release = budget.track(r)
		_, err = io.Copy(io.Discard, r.Body)
		return release, err
	}
	var releases []func()
	for i := range 10 {
		release, err := read(size)
		releases = append(releases, release)
		// The first 16 KiB of each are free: eight bodies stay below the limit.
		if want := i >= 8; (err != nil) != want {
			t.Errorf("body %d: %v", i, err)
		}
	}
	if release, err := read(smallBody); err != nil {
		t.Errorf("a small body: %v", err)
	} else {
		release()
	}
	for _, release := range releases {
		release()
	}
	if held := budget.Bytes(); held != 0 {
		t.Errorf("%v bytes are held after all", held)
	}
	if release, err := read(size); err != nil {
		t.Errorf("afterwards: %v", err)
	} else if held := budget.Bytes(); held != size-smallBody {
		t.Errorf("%v bytes are held of one", held)
	} else {
		release()
	}
}

// zeros is an input without end.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }

// TestValuesAreWaitedFor sends more bodies of many values at once than there is room for: each
// is answered when those before it are done, and none is refused.
func TestValuesAreWaitedFor(t *testing.T) {
	h, login := served(t, "authtokens")
	text := grow([3]string{"[", "[],", "0]"}, 1<<20)
	statuses := make(chan int)
	const clients = 5
	for range clients {
		go func() {
			w := httptest.NewRecorder()
			h.ServeHTTP(w, request(login, "json", text))
			statuses <- w.Code
		}()
	}
	for range clients {
		if status := <-statuses; status != http.StatusBadRequest {
			t.Errorf("status %d", status)
		}
	}
}

// TestMemoryOfManyParts sends a body of separators alone: reading stops where there are too
// many parts.
func TestMemoryOfManyParts(t *testing.T) {
	h, login := served(t, "form-auth")
	r := request(login, "multipart", strings.Repeat("--x", 1<<20/3))
	before := allocated()
	h.ServeHTTP(httptest.NewRecorder(), r)
	if took := allocated() - before; took > 10<<20 {
		t.Errorf("%d MiB for one of 1 MiB", took>>20)
	}
}

// TestUnfinishedBodyHoldsItsBytes sends what would be many values, but not its end.
func TestUnfinishedBodyHoldsItsBytes(t *testing.T) {
	budget := NewBodyBudget()
	content, more := io.Pipe()
	r := (&http.Request{Body: content}).WithContext(t.Context())
	release := budget.track(r)
	defer release()
	go func() { _, _ = io.WriteString(more, strings.Repeat("[", 1<<20)) }()
	if _, err := io.ReadFull(r.Body, make([]byte, 1<<20)); err != nil {
		t.Fatal(err)
	}
	if held := budget.Bytes(); held != 1<<20-smallBody {
		t.Errorf("%v bytes are held before the end", held)
	}
	more.Close()
	if _, err := r.Body.Read(make([]byte, 1)); err != io.EOF {
		t.Fatal(err)
	}
	if held := budget.Bytes(); held != 1<<20-smallBody+largeValues-smallBody {
		t.Errorf("%v bytes are held after it", held)
	}
}

// TestBrokenTextIsCounted reads bytes that may each become a character of three.
func TestBrokenTextIsCounted(t *testing.T) {
	const size = 1 << 20
	budget := NewBodyBudget()
	r := (&http.Request{Body: io.NopCloser(strings.NewReader(strings.Repeat("\xe9", size)))}).WithContext(t.Context())
	release := budget.track(r)
	if _, err := io.Copy(io.Discard, r.Body); err != nil {
		t.Fatal(err)
	}
	if held, want := budget.Bytes(), float64(size-smallBody+6*size-smallBody); held != want {
		t.Errorf("%v bytes are held, want %v", held, want)
	}
	if release(); budget.Bytes() != 0 {
		t.Errorf("%v bytes are held afterwards", budget.Bytes())
	}
}
