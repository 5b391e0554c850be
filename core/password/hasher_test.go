package password

import (
	"crypto/rand"
	"io"
	"regexp"
	"strings"
	"testing"
)

func newHasher(tb testing.TB, iterations int, random io.Reader) Hasher {
	tb.Helper()
	h, err := NewHasher(iterations, random)
	if err != nil {
		tb.Fatal(err)
	}
	return h
}

// count is a source of the bytes 0, 1, 2 and so on.
type count struct{ next byte }

func (c *count) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = c.next
		c.next++
	}
	return len(p), nil
}

func TestEncode(t *testing.T) {
	t.Parallel()
	// The hash was made by Django 3.2's make_password with this salt.
	const want = "pbkdf2_sha256$1000$abcdefghijklmnopqrstuv$3sV/SVfT6ME4dIgYVdSlH0jEvyK0z+y3AJvov9Y+8MA="
	h := newHasher(t, 1000, &count{})
	if got := h.Encode("correct horse"); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestEncodeVerifies(t *testing.T) {
	t.Parallel()
	h := newHasher(t, 1000, rand.Reader)
	shape := regexp.MustCompile(`^pbkdf2_sha256\$1000\$[a-zA-Z0-9]{22}\$[a-zA-Z0-9+/]{43}=$`)
	passwords := []string{
		"", " ", "  lead and trail  ", "correct horse", "a\r\nb", "abc\x00def",
		"cafe\u0301", "caf\u00e9", "\xff\xfe", "\xed\xa0\x80", "\ufffd", strings.Repeat("x", 100_000),
	}
	encoded := map[string]string{}
	for _, password := range passwords {
		row := h.Encode(password)
		if !shape.MatchString(row) || !IsUsable(row) {
			t.Errorf("%q is encoded as %q", password, row)
		}
		if h.NeedsRehash(row) {
			t.Errorf("%q needs a rehash", row)
		}
		encoded[password] = row
	}
	for password, row := range encoded {
		for _, try := range passwords {
			if ok, err := Verify(row, try); ok != (try == password) || err != nil {
				t.Errorf("%.20q against the row of %.20q: %v, %v", try, password, ok, err)
			}
		}
	}
	if first, second := h.Encode("x"), h.Encode("x"); first == second {
		t.Error("two rows of one password are equal")
	}
}

func TestUnusable(t *testing.T) {
	t.Parallel()
	if got, want := newHasher(t, 1, &count{}).Unusable(), "!abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMN"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	row := newHasher(t, 1, rand.Reader).Unusable()
	if !regexp.MustCompile(`^![a-zA-Z0-9]{40}$`).MatchString(row) || IsUsable(row) {
		t.Errorf("got %q", row)
	}
	for encoded, want := range map[string]bool{"!": false, "": true, "x!": true, " !": true, "md5$a$b": true} {
		if IsUsable(encoded) != want {
			t.Errorf("IsUsable(%q) is %v", encoded, !want)
		}
	}
}

// TestFairText maps every value of a byte once and counts the characters: none may be
// more frequent than another.
func TestFairText(t *testing.T) {
	t.Parallel()
	counts := map[rune]int{}
	for _, c := range newHasher(t, 1, &count{}).text(248) {
		counts[c]++
	}
	if len(counts) != 62 {
		t.Errorf("%d different characters", len(counts))
	}
	for c, n := range counts {
		if n != 4 {
			t.Errorf("%q comes %d times", c, n)
		}
	}
}

func TestNewHasherLimits(t *testing.T) {
	t.Parallel()
	for iterations, want := range map[int]bool{
		-1: false, 0: false, 1: true, DefaultIterations: true, MaxIterations: true, MaxIterations + 1: false,
	} {
		if _, err := NewHasher(iterations, rand.Reader); (err == nil) != want {
			t.Errorf("%d iterations: %v", iterations, err)
		}
	}
}

func TestNeedsRehash(t *testing.T) {
	t.Parallel()
	const (
		salt12 = "abcdefghijkl"
		salt21 = "abcdefghijklmnopqrstu"
		salt22 = "abcdefghijklmnopqrstuv"
		tail   = "$AAAA"
		argon  = "$c29tZXNhbHRzb21lc2FsdA$9UW9yG8xMfc7ovktMlqL2Q"
		bcrypt = "$abcdefghijklmnopqrstuuIvyWZlBcE3WoQXKqRnwrLYJ6nenE0Bq"
	)
	h := newHasher(t, 600_000, rand.Reader)
	for _, test := range []struct {
		encoded string
		want    bool
	}{
		{"pbkdf2_sha256$600000$" + salt22 + tail, false},
		{"pbkdf2_sha256$600001$" + salt22 + tail, false},
		{"pbkdf2_sha256$1500000$" + salt22 + tail, false},
		{"pbkdf2_sha256$599999$" + salt22 + tail, true},
		{"pbkdf2_sha256$260000$" + salt22 + tail, true},
		{"pbkdf2_sha256$600000$" + salt12 + tail, true},
		{"pbkdf2_sha256$600000$" + salt21 + tail, true},
		{"pbkdf2_sha256$600000$" + salt21[:20] + "é" + tail, true},
		{"pbkdf2_sha256$870000$" + salt12 + tail, false},
		{"pbkdf2_sha1$600000$" + salt22 + tail, true},
		{"pbkdf2_sha1$1199999$" + salt22 + tail, true},
		{"pbkdf2_sha1$1200000$" + salt22 + tail, false},

		{"argon2$argon2i$v=19$m=512,t=2,p=2" + argon, true},
		{"argon2$argon2id$v=19$m=102400,t=2,p=8" + argon, false},
		{"argon2$argon2id$v=19$m=65536,t=3,p=4" + argon, false},
		{"argon2$argon2id$v=19$m=7168,t=5,p=1" + argon, false},
		{"argon2$argon2id$v=19$m=7168,t=4,p=1" + argon, true},
		{"argon2$argon2id$v=19$m=7167,t=9,p=1" + argon, true},
		{"bcrypt$$2b$12" + bcrypt, false},
		{"bcrypt_sha256$$2b$12" + bcrypt, false},
		{"bcrypt_sha256$$2b$10" + bcrypt, false},
		{"bcrypt_sha256$$2b$09" + bcrypt, true},
		{"bcrypt$$2b$04" + bcrypt, true},
		{"scrypt$16384$" + salt22 + "$8$1" + tail, false},
		{"scrypt$16384$" + salt22 + "$8$5" + tail, false},
		{"scrypt$8192$" + salt22 + "$8$10" + tail, true},

		{"pbkdf2_wrapped_sha1$260000$" + salt12 + tail, true},
		{"pbkdf2_wrapped_md5$600000$" + salt22 + tail, true},
		{"pbkdf2_wrapped_unsalted_sha1$600000$" + salt22 + tail, true},
		{"pbkdf2_wrapped_unsalted_md5$10000000$" + salt22 + tail, true},

		{"sha1$" + salt22 + tail, true},
		{"md5$" + salt22 + tail, true},
		{"sha1$$2f9e53523b62abc141a2b4d6019d23cba835dbd0", true},
		{"md5$$3cb4e732631f47e6eb961f34554b7cde", true},
		{"3cb4e732631f47e6eb961f34554b7cde", true},

		{"", false},
		{"!", false},
		{"crypt$$abhfCpXqd4GrI", false},
		{"argon2$argon2d$v=19$m=512,t=2,p=2" + argon, false},
		{"pbkdf2_sha256$1000$salt", false},
		{"pbkdf2_wrapped_sha1$1000$salt", false},
		{"pbkdf2_sha256$10000001$" + salt12 + tail, false},
	} {
		if got := h.NeedsRehash(test.encoded); got != test.want {
			t.Errorf("%s: got %v", test.encoded, got)
		}
	}
}
