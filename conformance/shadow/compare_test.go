package shadow

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// answer makes an answer of JSON with these lines of a header.
func answer(body string, lines ...string) Answer {
	a := Answer{Status: 200, Header: http.Header{"Content-Type": {"application/json"}}, Body: []byte(body)}
	for _, line := range lines {
		name, value, _ := strings.Cut(line, ": ")
		a.Header[name] = append(a.Header[name], value)
	}
	return a
}

func TestCompare(t *testing.T) {
	zip := func(text string) string {
		var out bytes.Buffer
		w := gzip.NewWriter(&out)
		_, _ = w.Write([]byte(text))
		_ = w.Close()
		return out.String()
	}
	for name, test := range map[string]struct {
		old, ours Answer
		want      []Difference
	}{
		"nothing":                         {answer(`{"a": [1, null]}`), answer(`{"a": [1, null]}`), nil},
		"connections and clocks":          {answer(`{}`, "Date: now", "Server: gunicorn", "Connection: close", "Content-Length: 3", "Via: 1.1 x"), answer(`{}`), nil},
		"compressed":                      {answer(zip(`{"a":1}`), "Content-Encoding: gzip"), answer(`{"a":1}`), []Difference{{Place: "header Content-Encoding", Kind: KindMissing, Old: "gzip"}}},
		"not as compressed as it says":    {answer(`{"a":1}`, "Content-Encoding: gzip"), answer(`{"a":1}`, "Content-Encoding: gzip"), nil},
		"a page":                          {Answer{200, http.Header{"Content-Type": {"text/html; charset=utf-8"}}, []byte("<p>")}, Answer{200, http.Header{"Content-Type": {"text/html; charset=utf-8"}}, []byte("<i>")}, nil},
		"keys twice":                      {answer(`{"a":1,"a":2}`), answer(`{"a":1,"a":3}`), []Difference{{Place: "body.a", Kind: KindValue, Old: "9", Ours: "9", SameForm: true}}},
		"a key that may be a name":        {answer(`{"ann@example.com":1}`), answer(`{}`), []Difference{{Place: "body.aaa@aaaaaaa.aaa", Kind: KindMissing, Old: "integer"}}},
		"a key that may be a token":       {answer(`{"a0123456789abcdef0":1}`), answer(`{}`), []Difference{{Place: "body.a9999999999aaaaaa9", Kind: KindMissing, Old: "integer"}}},
		"a number with an exponent":       {answer(`[1e2]`), answer(`[100]`), []Difference{{Place: "body[0]", Kind: KindType, Old: "number with a fraction", Ours: "integer"}}},
		"true and false":                  {answer(`{"a":true}`), answer(`{"a":false}`), []Difference{{Place: "body.a", Kind: KindValue, Old: "true", Ours: "false"}}},
		"a list within":                   {answer(`{"a":[{"b":"x"}]}`), answer(`{"a":[{"b":"yy"}]}`), []Difference{{Place: "body.a[0].b", Kind: KindValue, Old: `"a"`, Ours: `"aa"`}}},
		"white space in an empty list":    {answer(`{"a":[ ]}`), answer(`{"a":[]}`), []Difference{{Place: "end of body.a", Kind: KindSpace, Old: `" "`, Ours: `""`}}},
		"white space at the beginning":    {answer(" {}"), answer("{}"), []Difference{{Place: "before body", Kind: KindSpace, Old: `" "`, Ours: `""`}}},
		"what Python reads, and not JSON": {answer(`{"a":NaN}`), answer(`{"a":NaN }`), []Difference{{Place: "byte 8 of body", Kind: KindBytes, Old: "9 bytes", Ours: "10 bytes"}}},
		"a secret in a public header":     {answer(`{}`, "WWW-Authenticate: Digest nonce=0123456789abcdef0"), answer(`{}`), []Difference{{Place: "header WWW-Authenticate", Kind: KindMissing, Old: "Aaaaaa aaaaa=9999999999aaaaaa9"}}},
		"another's header":                {answer(`{}`, "X-User: ann"), answer(`{}`), []Difference{{Place: "header X-User", Kind: KindMissing, Old: "aaa"}}},
		"cookies": {answer(`{}`, "Set-Cookie: a=123; Path=/", "Set-Cookie: b=1"), answer(`{}`, "Set-Cookie: a=456; Path=/", "Set-Cookie: b=12"),
			[]Difference{{Place: "header Set-Cookie b", Kind: KindForm, Old: "1 characters; ", Ours: "2 characters; "}}},
		"more lines": {answer(`{}`, "Vary: A", "Vary: B"), answer(`{}`, "Vary: A, B"), []Difference{{Place: "header Vary", Kind: KindLines, Old: "2", Ours: "1"}}},
	} {
		if d := cmp.Diff(test.want, Compare(test.old, test.ours, Options{})); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
	}
}

