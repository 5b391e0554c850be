package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httputil"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/authcompat/authcompat/dialects/identity"
	"github.com/authcompat/authcompat/store/django/tables"
)

// Keys of identities, as in their files.
const (
	identityKeyA = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
	identityKeyB = "//////////////////////////////////////////8="
	identityKeyC = "CCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCA="
)

func mustIdentityKeys(t testing.TB, text string) identity.Keys {
	t.Helper()
	keys, err := identity.ParseKeys(text)
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

// startBeliever serves the application of testdata/front that believes identities, and returns its
// address. user is AUTHCOMPAT_IDENTITY_USER, and spelling AUTHCOMPAT_IDENTITY_CASE. Its database compares names without case.
func startBeliever(t *testing.T, keyFile, user, spelling string) (address string) {
	t.Helper()
	docs, err := filepath.Abs(filepath.Join("..", "..", "docs", "identity"))
	if err != nil {
		t.Fatal(err)
	}
	return startGunicorn(t, "identity:application", "IDENTITY_DOCS="+docs, "IDENTITY_KEYS="+keyFile, "IDENTITY_USER="+user, "IDENTITY_CASE="+spelling, "IDENTITY_DATABASE="+filepath.Join(t.TempDir(), "app.db"))
}

// answerOf returns the status and the body of an answer to a request of its own.
func answerOf(t *testing.T, address, path, headers string) string {
	t.Helper()
	answer := untilClosed(t, address, "GET "+path+" HTTP/1.1\r\nHost: x\r\n"+headers+"Connection: close\r\n\r\n")
	parsed, err := http.ReadResponse(bufio.NewReader(strings.NewReader(answer)), nil)
	if err != nil {
		t.Fatalf("%q: %v", answer, err)
	}
	body, err := io.ReadAll(parsed.Body)
	if err != nil {
		t.Fatalf("%q: %v", answer, err)
	}
	return fmt.Sprintf("%d %s", parsed.StatusCode, body)
}

// firstAnswer sends a text and returns the first answer to it, whether the server closes the
// connection then or not.
func firstAnswer(t *testing.T, address, text string) string {
	t.Helper()
	conn, err := net.DialTimeout("tcp", address, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(conn, text); err != nil {
		t.Fatal(err)
	}
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	answer, err := httputil.DumpResponse(response, true)
	if err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	return string(answer)
}

// TestIdentityIsBelieved signs identities for the receivers of docs/identity, on genuine
// Django: each takes those that are good, and no others.
func TestIdentityIsBelieved(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "keys")
	put(t, file, identityKeyA+"\n"+identityKeyB+"\n")
	byName, byKey := startBeliever(t, file, "username", "keep"), startBeliever(t, file, "pk", "keep")
	a, b, c := mustIdentityKeys(t, identityKeyA), mustIdentityKeys(t, identityKeyB), mustIdentityKeys(t, identityKeyC)
	now := time.Now()
	sign := func(keys identity.Keys, id int64, name string, at time.Time) string {
		return "X-Authcompat-Identity: " + identity.Sign(keys, identity.Identity{UserID: id, Name: name, TokenID: "00ff", Time: at}) + "\r\n"
	}
	good := sign(a, 2, "ann", now)
	for name, test := range map[string]struct{ headers, byName, byKey, wsgi string }{
		"good":           {good, `200 [1,"ann","00ff"]`, `200 [2,"jürgen","00ff"]`, "ann"},
		"the second key": {sign(b, 1, "jürgen", now), `200 [2,"jürgen","00ff"]`, `200 [1,"ann","00ff"]`, "jürgen"},
		"none":           {"", `401 {"detail":"Authentication credentials were not provided."}`, "", ""},
		"forged":         {sign(c, 1, "ann", now), `401 {"detail":"Invalid identity."}`, "", ""},
		"changed":        {strings.Replace(good, "ann", "bob", 1), `401 {"detail":"Invalid identity."}`, "", ""},
		"two":            {good + good, `401 {"detail":"Invalid identity."}`, "", ""},
		"two spellings":  {good + strings.Replace(good, "-", "_", 2), `401 {"detail":"Invalid identity."}`, "", ""},
		"capitals":       {strings.ToUpper(good), `401 {"detail":"Invalid identity."}`, "", ""},
		"garbage":        {"X-Authcompat-Identity: v1;mac=\xe9\r\n", `401 {"detail":"Invalid identity."}`, "", ""},
		"old":            {sign(a, 1, "ann", now.Add(-2*time.Minute)), `401 {"detail":"Stale identity."}`, "", ""},
		"ahead":          {sign(a, 1, "ann", now.Add(2*time.Minute)), `401 {"detail":"Stale identity."}`, "", ""},
		"inactive":       {sign(a, 3, "gone", now), `401 {"detail":"Unknown user."}`, "", "gone"},
		"unknown":        {sign(a, 9, "nobody", now), `401 {"detail":"Unknown user."}`, "", "nobody"},
	} {
		if test.byKey == "" {
			test.byKey = test.byName
		}
		if got := answerOf(t, byName, "/drf/", test.headers); got != test.byName {
			t.Errorf("%s: by name: %s, want %s", name, got, test.byName)
		}
		if got := answerOf(t, byKey, "/drf/", test.headers); got != test.byKey {
			t.Errorf("%s: by key: %s, want %s", name, got, test.byKey)
		}
		environ := environOf(t, answerOf(t, byName, "/wsgi/", test.headers+"Remote_User: root\r\nX.Authcompat: 1\r\n"))
		if got := environ["REMOTE_USER"]; got != test.wsgi {
			t.Errorf("%s: WSGI: %q, want %q", name, got, test.wsgi)
		}
		delete(environ, "REMOTE_USER")
		if left := identityVariables(environ); len(left) > 0 {
			t.Errorf("%s: WSGI: %q are left", name, left)
		}
	}
	put(t, file, identityKeyB+"\n")
	if got, want := answerOf(t, byName, "/drf/", good), `401 {"detail":"Invalid identity."}`; got != want {
		t.Errorf("with a key that was removed: %s", got)
	}
	if got := environOf(t, answerOf(t, byName, "/wsgi/", good))["REMOTE_USER"]; got != "" {
		t.Errorf("WSGI, with a key that was removed: %s", got)
	}
}

// TestIdentityIsOfTheVeryName signs identities with names that the application's database takes for
// those of others: to authcompat they are users of their own, and anybody can register them.
func TestIdentityIsOfTheVeryName(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "keys")
	put(t, file, identityKeyA+"\n")
	keys := mustIdentityKeys(t, identityKeyA)
	for spelling, found := range map[string]map[string]string{
		"keep":  {"ann": "ann", "ANN": "", "Ann": "", "Bob": "Bob", "bob": "", "BOB": "", "nobody": "", "ΟΔΟΣ": "ΟΔΟΣ", "οδοσ": "", "οδος": "", "i\u0307pek": ""},
		"lower": {"ann": "ann", "ANN": "", "Ann": "", "Bob": "", "bob": "Bob", "BOB": "", "nobody": "", "ΟΔΟΣ": "", "οδοσ": "ΟΔΟΣ", "οδος": "", "ipek": "İPEK", "i\u0307pek": ""},
	} {
		address := startBeliever(t, file, "username", spelling)
		for name, user := range found {
			if imported := (tables.Mapping{UsernameCase: spelling}).Named(user); user != "" && imported != name {
				t.Fatalf("%s: %s is imported as %s, not as %s", spelling, user, imported, name)
			}
			header := "X-Authcompat-Identity: " + identity.Sign(keys, identity.Identity{UserID: 7, Name: name, TokenID: "00ff", Time: time.Now()}) + "\r\n"
			want, remote := `401 {"detail":"Unknown user."}`, "200 nobody"
			if user != "" {
				want, remote = fmt.Sprintf(`200 [%d,%q,"00ff"]`, map[string]int{"ann": 1, "Bob": 4, "ΟΔΟΣ": 5, "İPEK": 6}[user], user), "200 "+user
			}
			if got := answerOf(t, address, "/drf/", header); got != want {
				t.Errorf("%s: %s: REST framework: %s, want %s", spelling, name, got, want)
			}
			if got := answerOf(t, address, "/remote/", header); got != remote {
				t.Errorf("%s: %s: RemoteUserBackend: %s, want %s", spelling, name, got, remote)
			}
		}
	}
}

