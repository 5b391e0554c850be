package password

import "testing"

func FuzzVerify(f *testing.F) {
	for _, v := range vectors(f) {
		if len(v.Password) < 100 {
			f.Add(v.Encoded, v.Password)
		}
	}
	for _, encoded := range []string{
		"bcrypt", "argon2$", "scrypt$$$$$", "md5$$", "sha1$$$", "pbkdf2_sha256$$$", "pbkdf2_wrapped_md5$$$", "other_hasher$$", "!", "$", "",
		"argon2$argon2id$v=19$m=4294967295,t=4294967295,p=4294967295$AAAAAAAAAAAA$AAAAAAAAAAAA",
		"scrypt$9223372036854775808$salt$9223372036854775808$9223372036854775808$AAAA",
		"pbkdf2_sha256$18446744073709551616$salt$AAAA",
	} {
		f.Add(encoded, "correct horse")
	}
	h := newHasher(f, 1000, &count{})
	f.Fuzz(func(t *testing.T, encoded, password string) {
		c, err := CostOf(encoded)
		if err != nil {
			if ok, again := Verify(encoded, password); ok || again == nil {
				t.Errorf("CostOf refuses with %v, Verify answers %v, %v", err, ok, again)
			}
			if h.NeedsRehash(encoded) {
				t.Error("a refused row needs a rehash")
			}
			return
		}
		if c.Memory() > MaxMemory+1<<20 || c.Threads() < 1 || c.Threads() > MaxArgon2Lanes {
			t.Errorf("%v is beyond the limits", c)
		}
		if !cheap(c) {
			return
		}
		ok, err := Verify(encoded, password)
		if err != nil {
			t.Errorf("CostOf accepts, Verify says %v", err)
		}
		if ok && c.format != Bcrypt {
			if wrong, _ := Verify(encoded, password+"x"); wrong {
				t.Errorf("%q verifies with an x behind it", password)
			}
		}
		c.HashDummy(password)
	})
}
