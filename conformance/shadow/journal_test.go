package shadow

import (
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// day is a time on a day of the tests.
func day(n int) time.Time { return time.Date(2026, 11, n, 12, 0, 0, 0, time.UTC) }

func mustOpen(t *testing.T, path string) *Journal {
	t.Helper()
	j, err := Open(path, func(err error) { t.Error(err) })
	if err != nil {
		t.Fatal(err)
	}
	return j
}

func mustRead(t *testing.T, path string) []Record {
	t.Helper()
	records, err := Read(path)
	if err != nil {
		t.Fatal(err)
	}
	return records
}

func login(d ...Difference) Record {
	return Record{At: day(1), Profile: "p", Endpoint: "login", Verdict: Same, Method: "POST", Status: 200, Differences: d}
}

var (
	vary  = Difference{Place: "header Vary", Kind: KindMissing, Old: "Cookie"}
	stamp = Difference{Place: "body.stamp", Kind: KindValue, Old: "9", Ours: "9", SameForm: true}
)

// TestJournal writes what came to the same as one line, and each user once.
func TestJournal(t *testing.T) {
	path := filepath.Join(t.TempDir(), "j")
	j := mustOpen(t, path)
	for i := range 5 {
		j.Add(login(), fmt.Sprintf("u%d", i%2))
	}
	j.Flush()
	j.Flush() // nothing
	j.Add(login(), "u1")
	j.Add(login(), "u2")
	j.Add(login(), "")
	r := login(vary)
	j.Judge(&r)
	j.Add(r, "u3")
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	got := mustRead(t, path)
	differs := login(vary)
	differs.Verdict, differs.Count, differs.Users = Differ, 1, []string{"u3"}
	first, second := login(), login()
	first.Count, first.Users = 5, []string{"u0", "u1"}
	second.Count, second.Users = 3, []string{"u2"}
	if d := cmp.Diff([]Record{first, second, differs}, got); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
}

// TestJournalGoesOn knows after a restart what noise there is, and who was there.
func TestJournalGoesOn(t *testing.T) {
	path := filepath.Join(t.TempDir(), "j")
	j := mustOpen(t, path)
	j.Add(login(), "u1")
	j.Learn(day(1), "p", "login", []Difference{stamp})
	j.Learn(day(1), "p", "login", []Difference{stamp}) // known
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	j = mustOpen(t, path)
	for want, d := range map[Verdict]Difference{Noise: stamp, Differ: vary} {
		r := login(d)
		if j.Judge(&r); r.Verdict != want {
			t.Errorf("%s: %s, want %s", d.Place, r.Verdict, want)
		}
	}
	longer := stamp
	longer.SameForm = false
	for _, r := range []Record{login(longer), {Profile: "p", Endpoint: "logout", Differences: []Difference{stamp}}, login(stamp, vary)} {
		if j.Judge(&r); r.Verdict != Differ {
			t.Errorf("%+v", r)
		}
	}
	j.Add(login(), "u1")
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	records := mustRead(t, path)
	if len(records) != 3 || len(records[2].Users) != 0 || records[1].Verdict != Learned {
		t.Errorf("%+v", records)
	}
}

// TestJournalIsBounded begins anew where it is full: what all is judged by is there again.
func TestJournalIsBounded(t *testing.T) {
	path := filepath.Join(t.TempDir(), "j")
	j := mustOpen(t, path)
	j.max = 2000
	j.Add(Record{At: day(1), Verdict: Started, Profile: "p", Endpoints: []string{"login", "logout"}, Sample: "10%"}, "")
	j.Learn(day(1), "p", "login", []Difference{stamp})
	for range 50 {
		j.Add(login(), "u1")
		j.Flush()
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{path, path + ".1"} {
		info, err := os.Stat(path)
		if err != nil || info.Size() > 3000 || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %d bytes, %v", path, info.Size(), err)
		}
		records := mustRead(t, path)
		s := Summarize(records, nil)
		if len(s.Rows) != 2 || s.Rows[0].Users != 1 || records[0].Verdict != Started || records[1].Verdict != Learned {
			t.Errorf("%s: %+v", path, s)
		}
	}
}

// TestJournalOfManyKinds loses what is too much, and says so.
func TestJournalOfManyKinds(t *testing.T) {
	var said []error
	j, err := Open(filepath.Join(t.TempDir(), "j"), func(err error) { said = append(said, err) })
	if err != nil {
		t.Fatal(err)
	}
	for i := range maxPending + 7 {
		j.Add(login(Difference{Place: fmt.Sprint(i)}), "")
	}
	j.Flush()
	if len(said) != 1 || said[0].Error() != "7 results were not written: there were too many kinds of them" {
		t.Errorf("%v", said)
	}
	_ = j.Close()
	j.Add(login(), "")
	j.Flush()
	if len(said) != 2 || !errors.Is(said[1], os.ErrClosed) {
		t.Errorf("%v", said)
	}
}

func TestReadRefuses(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "j")
	for text, want := range map[string]string{
		"hello\n":                          "%:1: it is no line of a shadow's journal",
		`{"verdict":"same"}` + "\n{}\n":    "%:2: it is no line of a shadow's journal",
		`{"verdict":"same"}` + "\n{\"verd": "", // is being written
	} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		got := ""
		if _, err := Read(path); err != nil {
			got = strings.ReplaceAll(err.Error(), path, "%")
		}
		if got != want {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
	if _, err := Open(folder, nil); err == nil {
		t.Error("a folder is a journal")
	}
}

func TestSummarize(t *testing.T) {
	count := func(r Record, n int64, users ...string) Record {
		r.Count, r.Users = n, users
		if len(r.Differences) > 0 {
			r.Verdict = Differ
		}
		return r
	}
	other := login(vary)
	other.Endpoint, other.At = "logout", day(3)
	records := []Record{
		{At: day(1), Verdict: Started, Profile: "p", Endpoints: []string{"login", "logout", "register"}},
		count(login(), 90, "u1", "u2"),
		count(login(stamp), 4), // before it is learned
		{At: day(2), Verdict: Learned, Profile: "p", Endpoint: "login", Differences: []Difference{stamp}},
		count(login(stamp, vary), 3, "u3"),
		count(other, 2, "u1"),
		{At: day(9), Verdict: Skipped, Profile: "p", Endpoint: "login", Reason: ReasonBusy, Count: 11},
	}
	known := []Known{{Endpoint: "login", Place: "header Vary", Reason: "nginx"}, {Place: "status", Reason: "never"}}
	s := Summarize(records, known)
	want := []Row{
		{Profile: "p", Endpoint: "login", Asked: 108, Compared: 97, Same: 90, Noise: 4, Known: 3, Users: 3, Skipped: 11},
		{Profile: "p", Endpoint: "logout", Asked: 2, Compared: 2, Differ: 2, Users: 1},
		{Profile: "p", Endpoint: "register"},
		{Asked: 110, Compared: 99, Same: 90, Noise: 4, Known: 3, Differ: 2, Users: 3, Skipped: 11},
	}
	for i, row := range append(s.Rows, s.Total) {
		row.users, row.Reasons, row.UpperBound = nil, nil, 0
		if d := cmp.Diff(want[i], row, cmp.AllowUnexported(Row{})); d != "" {
			t.Errorf("%d (-want +got):\n%s", i, d)
		}
	}
	if s.Days != 2 || !s.First.Equal(day(1)) || !s.Last.Equal(day(3)) {
		t.Errorf("%d days, %v to %v", s.Days, s.First, s.Last)
	}
	if len(s.Found) != 2 || s.Found[0].Endpoint != "logout" || s.Found[0].Count != 2 || s.Found[1].Known != "nginx" || len(s.Unmet) != 1 || s.Unmet[0].Place != "status" {
		t.Errorf("%+v, %+v", s.Found, s.Unmet)
	}
}

func TestUpperBound(t *testing.T) {
	for _, test := range []struct {
		differ, n int64
		want      float64
	}{
		{0, 0, 1}, {0, 1, 0.95}, {0, 100, 0.029513049607039932}, {0, 3000, 3.0 / 3000}, {1, 100, 0.046561}, {5, 100, 0.102253}, {2, 3000, 0.0020970}, {50, 1000, 0.06298}, {99, 100, 0.999487}, {100, 100, 1},
		{1000, 10_000_000, 0.00010536}, // beyond what Lgamma was made for, still to 1 %
	} {
		if got := UpperBound(test.differ, test.n); math.Abs(got-test.want) > test.want*0.01 {
			t.Errorf("%d of %d: %g, want %g", test.differ, test.n, got, test.want)
		}
	}
}

// TestGate asks for each thing by itself.
func TestGate(t *testing.T) {
	enough := func() Summary {
		return Summary{Total: Row{Asked: 3100, Compared: 3000, Same: 3000, Users: 100, Skipped: 100}, Days: 3, Rows: []Row{{Profile: "p", Endpoint: "login", Compared: 2999}, {Profile: "p", Endpoint: "logout", Compared: 1}}}
	}
	for name, test := range map[string]struct {
		change func(*Summary)
		want   Readiness
		fails  string
	}{
		"enough":             {func(*Summary) {}, Ready, ""},
		"a difference":       {func(s *Summary) { s.Total.Differ = 1 }, Differences, "differences"},
		"one and no days":    {func(s *Summary) { s.Total.Differ, s.Days = 1, 0 }, Differences, "differences days"},
		"a request too few":  {func(s *Summary) { s.Total.Compared = 2999 }, TooLittle, "requests"},
		"a user too few":     {func(s *Summary) { s.Total.Users = 99 }, TooLittle, "users"},
		"a day too few":      {func(s *Summary) { s.Days = 2 }, TooLittle, "days"},
		"an endpoint unseen": {func(s *Summary) { s.Rows[1].Compared = 0 }, TooLittle, "requests to logout of p"},
		"most skipped":       {func(s *Summary) { s.Total.Skipped = 1551 }, TooLittle, "skipped"},
		"half skipped":       {func(s *Summary) { s.Total.Skipped = 1550 }, Ready, ""},
	} {
		s := enough()
		test.change(&s)
		verdict, all := DefaultThresholds().Gate(s)
		var fails []string
		for _, c := range all {
			if !c.OK {
				fails = append(fails, c.Name)
			}
		}
		if verdict != test.want || strings.Join(fails, " ") != test.fails {
			t.Errorf("%s: %s, %v", name, verdict, fails)
		}
	}
}

func TestThresholds(t *testing.T) {
	got, err := ParseThresholds("f.yaml", []byte("requests: 10\nskipped: 20%\nknown:\n- {endpoint: login, place: header Vary, kind: missing, reason: nginx}\n"))
	want := DefaultThresholds()
	want.Requests, want.Skipped = 10, 20
	want.Known = []Known{{Endpoint: "login", Place: "header Vary", Kind: KindMissing, Reason: "nginx"}}
	if len(got.Known) == 1 {
		want.Known[0].At = got.Known[0].At
	}
	if d := cmp.Diff(want, got); d != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, d)
	}
	_, err = ParseThresholds("f.yaml", []byte("request: 10\nusers: many\ndays: 0\nskipped: 101%\nrequsts: [1]\nknown:\n- {place: status}\n- {kind: statsu, plce: x, reason: ''}\n- x\n"))
	const problems = `f.yaml:1:1: request: unknown key; did you mean requests?
f.yaml:2:8: users: want a whole number, 0 to 1000000000
f.yaml:3:7: days: want a whole number, 1 to 1000000000
f.yaml:4:10: skipped: want a whole number, 0 to 100
f.yaml:5:1: requsts: unknown key; did you mean requests?
f.yaml:7:3: known[0].reason: want why it does not matter: whoever reads the verdict has to know
f.yaml:8:3: known[1]: "statsu" is no kind of difference; did you mean status?
f.yaml:8:3: known[1].place: want the place of the difference, as shadow report shows it
f.yaml:8:3: known[1].reason: want why it does not matter: whoever reads the verdict has to know
f.yaml:8:18: known[1].plce: unknown key; did you mean place?
f.yaml:8:35: known[1].reason: want a text
f.yaml:9:3: known[2]: want a map with place and reason`
	if err == nil {
		err = errors.New("nothing")
	}
	if d := cmp.Diff(problems, err.Error()); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
}

// FuzzThresholds reads anything, and gives an error or thresholds that a gate can go by.
func FuzzThresholds(f *testing.F) {
	for _, seed := range []string{"requests: 10\n", "known: [{place: status, reason: x}]", "known: *a", "- x", "skipped: 1e3", "{", "days: [1]"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := ParseThresholds("f.yaml", data)
		if err != nil {
			return
		}
		if got.Requests < 1 || got.Days < 1 || got.Differences < 0 || got.Skipped > 100 {
			t.Errorf("%q: %+v", data, got)
		}
		for _, k := range got.Known {
			if k.Place == "" || k.Reason == "" {
				t.Errorf("%q: %+v", data, k)
			}
		}
	})
}
