package validation

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"flag"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/authcompat/authcompat/core/pythontest"
)

var update = flag.Bool("update", false, "write testdata/vectors.jsonl anew from genuine Django")

const vectors = "testdata/vectors.jsonl"

// vector is a password, and what Django says of it.
type vector struct {
	Password   string
	Attributes [4]string // user name, first and last name, address
	MinLength  int
	Failures   [][2]string // code and parameter
}

//go:embed testdata/genuine.py
var genuine string

// djangosList is Django's list of common passwords in Debian's package.
const djangosList = "/usr/lib/python3/dist-packages/django/contrib/auth/common-passwords.txt.gz"

// listed is what the vectors need of it.
const listed = "password\n12345678\nqwerty\nletmein\njennifer\nabc123\n111111\n"

// failures is what this package says of a vector's password.
func (v vector) failures(common Common) [][2]string {
	found := [][2]string{}
	a := v.Attributes
	for _, f := range Validate(v.Password, Attributes(a[0], a[1], a[2], a[3]), []Validator{DefaultSimilarity, MinLength(v.MinLength), common, Numeric{}}) {
		parameter := f.Attribute
		if f.Kind == TooShort {
			parameter = strconv.Itoa(f.MinLength)
		}
		found = append(found, [2]string{f.Kind.String(), parameter})
	}
	return found
}

// random makes a password that has something of its user.
func random(r *rand.Rand) vector {
	pieces := []string{
		"john", "John", "SMITH", "smith", "jennifer", "example", "com", "x", "1", "12", "password", "12345678", "qwerty", "letmein", "İstanbul", "ΣΊΣΥΦΟΣ", "σίσυφος", "ΟΔΟΣ.Σ", "straße", "²³", "٣٤", "①", "½", "é", "e\u0301",
		"_", "-", ".", "@", " ", "\u00a0", "\x1c", "'", "ʰ", "日本", "😀", "ǅ", "ﬁ", "aaaaaaaaaa", "0", "\u00ad", "Ⅷ", "",
	}
	text := func(most int) string {
		var out strings.Builder
		for range r.IntN(most + 1) {
			out.WriteString(pieces[r.IntN(len(pieces))])
		}
		return out.String()
	}
	v := vector{Attributes: [4]string{text(3), text(1), text(2), text(2) + "@" + text(2)}, MinLength: 1 + r.IntN(12)}
	switch of := v.Attributes[r.IntN(4)]; r.IntN(5) {
	case 0:
		v.Password = text(4)
	case 1:
		v.Password = of + text(2)
	case 2:
		letters := []rune(strings.ToUpper(of))
		r.Shuffle(len(letters), func(i, j int) { letters[i], letters[j] = letters[j], letters[i] })
		v.Password = string(letters) + text(1)
	case 3:
		v.Password = strings.Repeat(of, 1+r.IntN(3))
	case 4:
		v.Password = " " + pieces[r.IntN(len(pieces))] + "\u2003"
	}
	return v
}

// startGenuine starts Debian's Django, and returns what asks it. Without it the test is skipped, or
// fails if CI is set.
func startGenuine(t *testing.T) func(v vector) [][2]string {
	t.Helper()
	ask := pythontest.Start(t, "django", genuine)
	return func(v vector) (failures [][2]string) {
		ask([]any{v.Password, v.Attributes, v.MinLength}, &failures)
		return failures
	}
}

// TestAsGenuine asks genuine Django and this package about generated passwords.
func TestAsGenuine(t *testing.T) {
	ask := startGenuine(t)
	file, err := os.Open(djangosList)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	common, err := ReadCommon(file)
	if err != nil || len(common) < 19_000 {
		t.Fatal(len(common), err)
	}
	r := rand.New(rand.NewPCG(7, 8))
	counted := make(map[string]int)
	for range 5_000 {
		v := random(r)
		want := ask(v)
		if d := cmp.Diff(want, v.failures(common)); d != "" {
			t.Fatalf("%+v (-genuine +ours):\n%s", v, d)
		}
		for _, f := range want {
			counted[f[0]]++
		}
	}
	for kind := TooSimilar; kind <= EntirelyNumeric; kind++ {
		if counted[kind.String()] < 50 {
			t.Errorf("%s: %d times only", kind, counted[kind.String()])
		}
	}
	if *update {
		writeVectors(t, ask)
	}
}

// writeVectors keeps some hundred generated passwords with Django's answers.
func writeVectors(t *testing.T, ask func(vector) [][2]string) {
	t.Helper()
	list, err := ReadCommon(strings.NewReader(listed))
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(9, 10))
	var out bytes.Buffer
	for kept := 0; kept < 300; {
		v := random(r)
		v.Failures = ask(v)
		if cmp.Equal(v.Failures, v.failures(list)) { // not of other common passwords
			line, err := json.Marshal(v)
			if err != nil {
				t.Fatal(err)
			}
			out.Write(append(line, '\n'))
			kept++
		}
	}
	if err := os.WriteFile(vectors, out.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
}
