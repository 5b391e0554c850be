package httpserver

import (
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// hostileTexts are what anybody can send, by the place in a request: beginnings, what is
// repeated, with a number in place of each #, and ends. Each reader of the families and of
// this package reads some of them.
func hostileTexts() map[string][][3]string {
	const part, field = "--x\r\nContent-Disposition: form-data; name=", "\r\n\r\nb\r\n"
	const multipart, name, address = "multipart/form-data; boundary=x", `{"password": "p", "email": "a@b.cc", "username": `, `{"password": "p", "username": "a", "email": "a@`
	return map[string][][3]string{
		"Accept": {
			{"*/*", ";#=", ""}, {"*/*", ";#=b", ""}, {"*/*", ";a=", ""}, {"*/*", ";#*=a'b'c", ""}, {"*/*", ";", ""}, {"*/*;a=", `"`, ""},
			{"", ",", ""}, {"", "a/b;#=c,", "*/*"}, {"", "application/json;a=#,", ""}, {"", "*/*,", ""}, {"text/html;indent=", "9", ""},
			{"*/*;a*=utf-8''", "%ff", ""},
		},
		"Content-Type": {
			{multipart, ";#=", ""}, {multipart, ";#*=a'b'c", ""}, {multipart, ";", ""}, {multipart + ";a=", `"`, ""}, {multipart + ";a=", `\"`, ""},
			{"a/b;charset=", "_x", ""}, {"multipart/form-data; boundary=", "x", ""}, {"", "\u00e9", ""},
		},
		"Authorization":   {{"Token ", "a", ""}, {"", " ", ""}, {"Token ", "a ", ""}, {"Token ", "A", ""}, {"Token ", "\xff", ""}},
		"X-Forwarded-For": {{"", "127.0.0.1,", ""}, {"", ",", ""}, {"", "::1%#,", ""}, {"", "[::1]:#, ", ""}, {"", "x,", "127.0.0.1"}},
		"X-Request-Id":    {{"", "a", ""}},
		"Cookie":          {{"", "a#=b; ", ""}, {"csrftoken=", "a", ""}},
		"query":           {{"", "a=#&", "format=json"}, {"", "%41\u00e9", ""}, {"format=", "%ff", ""}, {"format=", "+", ""}},
		"path":            {{"/", "a", ""}, {"/", "/", ""}, {"/", "\u00e9", ""}, {"/api/account/", "a", "/"}},
		"method":          {{"", "a", ""}},
		"form": {
			{"", "#=&", ""}, {"", "&", ""}, {"", "=", ""}, {"", "%41\u00e9", ""}, {"", "%ff", ""}, {"", "\xff", ""}, {"", "\xed\xa0\x80", ""}, {"", "+", ""},
			{"username=", "\u0301", ""}, {"username=", "\ufdfa", ""}, {"username=a", "\u0316\u0301", ""}, {"username=", " ", "a"}, {"username=", "\u1100\u1161", ""},
			{"username=a&email=a@", "a.", ""}, {"username=a&email=a@", "\u00e9", ""}, {"username=a&email=", "a@", ""}, {`username=a&email="`, "a", ""},
		},
		"multipart": {
			{"", part + "#" + field, "--x--"}, {"", "--x", ""}, {"", "\r\n--x\r\n", ""}, {part + "username\r\nContent-Transfer-Encoding: base64\r\n\r\n", "YQ=\n", "\r\n--x--"},
			{part + "username; filename=a" + field, "\xff", "\r\n--x--"}, {part + `a; filename="`, "&lt", `"` + field + "--x--"}, {part + "username; filename=a\r\nContent-Transfer-Encoding: base64\r\n\r\n", "YQ = ", "\r\n--x--"},
			{"", part + "a" + strings.Repeat(";b=", 300) + field, "--x--"},
		},
		"json": {
			{"{", `"#":1,`, `"a":1}`}, {"{", `"#":[],`, `"a":1}`}, {"{", `"a":1,`, `"a":1}`}, {"[", "[],", "1]"}, {"", "[", ""}, {`{"a":`, "{}", ""}, {"", "\n", "x"}, {"", " ", ""},
			{name, "9", "}"}, {name + "1.", "0", "}"}, {name + "1e", "9", "}"}, {name + "0.", "9", "e9}"}, {name, "-", "}"}, {name + "[", "1,", "1]}"}, {name + "{", `"#":"'",`, `"a":1}}`},
			{name + `"`, "a", `"}`}, {name + `"`, `\u0041`, `"}`}, {name + `"`, `\ud800`, `"}`}, {name + `"`, `\n`, `"}`}, {name + `"`, "\u0301", `"}`}, {name + `"`, "\ufdfa", `"}`}, {name + `"`, "\u0130", `"}`},
			{name + `"`, " ", `"}`}, {name + `"`, `\"`, ""}, {name + `"`, "\xff", `"}`}, {name + `"`, "\u00e9", `"}`}, {address, "a.", `"}`}, {address, "\u0301", `"}`}, {address, "\u00e9.", `"}`}, {address, "@", `"}`},
		},
		"json in UTF-16": {{"\xff\xfe", "a\x00", ""}, {"\xff\xfe[\x00\"\x00", "\x00\xd8", ""}},
	}
}

// deep returns a text of JSON that is nested as deep as it may be if it has a mebibyte.
func deep(n int) string {
	depth := n / (1 << 20 / 900)
	return `{"password": "p", "username": ` + strings.Repeat(`[{"a":`, depth/2) + `"` + strings.Repeat("'", n-4*depth-60) + `"` + strings.Repeat("}]", depth/2) + "}"
}

// cpuTime is the processor time of this thread: other programs on the machine take none
// of it.
func cpuTime(t *testing.T) time.Duration {
	t.Helper()
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &now); err != nil {
		t.Fatal(err)
	}
	return time.Duration(now.Nano())
}