func environOf(t *testing.T, answer string) map[string]string {
	t.Helper()
	environ := make(map[string]string)
	if err := json.Unmarshal([]byte(strings.TrimPrefix(answer, "200 ")), &environ); err != nil {
		t.Fatalf("%q: %v", answer, err)
	}
	return environ
}

// identityVariables returns those variables of an environ that something could take for an
// identity.
func identityVariables(environ map[string]string) map[string]string {
	found := make(map[string]string)
	for name, value := range environ {
		folded := regexp.MustCompile(`[^a-z0-9]`).ReplaceAllString(strings.ToLower(strings.TrimPrefix(name, "HTTP_")), "")
		if strings.Contains(folded, "authcompat") && !strings.HasPrefix(name, "authcompat.") || folded == "remoteuser" {
			found[name] = value
		}
	}
	return found
}

// identityHeaders returns header lines with an identity of the client's own, in some spelling,
// and maybe trailers.
func (g generated) identityHeaders(value string) (headers, trailers string) {
	name := g.one("X-Authcompat-Identity", "X-Authcompat-Identity", "X-AuthCompat-Identity2", "X-Authcompat", "XAuthcompatUser", "X-Authcompat-Id", "Remote-User", "Remote-User", "RemoteUser")
	var spelled strings.Builder
	for _, c := range name {
		switch letter := string(c); g.IntN(5) {
		case 0:
			letter = strings.ToUpper(letter)
			spelled.WriteString(letter)
		case 1:
			spelled.WriteString(strings.ToLower(letter))
		case 2:
			if c == '-' {
				letter = g.one("_", "_", ".", "", "--", "-_", "!", "'", "~", "+", "^", "|", "`", "*", "#", "$", "%", "&")
			}
			spelled.WriteString(letter)
		default:
			spelled.WriteString(letter)
		}
	}
	name = g.one("", "", "", "", "_", "-", ".", "__") + spelled.String() + g.one("", "", "", "", "_", "-", ".", "\xe9", " ", "\xc2\xa0")
	line := name + ":" + g.one(" ", "", "\t", "  ", "\r\n ") + g.one(value, value, "root", "v1;id=1", "caf\xc3\xa9\xff", "") + g.one("", " ", "\r\n\tmore") + "\r\n"
	switch g.IntN(6) {
	case 0:
		line += line
	case 1:
		line += "X-Authcompat-Identity: " + value + "\r\n"
	case 2:
		line += "Keep-Alive: 1\r\nConnection: keep-alive, X-Authcompat-Identity, " + strings.TrimSpace(name) + "\r\n"
	case 3:
		return line + "Trailer: " + strings.TrimSpace(name) + "\r\nTransfer-Encoding: chunked\r\n", "0\r\n" + line
	}
	return line, ""
}