// TestIssuedValues compares what is issued by its form alone.
func TestIssuedValues(t *testing.T) {
	const hex, other = "0123456789abcdef", "fedcba9876543210"
	for _, test := range []struct {
		form      Form
		old, ours string
		want      Kind
	}{
		{FormToken, `"` + hex + `"`, `"` + other + `"`, ""},
		{FormToken, `"` + hex + `0"`, `"` + other + `"`, KindForm},
		{FormToken, `"` + strings.ToUpper(hex) + `"`, `"` + other + `"`, KindForm},
		{FormToken, `"known` + hex + `"`, `"known` + other + `"`, KindExisting},
		{FormToken, `1`, `"` + other + `"`, KindType},
		{FormTime, `null`, `null`, ""},
		{FormTime, `null`, `"2026-01-02T03:04:05Z"`, KindType},
		{FormTime, `"2026-01-02T03:04:05.123456Z"`, `"2026-01-02T03:04:06.654321Z"`, ""},
		{FormTime, `"2026-01-02T03:04:05.123456Z"`, `"2026-01-02T03:04:06.654321+00:00"`, KindForm},
		{FormTime, `"2026-01-02T03:04:05.123Z"`, `"2026-01-02T03:04:06.654321Z"`, KindForm},
		{FormTime, `"2026-01-02T03:04:05Z"`, `"2026-01-02T13:04:05Z"`, KindTime},
		{FormTime, `1764500000000`, `1764500001000`, ""},
		{FormTime, `1764500000000`, `1764536000000`, KindTime},
		{FormTime, `1764500000`, `1764500000000`, KindForm},
		{FormTime, `"16-06-2014 20:51"`, `"17-06-2014 20:51"`, ""}, // not a form in which times are read
		{FormTime, `"16-06-2014 20:51"`, `"2014-06-16 20:51"`, KindForm},
		{FormID, `9`, `9223372036854775807`, ""},
		{FormID, `"9"`, `9`, KindType},
	} {
		options := Options{Places: map[string]Form{"body.v": test.form}, Existing: []string{"known" + hex}}
		var got Kind
		if all := Compare(answer(`{"v":`+test.old+`}`), answer(`{"v":`+test.ours+`}`), options); len(all) > 0 {
			got = all[0].Kind
		}
		if got == KindTime && !strings.HasSuffix(found(t, test.old, test.ours, options), "10h0m0s later") {
			t.Errorf("%s, %s: how far they are apart is not said", test.old, test.ours)
		}
		if got != test.want {
			t.Errorf("%s %s, %s: %q, want %q", test.form, test.old, test.ours, got, test.want)
		}
	}
}

// TestWordsOfTheAPI shows texts that nobody has sent: in refusals, where all of ours is known.
func TestWordsOfTheAPI(t *testing.T) {
	known := map[string]bool{"": true, "Invalid": true, "token": true, "name": true}
	options := Options{Words: func(word string) bool { return known[word] }}
	refusal := func(body string) Answer {
		a := answer(body)
		a.Status = 401
		return a
	}
	for _, test := range []struct {
		old, ours      Answer
		want, wantOurs string
	}{
		{refusal(`"Invalid token!"`), refusal(`"Invalid token."`), `"Invalid token!"`, `"Invalid token."`},
		{refusal(`"Invalid token of ann1."`), refusal(`"Invalid token."`), `"Invalid token aa aaa9."`, `"Invalid token."`},
		{refusal(`"Invalid name."`), refusal(`"Invalid ann."`), `"Aaaaaaa aaaa."`, `"Aaaaaaa aaa."`},
		{refusal(`"Invalid."`), refusal(`"Invalid 12."`), `"Aaaaaaa."`, `"Aaaaaaa 99."`},
		{answer(`"Invalid"`), answer(`"token"`), `"Aaaaaaa"`, `"aaaaa"`},
		{answer(`"Invalid"`), refusal(`"token"`), `"Aaaaaaa"`, `"aaaaa"`},
	} {
		found := Compare(test.old, test.ours, options)
		if d := found[len(found)-1]; d.Old != test.want || d.Ours != test.wantOurs {
			t.Errorf("%s, %s: %s, %s", test.old.Body, test.ours.Body, d.Old, d.Ours)
		}
	}
}

// found returns what is shown of our value.
func found(t *testing.T, old, ours string, o Options) string {
	t.Helper()
	return Compare(answer(`{"v":`+old+`}`), answer(`{"v":`+ours+`}`), o)[0].Ours
}

