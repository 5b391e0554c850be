package ttl

import (
	"testing"
	"time"
)

func TestTTL(t *testing.T) {
	for _, c := range []struct {
		file    string
		want    time.Duration
		written string
	}{
		{"never", 0, "never"},
		{"10h", 10 * time.Hour, "10h"},
		{"24h", 24 * time.Hour, "24h"},
		{"1d", 24 * time.Hour, "24h"},
		{"36h", 36 * time.Hour, "36h"},
		{"15d", 15 * day, "15d"},
		{"1d12h", 36 * time.Hour, "36h"},
		{"48h", 2 * day, "2d"},
		{"90m", 90 * time.Minute, "1h30m"},
		{"1h30m5s", 90*time.Minute + 5*time.Second, "1h30m5s"},
		{"1s", time.Second, "1s"},
		{"36500d", 36500 * day, "36500d"},
	} {
		t.Run(c.file, func(t *testing.T) {
			got, ok := time.Duration(0), true
			if c.file != Never {
				got, ok = duration(c.file)
			}
			if !ok || got != c.want {
				t.Errorf("got %v, %v; want %v", got, ok, c.want)
			}
			if written := Text(got); written != c.written {
				t.Errorf("written %q, want %q", written, c.written)
			}
		})
	}
}
