package drf_test

import (
	"bufio"
	_ "embed"
	"encoding/base64"
	stdjson "encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http/httptest"

	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/testenv"
	"github.com/authcompat/authcompat/dialects/internal/apitest"
	"github.com/authcompat/authcompat/dialects/internal/django"
	"github.com/authcompat/authcompat/dialects/internal/token"
	"github.com/authcompat/authcompat/profiles"
	"github.com/authcompat/authcompat/store/sqlite/sqlitetest"
)

//go:embed testdata/authentication.py
var genuineViews string

// genuine is a process with the views of testdata/authentication.py.
type genuine struct {
	in  io.WriteCloser
	out *bufio.Scanner
}

// startGenuine runs Debian's Django REST framework 3.14. Where it is missing the test is skipped,
// or fails if CI is set.
func startGenuine(t *testing.T, setup any) *genuine {
	t.Helper()
	const python = "/usr/bin/python3"
	version, err := exec.Command(python, "-c", "import rest_framework; print(rest_framework.VERSION)").Output()
	if err != nil || !strings.HasPrefix(string(version), "3.14.") {
		testenv.Missing(t, "no Django REST framework 3.14: %s, %v", version, err)
	}
	cmd := exec.Command(python, "-B", "-E", "-c", genuineViews)
	cmd.Stderr = io.Discard // Django logs each refusal
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { in.Close(); _ = cmd.Wait() })
	g := &genuine{in, bufio.NewScanner(out)}
	g.say(t, setup)
	return g
}

func (g *genuine) say(t *testing.T, line any) {
	t.Helper()
	if err := stdjson.NewEncoder(g.in).Encode(line); err != nil {
		t.Fatal(err)
	}
}

// authorization makes a header of words that mean something, and of odd ones.
func authorization(r *rand.Rand, keys []string) string {
	pick := func(words ...string) string { return words[r.IntN(len(words))] }
	credentials := func() string {
		text := pick("ann:secret", "ann:wrong", "gone:secret", "nobody:x", "ann", "", ":", "j\u00fcrgen:se:cret", "j\xfcrgen:se:cret", "ann:secret:", "\xed\xa0\x80:x")
		encoded := base64.StdEncoding.EncodeToString([]byte(text))
		switch r.IntN(5) {
		case 0:
			return strings.TrimRight(encoded, "=")
		case 1:
			at := r.IntN(len(encoded) + 1)
			return encoded[:at] + pick("=", "*", "\xe9", "-", "A", "==") + encoded[at:]
		}
		return encoded
	}
	word := func() string {
		switch r.IntN(4) {
		case 0:
			return pick(keys...)
		case 1:
			return pick("x", "\xe9", "\u00e9", strings.Repeat("0", 40), strings.ToUpper(keys[0]))
		}
		return credentials()
	}
	header := pick("Token", "token", "Basic", "bAsIc", "Bearer", "Other", "", "Basic", "Token")
	for range pick("", "1", "1", "1", "1", "12") {
		header += pick(" ", " ", " ", "\t", "  ") + word()
	}
	return header + pick("", "", " ")
}

// TestClassesAgainstGenuine asks genuine views and ours the same.
func TestClassesAgainstGenuine(t *testing.T) {
	lists := []string{
		"[token]", "[basic]", "[session, basic]", "[session, token]", "[basic, token]", "[token, basic]", "[basic, session, token]", "[token, {token: Bearer}]",
		"[{token: Bearer}, session, {basic: My site}]", "[session]",
	}
	text := "name: genuine\nfamily: drf\nstack: drf-3.14\ntokens: {hex: 40, ttl: never, per_user: one}\nendpoints:\n"
	for i, list := range lists {
		text += fmt.Sprintf("  v%d: {action: account, path: /%d/, authentication: %s, reply: {status: 200, body: {name: $user.username}}}\n", i, i, list)
	}
	p := apitest.MustParse(t, text)
	a := apitest.MustNew(t, p, sqlitetest.MustOpen(t))
	a.MustCreateUser(t, "ann", false)
	a.MustCreateUser(t, "gone", true)
	if _, err := a.Engine.CreateUser(t.Context(), core.Policy{}, core.Registration{Username: "j\u00fcrgen", Password: "se:cret"}); err != nil {
		t.Fatal(err)
	}
	key := a.MustLogin(t, token.Policy(p), "ann")
	type user struct {
		Name     string `json:"name"`
		Password string `json:"password"`
		Active   bool   `json:"active"`
		Key      string `json:"key"`
	}
	var views []any
	for _, e := range p.Endpoints {
		items := [][2]string{}
		for _, item := range e.Authentication {
			items = append(items, [2]string{string(item.Kind), item.Word})
		}
		views = append(views, []any{items, e.Access == profiles.AccessOpen})
	}
	g := startGenuine(t, map[string]any{
		"users": []user{{"ann", "secret", true, key}, {"gone", "secret", false, strings.Repeat("a", 40)}, {"j\u00fcrgen", "se:cret", true, ""}}, "views": views,
	})
	r := rand.New(rand.NewPCG(16, 2))
	statuses := map[int]int{}
	for range 3000 {
		view, method := r.IntN(len(lists)), []string{"GET", "GET", "HEAD", "POST"}[r.IntN(4)]
		var sent any
		var headers []string
		if r.IntN(10) > 0 {
			header := authorization(r, []string{key, key, strings.Repeat("b", 40)})
			sent, headers = django.Latin1(header), []string{"Authorization", header}
		}
		g.say(t, []any{view, method, sent})
		if !g.out.Scan() {
			t.Fatalf("genuine Django ended: %v", g.out.Err())
		}
		var want []any
		if err := stdjson.Unmarshal(g.out.Bytes(), &want); err != nil {
			t.Fatal(err)
		}
		w := a.Ask(t, method, fmt.Sprintf("/%d/", view), "", headers...)
		statuses[w.Code]++
		if got := parts(w, method); !slices.Equal(got, parsed(want, method)) {
			t.Fatalf("%s %s with %q:\n got %q\nwant %q", lists[view], method, sent, got, parsed(want, method))
		}
	}
	if statuses[200] < 50 || statuses[401] < 100 || statuses[403] < 100 || statuses[405] < 20 {
		t.Errorf("the requests are not of all kinds: %v", statuses)
	}
}

// parts are what is compared of a reply.
func parts(w *httptest.ResponseRecorder, method string) []string {
	one := func(name string) string { return strings.Join(spelled(w.Header(), name), "|") }
	return cut([]string{fmt.Sprint(w.Code), w.Body.String(), one("WWW-Authenticate"), one("Vary"), one("Allow")}, method)
}

func parsed(reply []any, method string) []string {
	var list []string
	for _, part := range reply {
		list = append(list, fmt.Sprint(part))
	}
	return cut(list, method)
}

// cut leaves out the body of an answer to HEAD, which servers leave out.
func cut(list []string, method string) []string {
	if method == "HEAD" {
		list[1] = ""
	}
	return list
}