func TestMask(t *testing.T) {
	for text, want := range map[string]string{
		"2014-06-16T20:51:00.000Z": "9999-99-99A99:99:99.999A", "ann@example.com": "aaa@aaaaaaa.aaa", "": "", "\u00c9t\u00e9\u4e2d\x00\u0663": "Aaaa?9",
		strings.Repeat("x", 100): strings.Repeat("a", 60) + "\u2026",
	} {
		if got := Mask(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

// FuzzCompare finds no difference between an answer and itself, and one between it and any other,

func FuzzCompare(f *testing.F) {
	for _, seed := range []string{`{"a": 1}`, `{"a":1,"a":2}`, `[1,2.0,"\u0041",null]`, ` [] `, "x", "", `{"a":NaN}`, `"\ud800"`, strings.Repeat("[", 200)} {
		f.Add([]byte(seed), []byte(`{"a": 2}`))
	}
	f.Fuzz(func(t *testing.T, a, b []byte) {
		x, y := Answer{200, http.Header{}, a}, Answer{200, http.Header{}, b}
		if found := Compare(x, x, Options{}); len(found) > 0 {
			t.Fatalf("%q differs from itself: %+v", a, found)
		}
		if found := Compare(x, y, Options{}); len(found) == 0 && !bytes.Equal(a, b) {
			t.Fatalf("no difference between %q and %q", a, b)
		}
	})
}

// TestDifferencesAreShort holds that no header's name and no white space of an old server makes the journal long.
func TestDifferencesAreShort(t *testing.T) {
	long, wide := strings.Repeat("x", 100_000), strings.Repeat(" ", 100_000)
	for name, old := range map[string]Answer{
		"a name":         answer(`{"a":1}`, long+": 1"),
		"before a value": answer(`{"a":` + wide + `1}`),
		"before a key":   answer(`{"b":1,` + wide + `"a":1}`),
		"at the end":     answer(`{"a":1` + wide + `}` + wide),
		"before all":     answer(wide + `{"a":1}`),
	} {
		found := Compare(old, answer(`{"b":1,"a":1}`), Options{})
		if len(found) == 0 {
			t.Errorf("%s: no difference", name)
		}
		for _, d := range found {
			if len(d.Place)+len(d.Old)+len(d.Ours) > 200 {
				t.Errorf("%s: %d bytes of a %s", name, len(d.Place)+len(d.Old)+len(d.Ours), d.Kind)
			}
		}
	}
}

// TestInflatedBody compares no body that is much larger than it was sent: an old server could have a few kilobytes take gigabytes.
func TestInflatedBody(t *testing.T) {
	for size, want := range map[int]bool{maxInflated: false, maxInflated + 1: true, 64 << 20: true} {
		var sent bytes.Buffer
		zip := gzip.NewWriter(&sent)
		for left := size; left > 0; left -= 1 << 20 {
			if _, err := zip.Write(make([]byte, min(left, 1<<20))); err != nil {
				t.Fatal(err)
			}
		}
		if err := zip.Close(); err != nil {
			t.Fatal(err)
		}
		a := Answer{Header: http.Header{"Content-Encoding": {"gzip"}}, Body: sent.Bytes()}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		got := a.TooLarge()
		runtime.ReadMemStats(&after)
		grown := after.TotalAlloc - before.TotalAlloc
		if got != want || grown > 8*maxInflated {
			t.Errorf("%d bytes: too large: %t, and %d bytes were allocated", size, got, grown)
		}
	}
}

// TestManyKeys compares objects of many keys in reverse order, in a time that does not grow with the square of their number.
func TestManyKeys(t *testing.T) {
	compare := func(n int) time.Duration {
		var forth, back []string
		for i := range n {
			forth, back = append(forth, fmt.Sprintf(`"k%d":1`, i)), append(back, fmt.Sprintf(`"k%d":1`, n-1-i))
		}
		a, b := Answer{Body: []byte("{" + strings.Join(forth, ",") + "}")}, Answer{Body: []byte("{" + strings.Join(back, ",") + "}")}
		least := time.Hour
		for range 5 {
			began := time.Now()
			if found := Compare(a, b, Options{}); len(found) == 0 || len(found[len(found)-1].Old) > 4000 {
				t.Fatalf("found %.200v", found)
			}
			least = min(least, time.Since(began))
		}
		return least
	}
	if few, many := compare(2000), compare(16000); many > 30*few {
		t.Errorf("eight times as many keys took %v, %.0f times as long", many, float64(many)/float64(few))
	}
}