// checkLinear fails if what is done with a text of n bytes takes more than three times as
// long, for each byte, as with an eighth of it: if the time were quadratic, it would take
// eight times as long. Each time is the shortest of several, and more are tried before it
// fails.
func checkLinear(t *testing.T, n int, prepare func(n int) (do func())) {
	t.Helper()
	const share, tolerance, rounds = 8, 3, 25
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	short, long := time.Duration(math.MaxInt64), time.Duration(math.MaxInt64)
	measure := func(n int, shortest time.Duration) time.Duration {
		do := prepare(n)
		began := cpuTime(t)
		do()
		return min(shortest, cpuTime(t)-began)
	}
	for range rounds {
		short, long = measure(n/share, short), measure(n, long)
		if long <= tolerance*share*short {
			return
		}
	}
	t.Errorf("%v for %d bytes, %v for %d", long, n, short, n/share)
}

// TestCostsAreLinear sends what anybody can send, up to the limits: what it costs to read
// grows with its length, and no faster.
func TestCostsAreLinear(t *testing.T) {
	const head, body = DefaultMaxHeaderBytes - 200, 1 << 20
	// With a larger heap, Go gives no memory back between two runs: where the system takes long
	// to give it, that would be most of the time of those that need more.
	heap := make([]byte, 256<<20)
	defer runtime.KeepAlive(heap)
	for _, profile := range []string{"authtokens", "ocd-users", "form-auth", "snippit"} {
		h, login := served(t, profile)
		serve := func(place string, text func(n int) string) func(n int) func() {
			return func(n int) func() {
				r, w := request(login, place, text(n)), httptest.NewRecorder()
				return func() {
					if h.ServeHTTP(w, r); w.Code == http.StatusRequestEntityTooLarge {
						t.Errorf("%d bytes are refused unread", n)
					}
				}
			}
		}
		for place, texts := range hostileTexts() {
			most := head
			if strings.Contains("form multipart json in UTF-16", place) {
				most = body
			}
			for _, text := range texts {
				t.Run(fmt.Sprintf("%s %s %.20q %.20q", profile, place, text[0], text[1]), func(t *testing.T) {
					checkLinear(t, most, serve(place, func(n int) string { return grow(text, n) }))
				})
			}
		}
		t.Run(profile+" json nested", func(t *testing.T) { checkLinear(t, body, serve("json", deep)) })
	}
	for _, line := range []string{"a", "\n", "a:\n", "\r\n"} {
		t.Run(fmt.Sprintf("head %q", line), func(t *testing.T) {
			checkLinear(t, body, func(n int) func() { // in pieces, as it is read
				text := []byte(grow([3]string{"GET / HTTP/1.1\n", line, ""}, n))
				return func() {
					var h headCounter
					for rest := text; len(rest) > 0; rest = rest[min(len(rest), 512):] {
						h.add(rest[:min(len(rest), 512)], headLimits{bytes: len(text), fields: n})
					}
				}
			})
		})
	}
}

// TestLongNames sends names whose normal form is eighteen times as long: it costs hardly
// more than a plain name of as many bytes, since neither can be anybody's.
func TestLongNames(t *testing.T) {
	h, login := served(t, "form-auth")
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	shortest := func(letter string) time.Duration {
		best := time.Duration(math.MaxInt64)
		for range 5 {
			r, w := request(login, "form", grow([3]string{"password=p&username=", letter, ""}, 1<<20)), httptest.NewRecorder()
			began := cpuTime(t)
			h.ServeHTTP(w, r)
			best = min(best, cpuTime(t)-began)
		}
		return best
	}
	const times = 20
	if plain, hostile := shortest("a"), shortest("\ufdfa"); hostile > times*plain {
		t.Errorf("%v, and %v for a plain name", hostile, plain)
	}
}
