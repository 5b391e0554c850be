package strftime

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
	_ "time/tzdata"

	"github.com/authcompat/authcompat/core/testenv"
)

func TestAppend(t *testing.T) {
	paris, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 11, 30, 17, 42, 5, 678_000, time.UTC).In(paris)
	for format, want := range map[string]string{
		"%d/%m/%Y %H:%M":          "30/11/2026 18:42",
		"%H:%M %d/%m/%y":          "18:42 30/11/26",
		"%a %A %w %b %B %j":       "Mon Monday 1 Nov November 334",
		"%I:%M:%S.%f %p %z %Z":    "06:42:05.000678 PM +0100 CET",
		"%c|%x|%X":                "Mon Nov 30 18:42:05 2026|11/30/26|18:42:05",
		"%G-W%V-%u %U %W %e":      "2026-W49-1 48 48 30",
		"%F %T %D %R":             "2026-11-30 18:42:05 11/30/26 18:42",
		"100%% é Monday 2006 %%d": "100% é Monday 2006 %d",
		"":                        "",
	} {
		l, err := Parse(format)
		if got := string(l.Append(nil, at)); got != want || err != nil {
			t.Errorf("%s: %q, %v, want %q", format, got, err, want)
		}
	}
	for format, want := range map[string]string{"%H:%": "a percent sign is written %%", "%Q": "%Q is none of %a, %A, %w", "%-d": "%- is none of %a"} {
		if _, err := Parse(format); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: %v", format, err)
		}
	}
}

func TestISO(t *testing.T) {
	kolkata, err := time.LoadLocation("Asia/Kolkata")
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for want, at := range map[string]time.Time{
		"2026-01-02T03:04:05Z":             at,
		"2026-01-02T08:34:05+05:30":        at.In(kolkata),
		"2026-01-02T08:34:05.000070+05:30": at.Add(70 * time.Microsecond).In(kolkata),
		"2026-01-02T03:04:05.100000Z":      at.Add(100 * time.Millisecond),
	} {
		if got := string(AppendISO(nil, at)); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

const oracle = `
import sys, datetime, zoneinfo
for line in sys.stdin:
    zone, micros = line.split()
    t = (datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc) + datetime.timedelta(microseconds=int(micros))).astimezone(zoneinfo.ZoneInfo(zone))
    iso = t.isoformat()
    print(iso[:-6] + 'Z' if iso.endswith('+00:00') else iso, t.strftime(sys.argv[1]))
`

// TestAgainstPython writes times as CPython does, with all directives at once.
func TestAgainstPython(t *testing.T) {
	python, err := exec.LookPath("python3")
	if err != nil {
		testenv.Missing(t, "no Python to compare with: %v", err)
	}
	format := "%" + strings.Join(strings.Split(Directives, ""), " %")
	l, err := Parse(format)
	if err != nil {
		t.Fatal(err)
	}
	zones := []string{"UTC", "Europe/Paris", "Asia/Kolkata", "America/St_Johns", "Pacific/Apia", "America/Sao_Paulo", "Europe/London", "Australia/Lord_Howe"}
	r := rand.New(rand.NewPCG(1, 2))
	var in strings.Builder
	var want []string
	for range 3000 {
		zone := zones[r.IntN(len(zones))]
		location, err := time.LoadLocation(zone)
		if err != nil {
			t.Fatal(err)
		}
		micros := r.Int64N(80*365*24*3600) * 1_000_000 // to 2049
		if r.IntN(2) == 0 {
			micros += r.Int64N(1_000_000)
		}
		at := time.UnixMicro(micros).In(location)
		fmt.Fprintln(&in, zone, micros)
		want = append(want, string(AppendISO(nil, at))+" "+string(l.Append(nil, at)))
	}
	cmd := exec.Command(python, "-E", "-c", oracle, format)
	cmd.Stdin, cmd.Stderr = strings.NewReader(in.String()), os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(strings.NewReader(string(out)))
	different := 0
	for i := range want {
		if lines.Scan(); lines.Text() != want[i] && different < 5 {
			different++
			t.Errorf("%s\nPython has %s", want[i], lines.Text())
		}
	}
}
