package maillink

import (
	"errors"
	"strings"
	"testing"
	"time"
)

func TestEmailKeysAreAllauths(t *testing.T) {
	for _, c := range []struct {
		id     int64
		format Format
		want   string
	}{
		{1, Django31, "MQ:1xXwpe:K3zLtgiNfBOflBCB50bilwTJyJ1LnRN5kyx2VvFGqEE"},
		{1, Django31SHA1, "MQ:1xXwpe:iEhbLCduLVwdNgljDrkbiKv3JVM"},
		{1, Django22, "MQ:1xXwpe:iEhbLCduLVwdNgljDrkbiKv3JVM"},
		{46656, "", "NDY2NTY:1xXwpe:eJPU3_6oB6NtmRKrbND18CrumBMiQiQGCgelXYzOzDY"},
		{46656, Django22, "NDY2NTY:1xXwpe:q9Do8UQzIDKGqwyZRlTq5eZ5Mto"},
		{9223372036854775807, Django31, "OTIyMzM3MjAzNjg1NDc3NTgwNw:1xXwpe:Ni16Zh8lv7diNja2QuvIg8dZ6UyiJFff_RzhV9hghKM"},
		{9223372036854775807, Django31SHA1, "OTIyMzM3MjAzNjg1NDc3NTgwNw:1xXwpe:wCPXZ92oWyZ0vecKFPOHvaaXgbI"},
	} {
		g := &Generator{Secrets: []string{secret}, Format: c.format}
		if got := g.MakeEmailKey(c.id, now()); got != c.want {
			t.Errorf("%d, %s: made %s, want %s", c.id, c.format, got, c.want)
		}
		rotated := &Generator{Secrets: []string{"new", secret}}
		if id, err := rotated.CheckEmailKey(c.want, now()); id != c.id || err != nil {
			t.Errorf("%d, %s, after a change of the key: %d, %v", c.id, c.format, id, err)
		}
		if _, err := (&Generator{Secrets: []string{"new"}}).CheckEmailKey(c.want, now()); !errors.Is(err, ErrInvalid) {
			t.Errorf("%d, %s, with another secret: %v", c.id, c.format, err)
		}
		strict := &Generator{Secrets: []string{secret}, Accepted: []Format{Django31}}
		if _, err := strict.CheckEmailKey(c.want, now()); (err == nil) != (c.format == Django31 || c.format == "") {
			t.Errorf("%d, %s where only 3.1 is accepted: %v", c.id, c.format, err)
		}
	}
}

func TestEmailKeysExpire(t *testing.T) {
	g := &Generator{Secrets: []string{secret}}
	key := g.MakeEmailKey(7, now())
	made := now().Truncate(time.Second)
	for _, c := range []struct {
		name string
		at   time.Time
		want error
	}{
		{"before it was made, by another clock", made.Add(-time.Hour), nil},
		{"the last moment", made.Add(72 * time.Hour), nil},
		{"the moment after", made.Add(72*time.Hour + time.Microsecond), ErrExpired},
	} {
		if _, err := g.CheckEmailKey(key, c.at); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
}

func TestEmailKeysMalformed(t *testing.T) {
	g := &Generator{Secrets: []string{secret}}
	good := g.MakeEmailKey(1, now())
	sign := func(value string) string { return value + ":" + signature(Django31, secret, value) }
	for _, key := range []string{
		"", ":", "::", "MQ", "MQ:1xXwpe", good + ":", good + "x", " " + good, "Mg" + good[2:], strings.ToLower(good), good[:len(good)-1], strings.Repeat(good, 3),
		g.Make(ann(), now()),
		// What only the secret's owner could have made, and never has.
		sign("MQ"), sign("MQ:"), sign("MQ:é"), sign("MQ:zzzzzzzzzzzz"), sign("MA:1xXwpe"), sign("LTE:1xXwpe"), sign("ImEi:1xXwpe"), sign("!:1xXwpe"), sign(":1xXwpe"),
	} {
		if id, err := g.CheckEmailKey(key, now()); !errors.Is(err, ErrInvalid) || id != 0 {
			t.Errorf("%q: %d, %v", key, id, err)
		}
	}
}

// FuzzEmailKeys holds that nothing but what was made confirms an address.
func FuzzEmailKeys(f *testing.F) {
	g := &Generator{Secrets: []string{secret}}
	good := g.MakeEmailKey(1, now())
	f.Add(good)
	f.Add("MQ:1xXwpe:")
	f.Fuzz(func(t *testing.T, key string) {
		if id, err := g.CheckEmailKey(key, now()); err == nil && (key != good || id != 1) {
			for _, format := range Formats() {
				if made := (&Generator{Secrets: g.Secrets, Format: format}).MakeEmailKey(id, now()); made == key {
					return
				}
			}
			t.Errorf("%q confirms %d", key, id)
		}
	})
}