// TestIdentityIsNotForged sends 200 spellings of identity headers through a front to gunicorn:
// an application sees none of them, whatever the rule is, but ours.
func TestIdentityIsNotForged(t *testing.T) {
	t.Parallel() // it waits for most of its time
	file := filepath.Join(t.TempDir(), "keys")
	put(t, file, identityKeyA+"\n")
	application := startBeliever(t, file, "username", "keep")
	keys := mustIdentityKeys(t, identityKeyA)
	p, address := startFront(t, "{old: http://"+application+", identity: {key_file: "+file+", authorization: drop}, paths: [{path: /open/, token: pass}, {path: /pages/, token: checked}, {path: /, token: needed}]}",
		"--trusted-proxy", "127.0.0.0/8")
	token := "Authorization: Token " + p.register(t, "ann") + "\r\n"
	g := generated{rand.New(rand.NewPCG(15, 3))}
	straight, answered := 0, 0
	for i := range 200 {
		// Even one of the front's own making.
		value := identity.Sign(keys, identity.Identity{UserID: 7, Name: "root", Time: time.Now()})
		headers, trailers := g.identityHeaders(value)
		rest := headers + "Connection: close\r\n\r\n"
		if trailers != "" {
			rest += trailers + "\r\n"
		}
		ask := func(at, path, more string) (environ map[string]string, ok bool) {
			request, read := "POST "+path+" HTTP/1.1\r\nHost: x\r\n"+more+rest, untilClosed
			if at == application {
				read = firstAnswer // gunicorn keeps connections open for seconds, whatever they say twice
			}
			answer := read(t, at, request)
			_, body, _ := strings.Cut(answer, "\r\n\r\n")
			if !strings.HasPrefix(answer, "HTTP/1.1 200 ") {
				return nil, false // refused, which is as good
			}
			return environOf(t, body), true
		}
		if environ, ok := ask(application, "/open/", ""); ok && len(identityVariables(environ)) > 0 {
			straight++
		}
		path := []string{"/open/", "/pages/"}[i%2]
		if environ, ok := ask(address, path, ""); ok && len(identityVariables(environ)) > 0 {
			t.Errorf("%q at %s: %q", headers, path, identityVariables(environ))
		}
		environ, ok := ask(address, "/private/", token)
		if !ok {
			continue
		}
		answered++
		left := identityVariables(environ)
		got, err := identity.Verify(keys, left["HTTP_X_AUTHCOMPAT_IDENTITY"], time.Now())
		if len(left) != 1 || err != nil || got.Name != "ann" || len(got.TokenID) != 16 || environ["HTTP_AUTHORIZATION"] != "" {
			t.Errorf("%q: %q, %+v, %v, Authorization %q", headers, left, got, err, environ["HTTP_AUTHORIZATION"])
		}
	}
	t.Logf("straight, %d of 200 spellings are seen; through the front, 0 of %d that are answered", straight, answered)
	if straight < 100 || answered < 100 {
		t.Errorf("only %d spellings are seen straight, and %d answered behind the front", straight, answered)
	}
	if got, want := answerOf(t, address, "/drf/", token), regexp.MustCompile(`^200 \[1,"ann","[0-9a-f]{16}"\]$`); !want.MatchString(got) {
		t.Errorf("Django: %s", got)
	}
	if environ := environOf(t, answerOf(t, address, "/wsgi/", token)); environ["REMOTE_USER"] != "ann" {
		t.Errorf("WSGI: %v", environ)
	}
	if log := p.log.String(); strings.Contains(log, "v1;id") || strings.Contains(log, "mac=") {
		t.Errorf("logged: %s", log)
	}
}

