package tokencache

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/authcompat/authcompat/core"
)

// entry returns one like those of a database.
func entry(i int) *Entry {
	e := &Entry{Digest: sha256.Sum256(binary.BigEndian.AppendUint64(nil, uint64(i)))}
	e.Token = core.Token{
		Digest: e.Digest[:], UserID: int64(i), Realm: core.DefaultRealm, Issuer: "snippit", CreatedAt: time.UnixMicro(1764500000000001).UTC(),
		ExpiresAt: time.UnixMicro(1765800000000002).UTC(), Sliding: 15 * 24 * time.Hour,
	}
	e.User = core.User{ID: int64(i), Username: fmt.Sprintf("user%08d", i), Email: fmt.Sprintf("user%08d@example.com", i), Active: true, CreatedAt: time.UnixMicro(1764400000000003).UTC()}
	return e
}

// TestPackedEntriesComeOutAsTheyWentIn changes one field of an entry at a time, all that there are: it is
// either kept as it is, or not at all.
func TestPackedEntriesComeOutAsTheyWentIn(t *testing.T) {
	kept := map[string]bool{}
	try := func(name string, e *Entry) {
		p := newPacked()
		if !p.add(e) {
			t.Fatalf("%s: there is no room", name)
		}
		if found := p.find(&e.Digest); found != nil {
			kept[name] = true
			if !reflect.DeepEqual(e, found) {
				t.Errorf("%s (-in +out):\n%s", name, cmp.Diff(e, found))
			}
		}
	}
	try("none", entry(1))
	for _, part := range []string{"Token", "User"} {
		fields := reflect.TypeOf(*entry(1)).Field(map[string]int{"Token": 1, "User": 2}[part]).Type
		for i := range fields.NumField() {
			e := entry(1)
			field := reflect.ValueOf(e).Elem().FieldByName(part).Field(i)
			switch v := field.Addr().Interface().(type) {
			case *string:
				*v += "é\x00\xff"
			case *core.Presented:
				*v = "x"
			case *int64:
				*v = -1 << 63
			case *time.Duration:
				*v = -1
			case *bool:
				*v = !*v
			case *[]byte:
				*v = []byte{}
			case *core.Digest:
				*v = make(core.Digest, sha256.Size)
			case *time.Time:
				*v = time.Time{}
			case *map[string]string:
				*v = map[string]string{"": "", "a": strings.Repeat("b", 1000)}
			case *core.Legacy:
				v.Prefix = "x"
			default:
				t.Fatalf("%s has another type, %T: say here what it may be", fields.Field(i).Name, v)
			}
			try(part+"."+fields.Field(i).Name, e)
		}
	}
	for name, change := range map[string]func(*Entry){
		"sealed": func(e *Entry) { e.Token.Sealed = []byte("x\x00") }, "no attributes": func(e *Entry) { e.User.Attributes = map[string]string{} },
		"nanoseconds":         func(e *Entry) { e.Token.ExpiresAt = e.Token.ExpiresAt.Add(1) },
		"another zone":        func(e *Entry) { e.User.CreatedAt = e.User.CreatedAt.In(time.FixedZone("x", 3600)) },
		"as large as a block": func(e *Entry) { e.Token.Sealed = make([]byte, blockSize-300) },
		"larger than a block": func(e *Entry) { e.Token.Sealed = make([]byte, blockSize) },
	} {
		e := entry(1)
		change(e)
		try(name, e)
	}
	for name, want := range map[string]bool{
		"none": true, "Token.UserID": true, "Token.Sealed": true, "User.Attributes": true, "Token.ExpiresAt": true, "sealed": true, "no attributes": true, "as large as a block": true,
		"Token.Digest": false, "Token.Plaintext": false, "Token.Legacy": false, "Token.By": false, "nanoseconds": false, "another zone": false, "larger than a block": false,
	} {
		if kept[name] != want {
			t.Errorf("%s: kept %t, want %t", name, kept[name], want)
		}
	}
}

// TestAMillionTokensArePacked keeps them in the memory that a cache may take, and finds each.
func TestAMillionTokensArePacked(t *testing.T) {
	const tokens = 1_000_000
	p := newPacked()
	for i := range tokens {
		if !p.add(entry(i)) {
			t.Fatalf("there is no room for token %d", i)
		}
	}
	if got := p.bytes(0, 0); got > maxPacked {
		t.Errorf("%d bytes", got)
	}
	for i := 0; i < tokens; i += 97 {
		e := entry(i)
		if found := p.find(&e.Digest); found == nil || found.User.Username != e.User.Username || found.Token.UserID != e.Token.UserID {
			t.Fatalf("token %d: %+v", i, found)
		}
	}
	for i := tokens; i < tokens+1000; i++ {
		if e := entry(i); p.find(&e.Digest) != nil {
			t.Fatalf("token %d was found", i)
		}
	}
	runtime.KeepAlive(p)
}

// TestPackedIsFull adds large entries until there is no room.
func TestPackedIsFull(t *testing.T) {
	p, added := newPacked(), 0
	for ; ; added++ {
		e := entry(added)
		e.Token.Sealed = make([]byte, 100<<10)
		if !p.add(e) {
			break
		}
	}
	if got := p.bytes(0, 0); got > maxPacked || got < maxPacked-2*blockSize {
		t.Errorf("it is full with %d bytes", got)
	}
	for i := range added {
		if e := entry(i); p.find(&e.Digest) == nil {
			t.Fatalf("token %d of %d is gone", i, added)
		}
	}
}

// TestPackedDigestsAreCompared looks for digests that differ in one byte from one that is there.
func TestPackedDigestsAreCompared(t *testing.T) {
	p, e := newPacked(), entry(1)
	p.add(e)
	for i := range e.Digest {
		other := e.Digest
		other[i]++
		if p.find(&other) != nil {
			t.Errorf("byte %d is not compared", i)
		}
	}
}
