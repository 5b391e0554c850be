package password

import (
	"crypto/rand"
	"runtime"
	"testing"
)

// defaults are rows with the parameters that releases of Django write.
var defaults = []struct {
	encoded, cost string
	threads       int
}{
	{"pbkdf2_sha256$600000$abcdefghijklmnopqrstuv$AAAA", "pbkdf2_sha256 iterations=600000", 1},
	{"pbkdf2_sha1$600000$abcdefghijklmnopqrstuv$AAAA", "pbkdf2_sha1 iterations=600000", 1},
	{"argon2$argon2id$v=19$m=102400,t=2,p=8$c29tZXNhbHRzb21lc2FsdA$9UW9yG8xMfc7ovktMlqL2Q", "argon2id m=102400 t=2 p=8", 8},
	{"argon2$argon2i$v=19$m=512,t=2,p=2$c29tZXNhbHRzb21lc2FsdA$9UW9yG8xMfc7ovktMlqL2Q", "argon2i m=512 t=2 p=2", 2},
	{"bcrypt_sha256$$2b$12$abcdefghijklmnopqrstuuIvyWZlBcE3WoQXKqRnwrLYJ6nenE0Bq", "bcrypt_sha256 cost=12", 1},
	{"bcrypt$$2y$12$abcdefghijklmnopqrstuuIvyWZlBcE3WoQXKqRnwrLYJ6nenE0Bq", "bcrypt cost=12", 1},
	{"scrypt$16384$abcdefghijklmnopqrstuv$8$1$AAAA", "scrypt N=16384 r=8 p=1", 1},
	{"scrypt$16384$abcdefghijklmnopqrstuv$8$5$AAAA", "scrypt N=16384 r=8 p=5", 1},
	{"sha1$abcdefghijkl$AAAA", "sha1", 1},
	{"md5$abcdefghijkl$AAAA", "md5", 1},
	{"sha1$$2f9e53523b62abc141a2b4d6019d23cba835dbd0", "unsalted_sha1", 1},
	{"3cb4e732631f47e6eb961f34554b7cde", "unsalted_md5", 1},
	{"pbkdf2_wrapped_sha1$260000$abcdefghijkl$AAAA", "pbkdf2_wrapped_sha1 iterations=260000", 1},
	{"pbkdf2_wrapped_md5$260000$abcdefghijkl$AAAA", "pbkdf2_wrapped_md5 iterations=260000", 1},
	{"pbkdf2_wrapped_unsalted_sha1$260000$abcdefghijkl$AAAA", "pbkdf2_wrapped_unsalted_sha1 iterations=260000", 1},
	{"pbkdf2_wrapped_unsalted_md5$260000$abcdefghijkl$AAAA", "pbkdf2_wrapped_unsalted_md5 iterations=260000", 1},
}

// allocated returns the bytes that f allocates. No other test may run meanwhile.
func allocated(f func()) int64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return int64(after.TotalAlloc - before.TotalAlloc)
}

func TestCost(t *testing.T) {
	for _, test := range defaults {
		t.Run(test.cost, func(t *testing.T) {
			c, err := CostOf(test.encoded)
			if err != nil {
				t.Fatal(err)
			}
			if c.String() != test.cost || c.Threads() != test.threads {
				t.Errorf("got %v on %d threads", c, c.Threads())
			}
			if c.Memory() < 1<<20 && !cheap(c) {
				return // slow, and indistinguishable from noise
			}
			verify := allocated(func() { _, _ = Verify(test.encoded, "correct horse") })
			burn := allocated(func() { c.HashDummy("correct horse") })
			const noise = 64 << 10
			if verify > c.Memory()+noise || verify < c.Memory()*9/10-noise {
				t.Errorf("Verify allocates %d bytes, Memory says %d", verify, c.Memory())
			}
			if burn > verify+noise || burn < verify-noise {
				t.Errorf("HashDummy allocates %d bytes, Verify %d", burn, verify)
			}
		})
	}
}

func TestCostIsComparable(t *testing.T) {
	t.Parallel()
	h := newHasher(t, 1000, rand.Reader)
	a, errA := CostOf(h.Encode("a"))
	b, errB := CostOf(h.Encode("b"))
	if errA != nil || errB != nil || a != b || a != h.Cost() || a.Format() != PBKDF2SHA256 {
		t.Errorf("got %v, %v and %v", a, b, h.Cost())
	}
	if other := newHasher(t, 1001, rand.Reader).Cost(); other == a {
		t.Errorf("%v equals %v", other, a)
	}
}

func TestZeroCost(t *testing.T) {
	t.Parallel()
	var c Cost
	c.HashDummy("correct horse")
	if c.Format() != "" || c.String() != "" {
		t.Errorf("got %q, %q", c.Format(), c)
	}
}

// BenchmarkVerify and BenchmarkBurn must take the same time for each cost.
func BenchmarkVerify(b *testing.B) {
	for _, test := range defaults {
		b.Run(test.cost, func(b *testing.B) {
			for b.Loop() {
				_, _ = Verify(test.encoded, "correct horse")
			}
		})
	}
}

func BenchmarkBurn(b *testing.B) {
	for _, test := range defaults {
		c, err := CostOf(test.encoded)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(test.cost, func(b *testing.B) {
			for b.Loop() {
				c.HashDummy("correct horse")
			}
		})
	}
}
