package djangocmd

import (
	"strings"
	"testing"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/profiles"
	"github.com/authcompat/authcompat/store/django/transfer"
)

// TestNextShowsNoPassword checks that the suggested command hides the password of a DSN.
func TestNextShowsNoPassword(t *testing.T) {
	f := djangoFlags{zone: "UTC", mapping: "my columns.yaml"}
	got := f.next([]string{"postgres://ann:s3cret@db/x?sslmode=disable"}, &transfer.Inspection{Undecided: "several"})
	want := `authcompat import django 'postgres://ann:PASSWORD@db/x?sslmode=disable' --token-table TABLE --map 'my columns.yaml' --profile NAME|FILE --dry-run`
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// TestStarter checks that the suggested profile loads, whatever tokens were found.
func TestStarter(t *testing.T) {
	for _, tt := range []struct {
		found  transfer.TokenInspected
		hex    int
		ttl    time.Duration
		legacy profiles.LegacyFormat
	}{
		{transfer.TokenInspected{Format: core.Authtoken, Number: 5}, 40, 0, ""},
		{transfer.TokenInspected{Format: core.Knox41, Number: 5}, 64, 0, profiles.LegacyKnox41},
		{transfer.TokenInspected{Format: core.Knox42, Number: 5, TTL: 10 * time.Hour}, 64, 10 * time.Hour, profiles.LegacyKnox42},
		{transfer.TokenInspected{Format: core.Knox5, Number: 5, TTL: 10*time.Hour + 30*time.Minute}, 64, 10*time.Hour + 30*time.Minute, profiles.LegacyKnox5},
		{transfer.TokenInspected{Format: core.Knox5, Number: 5, TTL: 20 * time.Minute}, 64, 20 * time.Minute, profiles.LegacyKnox5},
		{transfer.TokenInspected{Format: core.Knox5, Number: 5, TTL: 20 * time.Second}, 64, 20 * time.Second, profiles.LegacyKnox5},
		{transfer.TokenInspected{Format: core.Knox5, Number: 5, TTL: 100*time.Hour + time.Second}, 64, 100*time.Hour + time.Second, profiles.LegacyKnox5},
	} {
		p, err := profiles.Parse("starter.yaml", []byte(starter(&transfer.Inspection{Tokens: []transfer.TokenInspected{tt.found}})))
		if err != nil {
			t.Errorf("%+v: %v", tt.found, err)
			continue
		}
		if got := p.Tokens; got.Hex != tt.hex || got.TTL != tt.ttl || got.LegacyFormat != tt.legacy {
			t.Errorf("%+v: %+v", tt.found, got)
		}
	}
}

// TestNextHidesSecrets prints the command that follows an inspection, which people keep in
// reports, for sources with passwords.
func TestNextHidesSecrets(t *testing.T) {
	const secret = "HUNTER2"
	for _, source := range []string{
		"postgres://ann:" + secret + "@h/db", "postgres://ann@h/db?password=" + secret, "postgres:///db?host=h&password=" + secret,
		"postgres://h/db?options=-c%20x.key%3D" + secret, "mysql://ann:" + secret + "@h/db?tls=skip-verify",
	} {
		got := (&djangoFlags{zone: "UTC"}).next([]string{source}, &transfer.Inspection{})
		if strings.Contains(got, secret) || !strings.Contains(got, "/db") {
			t.Errorf("%s: %s", source, got)
		}
	}
}
