package identity

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const (
	keyA = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
	keyB = "//////////////////////////////////////////8="
)

func mustKeys(t *testing.T, text string) Keys {
	t.Helper()
	keys, err := ParseKeys(text)
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

var signedAt = time.Unix(1764470400, 0).UTC()

// TestSigned compares with a value that was made with openssl:
//
//	printf %s 'v1;id=42;…;time=1764470400' | openssl dgst -sha256 -mac HMAC -macopt hexkey:000102…1f
func TestSigned(t *testing.T) {
	got := Sign(mustKeys(t, keyA+"\n"+keyB), Identity{42, "a;nn é/~", "5e884898da280471", signedAt})
	const want = "v1;id=42;name=a%3Bnn%20%C3%A9%2F~;token=5e884898da280471;time=1764470400;mac=43102e9440f7a8cee54039179370721d82038feff433f2f8d55874ecdaf4e2d7"
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestVerify(t *testing.T) {
	ann := Identity{42, "ann", "5e884898da280471", signedAt}
	a, b, both := mustKeys(t, keyA), mustKeys(t, keyB), mustKeys(t, keyB+"\n"+keyA+"\n")
	good := Sign(a, ann)
	for name, test := range map[string]struct {
		keys  Keys
		value string
		now   time.Time
		want  error
	}{
		"good":                     {a, good, signedAt, nil},
		"the second key":           {both, good, signedAt, nil},
		"as old as may be":         {a, good, signedAt.Add(time.Minute), nil},
		"too old":                  {a, good, signedAt.Add(time.Minute + 1), ErrStale},
		"ahead":                    {a, good, signedAt.Add(-time.Minute), nil},
		"too far ahead":            {a, good, signedAt.Add(-time.Minute - 1), ErrStale},
		"another key":              {b, good, signedAt, ErrForged},
		"no key":                   {Keys{}, good, signedAt, ErrForged},
		"another user":             {a, strings.Replace(good, "id=42", "id=43", 1), signedAt, ErrForged},
		"another name":             {a, strings.Replace(good, "ann", "bob", 1), signedAt, ErrForged},
		"another time":             {a, strings.Replace(good, "1764470400", "1764470401", 1), signedAt.Add(time.Hour), ErrForged},
		"another version":          {a, strings.Replace(good, "v1", "v2", 1), signedAt, ErrMalformed},
		"nothing":                  {a, "", signedAt, ErrMalformed},
		"two":                      {a, good + "," + good, signedAt, ErrMalformed},
		"a line more":              {a, good + "\n", signedAt, ErrMalformed},
		"capitals":                 {a, strings.ToUpper(good), signedAt, ErrMalformed},
		"half a mac":               {a, good[:len(good)-2], signedAt, ErrMalformed},
		"a field more":             {a, strings.Replace(good, ";time", ";admin=1;time", 1), signedAt, ErrMalformed},
		"no mac":                   {a, good[:strings.Index(good, ";mac")], signedAt, ErrMalformed},
		"the key itself is no mac": {a, good[:strings.Index(good, ";mac")] + ";mac=" + strings.Repeat("0", 64), signedAt, ErrForged},
	} {
		got, err := Verify(test.keys, test.value, test.now)
		if !errors.Is(err, test.want) {
			t.Errorf("%s: %v, want %v", name, err, test.want)
		}
		if want := ann; (test.want == nil) != (got == want) {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

func TestSignWithoutAKey(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("signed with nothing")
		}
	}()
	Sign(Keys{}, Identity{})
}

// FuzzVerify takes any name through a header.
func FuzzVerify(f *testing.F) {
	f.Add(int64(1), "ann", "00ff")
	f.Add(int64(1<<62), "\x00é;%\n", "")
	keys, err := ParseKeys(keyA)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, id int64, name, other string) {
		want := Identity{max(id, 0), name, "00ff", signedAt}
		value := Sign(keys, want)
		if strings.ContainsFunc(value, func(c rune) bool { return c <= ' ' || c > '~' || c == ',' || c == '"' }) {
			t.Errorf("%q", value)
		}
		if got, err := Verify(keys, value, signedAt); err != nil || got != want {
			t.Errorf("%+v, %v, want %+v", got, err, want)
		}
		if got, err := Verify(keys, other, signedAt); err == nil {
			t.Errorf("%q: %+v", other, got)
		}
	})
}

func TestParseKeys(t *testing.T) {
	const want = "identity key 1 is not 32 bytes in base64 (openssl rand -base64 32)"
	for text, want := range map[string]string{
		"": "there is no identity key", " \n": "there is no identity key", keyA: "", "\n" + keyA + "\n\n" + keyB: "",
		keyA[:40]: want, strings.TrimRight(keyA, "="): want, keyA + "x": want, "secret": want,
		keyB[:42] + "9=":     want, // a last digit with bits that mean nothing
		keyA + "," + keyB:    want,
		keyA + "\nnot a key": strings.Replace(want, "1", "2", 1),
	} {
		keys, err := ParseKeys(text)
		got := ""
		if err != nil {
			got = err.Error()
		}
		if got != want || (keys.Len() > 0) != (want == "") {
			t.Errorf("%q: %q with %d keys, want %q", text, got, keys.Len(), want)
		}
	}
}

func TestReserved(t *testing.T) {
	pattern := regexp.MustCompile(ReservedPattern())
	for name, want := range map[string]bool{
		"X-Authcompat-Identity": true, "x_authcompat_identity": true, "X.AuthCompat.Identity": true, "X-AuthCompat-Identity2": true, "XAuthcompat": true,
		"__X-Auth-Compat": true, "x-a-u-t-h-c-o-m-p-a-t": true, "X-Authcompat\xc3\xa9": true, "X\xff-Authcompat": true, "'x!authcompat~": true,
		"Remote-User": true, "REMOTE_USER": true, "Remote_User": true, "remoteuser": true, "-remote.user-": true,
		"": false, "-": false, "X": false, "X-Authcompa": false, "X-Auth": false, "XX-Authcompat": false, "Authcompat-Identity": false, "My-X-Authcompat": false,
		"Remote-Users": false, "Remote-Use": false, "X-Remote-User": false, "Referer": false, "Range": false,
	} {
		if got := Reserved(name); got != want {
			t.Errorf("%q: %t", name, got)
		}
		if got := pattern.MatchString(strings.ToLower(name)); got != want {
			t.Errorf("the pattern with %q: %t", name, got)
		}
	}
}

// TestMiddleware believes one header that is signed, whatever comes with it, and leaves none.
func TestMiddleware(t *testing.T) {
	file := filepath.Join(t.TempDir(), "keys")
	if err := os.WriteFile(file, []byte(keyB+"\n"+keyA+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	good := Sign(mustKeys(t, keyA), Identity{42, "ann", "", time.Now()})
	old := Sign(mustKeys(t, keyA), Identity{42, "ann", "", time.Now().Add(-time.Hour)})
	var left http.Header
	next := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		left = r.Header
		if i, ok := From(r.Context()); ok {
			_, _ = w.Write([]byte(i.Name))
		}
	})
	s := httptest.NewServer(Middleware(File(file), next))
	defer s.Close()
	ask := func(header http.Header) string {
		r, _ := http.NewRequest(http.MethodGet, s.URL, nil)
		r.Header = header
		w, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer w.Body.Close()
		var body [100]byte
		n, _ := w.Body.Read(body[:])
		return string(body[:n])
	}
	for name, test := range map[string]struct {
		header http.Header
		want   string
	}{
		"good":              {http.Header{Header: {good}, "Remote_user": {"root"}, "X_authcompat_identity": {"x"}, "Accept": {"*/*"}}, "ann"},
		"old":               {http.Header{Header: {old}, "Accept": {"*/*"}}, ""},
		"two":               {http.Header{Header: {good, good}, "Accept": {"*/*"}}, ""},
		"another spelling":  {http.Header{"X_Authcompat_Identity": {good}, "Accept": {"*/*"}}, ""},
		"another's, signed": {http.Header{"X-Authcompat-Identity2": {good}, "Accept": {"*/*"}}, ""},
	} {
		if got := ask(test.header); got != test.want {
			t.Errorf("%s: %q", name, got)
		}
		for name := range left {
			if Reserved(name) {
				t.Errorf("%s is left", name)
			}
		}
		if left.Get("Accept") != "*/*" {
			t.Errorf("%v is left", left)
		}
	}
	if err := os.WriteFile(file, []byte(keyB), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := ask(http.Header{Header: {good}}); got != "" {
		t.Errorf("with a key that was removed: %q", got)
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if got := ask(http.Header{Header: {good}}); got != "Internal Server Error\n" {
		t.Errorf("without the file: %q", got)
	}
	if got := ask(http.Header{}); got != "" {
		t.Errorf("anonymous, without the file: %q", got)
	}
}