// TestIdentityKeys makes a key beside the database, takes others over at SIGHUP, and warns of
// a file that all may read.
func TestIdentityKeys(t *testing.T) {
	seen := make(chan http.Header, 1)
	application := serveHeaders(t, seen)
	folder := t.TempDir()
	file, db := filepath.Join(folder, "c.yaml"), filepath.Join(folder, "auth.db")
	put(t, file, "listeners: [{profile: ocd-users, address: 127.0.0.1:0, front: {old: "+application+", identity: {}, paths: [{path: /, token: needed}]}}]\n")
	p := start(t, "--config", file, "--password-iterations", "100", "--store", "sqlite:"+db)
	token := p.register(t, "ann")
	made := db + ".identity-key"
	info, err := os.Stat(made)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("%v, %v", info, err)
	}
	text, err := os.ReadFile(made)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(p.log.String(), "made a key that signs identities") || strings.Contains(p.log.String(), string(text[:20])) {
		t.Errorf("logged: %s", p.log.String())
	}
	signedWith := func(keys identity.Keys) bool {
		p.want(t, http.StatusOK, http.MethodGet, p.urls["ocd-users"]+"/x", token, "")
		_, err := identity.Verify(keys, (<-seen).Get(identity.Header), time.Now())
		return err == nil
	}
	first := mustIdentityKeys(t, string(text))
	if !signedWith(first) {
		t.Error("not signed with the key that was made")
	}
	hangup := func(content, want string) {
		t.Helper()
		before := strings.Count(p.log.String(), want)
		if content == "" {
			if err := os.Remove(made); err != nil {
				t.Fatal(err)
			}
		} else {
			put(t, made, content)
		}
		if err := p.Process.Signal(syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
		eventually(t, "the log says: "+want, func() bool { return strings.Count(p.log.String(), want) > before })
	}
	hangup(string(text)+identityKeyA+"\n", "reloaded settings")
	if !signedWith(first) {
		t.Error("not the first key signs")
	}
	hangup(identityKeyA+"\n"+string(text), "reloaded settings")
	a := mustIdentityKeys(t, identityKeyA)
	if !signedWith(a) {
		t.Error("the new first key doesn't sign")
	}
	hangup("no key\n", "identity key 1 is not 32 bytes")
	if !signedWith(a) {
		t.Error("the keys in memory are lost")
	}
	hangup("", "no such file")
	if _, err := os.Stat(made); err == nil || !signedWith(a) {
		t.Errorf("another key was made: %v", err)
	}
	p.end(t)
	put(t, made, identityKeyA+"\n")
	if err := os.Chmod(made, 0o644); err != nil {
		t.Fatal(err)
	}
	p = start(t, "--config", file, "--password-iterations", "100", "--store", "sqlite:"+db)
	eventually(t, "the log warns of a file that all may read", func() bool {
		return strings.Contains(p.log.String(), "others may read the file of the identity keys")
	})
}

// serveHeaders is an application that tells what headers it gets.
func serveHeaders(t *testing.T, seen chan<- http.Header) (url string) {
	t.Helper()
	address := freeAddress(t)
	s := &http.Server{Addr: address, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen <- r.Header
		fmt.Fprint(w, "ok")
	})}
	t.Cleanup(func() { s.Close() })
	go func() { _ = s.ListenAndServe() }()
	eventually(t, "the application listens", func() bool { return listens(address) })
	return "http://" + address
}
