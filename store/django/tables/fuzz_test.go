package tables

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// FuzzDump feeds files to the dump reader: whatever they contain, it returns rows or an
// error.
func FuzzDump(f *testing.F) {
	f.Add([]byte(`[{"model": "auth.user", "pk": 1, "fields": {"password": "x", "last_login": null, "username": "ann", "is_active": true, "date_joined": "2026-11-22T03:00:41.577Z", "groups": []}},
		{"model": "authtoken.token", "pk": "abc", "fields": {"user": ["ann"], "created": "2026-11-22T03:00:41Z"}},
		{"model": "knox.authtoken", "pk": "00", "fields": {"token_key": "12345678", "salt": "00", "user": 1, "created": "x", "expires": null}}]`))
	f.Add([]byte(`[{"model": "auth.user", "pk": [1], "fields": {"password": {}, "last_login": 1}}]`))
	f.Add([]byte(`[]`))
	f.Add([]byte(`{"a": 1}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		path := filepath.Join(t.TempDir(), "dump.json")
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		from, err := openDump(context.Background(), Mapping{}, []string{path})
		if err != nil {
			return
		}
		d := Decoder{Mapping: from.Shape().Mapping, Zone: time.UTC}
		_ = from.Each(t.Context(), from.Shape().Users, "", func(row Row) error {
			if a, err := d.Account(row); err == nil && a.ID < 0 {
				t.Errorf("id %d", a.ID)
			}
			return nil
		})
		for _, table := range from.Shape().Tokens {
			_ = from.Each(t.Context(), table.Table, "", func(row Row) error {
				if token, err := d.Token(table, row); err == nil && token.Text == "" && len(token.Digest) != knoxDigest {
					t.Errorf("a token without text or digest")
				}
				return nil
			})
		}
	})
}

// FuzzInstant parses texts as dates.
func FuzzInstant(f *testing.F) {
	for _, text := range []string{"2026-11-22 03:00:41.577000", "2026-11-22 03:00:41+00", "2026-11-22T03:00:41.577Z", "2026-11-22 03:00:41.5-03:30", "2026-11-22", "x"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := instant(text, time.UTC)
		if err == nil && (got.Location() != time.UTC || got.Nanosecond()%1000 != 0) {
			t.Errorf("%q: %v", text, got)
		}
	})
}

func TestInstant(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		text string
		zone *time.Location
		want string // RFC 3339; empty for an error
	}{
		{"2026-11-22 03:00:41.577001", time.UTC, "2026-11-22T03:00:41.577001Z"},
		{"2026-11-22 03:00:41", time.UTC, "2026-11-22T03:00:41Z"},
		{"2026-11-22 03:00:41", berlin, "2026-11-22T02:00:41Z"},
		{"2026-11-22 03:00:41.5+00", berlin, "2026-11-22T03:00:41.5Z"},
		{"2026-11-22 03:00:41+05:30", time.UTC, "2026-11-21T21:30:41Z"},
		{"2026-11-22T03:00:41.577Z", berlin, "2026-11-22T03:00:41.577Z"},
		{"0001-01-01 00:00:00", time.UTC, "0001-01-01T00:00:00.000001Z"},
		{"22.11.2026", time.UTC, ""},
		{"", time.UTC, ""},
	}
	for _, test := range tests {
		got, err := instant(test.text, test.zone)
		if test.want == "" {
			if err == nil {
				t.Errorf("%q: %v", test.text, got)
			}
			continue
		}
		if err != nil || got.Format(time.RFC3339Nano) != test.want {
			t.Errorf("%q: %v, %v; want %s", test.text, got, err, test.want)
		}
	}
}

// TestPlainInstant compares the short way to parse a date with that of package time, in zones whose clocks go
// forward and back.
func TestPlainInstant(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for _, name := range []string{"UTC", "Europe/Berlin", "America/New_York", "Pacific/Apia"} {
		zone, err := time.LoadLocation(name)
		if err != nil {
			t.Fatal(err)
		}
		short := 0
		for range 20_000 {
			text := fmt.Sprintf("%04d-%02d-%02d %02d:%02d:%02d", 1880+random.IntN(200), random.IntN(14), random.IntN(33), random.IntN(25), random.IntN(61), random.IntN(61))
			if random.IntN(2) == 0 {
				text += fmt.Sprintf(".%06d", random.IntN(1_000_000))
			}
			if random.IntN(4) == 0 {
				i := random.IntN(len(text))
				text = text[:i] + string("0 9:-.Tx+"[random.IntN(9)]) + text[i+1:]
			}
			got, ok := plainInstant(text, zone)
			if !ok {
				continue
			}
			short++
			want, err := time.ParseInLocation("2006-01-02 15:04:05.999999999", text, zone)
			if err != nil || got != want.UTC() {
				t.Fatalf("%q in %s: %v, want %v, %v", text, name, got, want.UTC(), err)
			}
		}
		if short < 10_000 {
			t.Errorf("%s: %d of 20000 texts were parsed the short way", name, short)
		}
	}
}
