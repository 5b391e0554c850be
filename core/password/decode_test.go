package password

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestRefusals(t *testing.T) {
	t.Parallel()
	const (
		hash32 = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
		argon  = "$c29tZXNhbHRzb21lc2FsdA$9UW9yG8xMfc7ovktMlqL2Q"
		salt22 = "abcdefghijklmnopqrstuu"
		hash31 = "IvyWZlBcE3WoQXKqRnwrLYJ6nenE0Bq"
	)
	malformed := func(format Format, reason string) error {
		return &MalformedError{Format: format, Reason: reason}
	}
	limit := func(format Format, parameter string, limit uint64) error {
		return &LimitError{Format: format, Parameter: parameter, Limit: limit}
	}
	unknown := &UnsupportedError{Format: Unknown}

	for _, test := range []struct {
		name, encoded string
		want          error
	}{
		{"unusable", "!", ErrUnusable},
		{"unusable of 32", "!" + strings.Repeat("a", 31), ErrUnusable},
		{"unusable and long", "!" + strings.Repeat("a", 5000), ErrUnusable},

		{"empty", "", unknown},
		{"gibberish", "letmein", unknown},
		{"31 characters", strings.Repeat("a", 31), unknown},
		{"33 characters", strings.Repeat("a", 33), unknown},
		{"32 bytes of 31 characters", strings.Repeat("a", 30) + "é", unknown},
		{"upper case", "PBKDF2_SHA256$1$salt$" + hash32, unknown},
		{"leading blank", " pbkdf2_sha256$1$salt$" + hash32, unknown},
		{"another algorithm", "pbkdf2_sha512$1$salt$" + hash32, &UnsupportedError{Format: Unknown, Algorithm: "pbkdf2_sha512"}},
		{"crypt", "crypt$$abhfCpXqd4GrI", &UnsupportedError{Format: Crypt}},
		{"crypt alone", "crypt", &UnsupportedError{Format: Crypt}},
		{"too long", "md5$" + strings.Repeat("a", MaxEncoded), limit(Unknown, "length", MaxEncoded)},

		{"pbkdf2 alone", "pbkdf2_sha256", malformed(PBKDF2SHA256, "fewer than four fields")},
		{"pbkdf2 short", "pbkdf2_sha256$1000$salt", malformed(PBKDF2SHA256, "fewer than four fields")},
		{"pbkdf2 no number", "pbkdf2_sha1$many$salt$" + hash32, malformed(PBKDF2SHA1, "iterations are not a number")},
		{"pbkdf2 no iterations", "pbkdf2_sha1$$salt$" + hash32, malformed(PBKDF2SHA1, "iterations are not a number")},
		{"pbkdf2 negative", "pbkdf2_sha256$-1$salt$" + hash32, malformed(PBKDF2SHA256, "iterations are not a number")},
		{"pbkdf2 zero", "pbkdf2_sha256$0$salt$" + hash32, malformed(PBKDF2SHA256, "iterations are not a number")},
		{"pbkdf2 no salt", "pbkdf2_sha256$1000$$" + hash32, malformed(PBKDF2SHA256, "no salt")},
		{"pbkdf2 costly", "pbkdf2_sha256$10000001$salt$" + hash32, limit(PBKDF2SHA256, "iterations", 10_000_000)},
		{"pbkdf2 beyond 64 bits", "pbkdf2_sha256$99999999999999999999$salt$" + hash32, limit(PBKDF2SHA256, "iterations", 10_000_000)},

		{"wrapped alone", "pbkdf2_wrapped_sha1", malformed(WrappedSHA1, "fewer than four fields")},
		{"wrapped short", "pbkdf2_wrapped_md5$1000$salt", malformed(WrappedMD5, "fewer than four fields")},
		{"wrapped no number", "pbkdf2_wrapped_unsalted_sha1$many$salt$" + hash32, malformed(WrappedUnsaltedSHA1, "iterations are not a number")},
		{"wrapped zero", "pbkdf2_wrapped_unsalted_md5$0$salt$" + hash32, malformed(WrappedUnsaltedMD5, "iterations are not a number")},
		{"wrapped no salt", "pbkdf2_wrapped_sha1$1000$$" + hash32, malformed(WrappedSHA1, "no salt")},
		{"wrapped unsalted without PBKDF2's salt", "pbkdf2_wrapped_unsalted_md5$1000$$" + hash32, malformed(WrappedUnsaltedMD5, "no salt")},
		{"wrapped costly", "pbkdf2_wrapped_md5$10000001$salt$" + hash32, limit(WrappedMD5, "iterations", 10_000_000)},

		{"argon2 alone", "argon2", malformed("argon2", "no variety")},
		{"argon2 variety", "argon2$argon2x$v=19$m=512,t=2,p=2" + argon, malformed("argon2", "no known variety")},
		{"argon2d", "argon2$argon2d$v=19$m=512,t=2,p=2" + argon, &UnsupportedError{Format: Argon2D}},
		{"argon2 v16", "argon2$argon2id$v=16$m=512,t=2,p=2" + argon, &UnsupportedError{Format: Argon2Version16}},
		{"argon2 no v", "argon2$argon2i$m=512,t=2,p=2" + argon, &UnsupportedError{Format: Argon2Version16}},
		{"argon2 v18", "argon2$argon2i$v=18$m=512,t=2,p=2" + argon, malformed(Argon2I, "version is neither 16 nor 19")},
		{"argon2 no hash", "argon2$argon2id$v=19$m=512,t=2,p=2$c29tZXNhbHQ", malformed(Argon2ID, "wrong number of fields")},
		{"argon2 order", "argon2$argon2id$v=19$t=2,m=512,p=2" + argon, malformed(Argon2ID, "parameters are not m, t and p")},
		{"argon2 extra", "argon2$argon2id$v=19$m=512,t=2,p=2,x=1" + argon, malformed(Argon2ID, "parameters are not m, t and p")},
		{"argon2 leading zero", "argon2$argon2id$v=19$m=0512,t=2,p=2" + argon, malformed(Argon2ID, "a parameter is not a number")},
		{"argon2 empty", "argon2$argon2id$v=19$m=512,t=,p=2" + argon, malformed(Argon2ID, "a parameter is not a number")},
		{"argon2 33 bits", "argon2$argon2id$v=19$m=4294967296,t=2,p=2" + argon, malformed(Argon2ID, "a parameter is not a number")},
		{"argon2 no passes", "argon2$argon2id$v=19$m=512,t=0,p=2" + argon, malformed(Argon2ID, "a parameter is not a number")},
		{"argon2 little memory", "argon2$argon2id$v=19$m=15,t=2,p=2" + argon, malformed(Argon2ID, "less than 8 KiB a lane")},
		{"argon2 padding", "argon2$argon2id$v=19$m=512,t=2,p=2$c29tZXNhbHQ=$AAAAAAAAAAA", malformed(Argon2ID, "salt is not base64 of 8 bytes or more")},
		{"argon2 short salt", "argon2$argon2id$v=19$m=512,t=2,p=2$c2FsdA$AAAAAAAAAAA", malformed(Argon2ID, "salt is not base64 of 8 bytes or more")},
		{"argon2 stray bits", "argon2$argon2id$v=19$m=512,t=2,p=2$c29tZXNhbHR$AAAAAAAAAAA", malformed(Argon2ID, "salt is not base64 of 8 bytes or more")},
		{"argon2 short hash", "argon2$argon2id$v=19$m=512,t=2,p=2$c29tZXNhbHQ$AAAA", malformed(Argon2ID, "hash is not base64 of 4 bytes or more")},
		{"argon2 line end", "argon2$argon2id$v=19$m=512,t=2,p=2$c29tZXNhbHQ$AAAAAAAAAAA\n", malformed(Argon2ID, "hash is not base64 of 4 bytes or more")},
		{"argon2 memory", "argon2$argon2id$v=19$m=524289,t=2,p=2" + argon, limit(Argon2ID, "memory in KiB (m)", 524288)},
		{"argon2 passes", "argon2$argon2i$v=19$m=8,t=257,p=1" + argon, limit(Argon2I, "passes (t)", 256)},
		{"argon2 lanes", "argon2$argon2i$v=19$m=520,t=1,p=65" + argon, limit(Argon2I, "lanes (p)", 64)},
		{"argon2 work", "argon2$argon2id$v=19$m=524288,t=9,p=8" + argon, limit(Argon2ID, "memory by passes (m·t)", 4194304)},
		{"argon2 hostile", "argon2$argon2id$v=19$m=4294967295,t=4294967295,p=255" + argon, limit(Argon2ID, "passes (t)", 256)},

		{"bcrypt alone", "bcrypt", malformed(Bcrypt, "no salt of 22 characters")},
		{"bcrypt_sha256 alone", "bcrypt_sha256$", malformed(BcryptSHA256, "no salt of 22 characters")},
		{"bcrypt one dollar", "bcrypt$2b$04$" + salt22 + hash31, malformed(Bcrypt, "version is not 2a, 2b or 2y")},
		{"bcrypt 2x", "bcrypt$$2x$04$" + salt22 + hash31, malformed(Bcrypt, "version is not 2a, 2b or 2y")},
		{"bcrypt 2", "bcrypt$$2$04$" + salt22 + hash31, malformed(Bcrypt, "version is not 2a, 2b or 2y")},
		{"bcrypt short cost", "bcrypt$$2b$4$" + salt22 + hash31, malformed(Bcrypt, "cost is not between 04 and 31")},
		{"bcrypt cost 3", "bcrypt$$2b$03$" + salt22 + hash31, malformed(Bcrypt, "cost is not between 04 and 31")},
		{"bcrypt cost 32", "bcrypt$$2b$32$" + salt22 + hash31, malformed(Bcrypt, "cost is not between 04 and 31")},
		{"bcrypt salt", "bcrypt$$2b$04$abcdefghij+lmnopqrstuu" + hash31, malformed(Bcrypt, "salt is not bcrypt's base64")},
		{"bcrypt not ASCII", "bcrypt$$2b$04$" + salt22 + hash31 + "é", malformed(Bcrypt, "not ASCII")},
		{"bcrypt costly", "bcrypt_sha256$$2b$17$" + salt22 + hash31, limit(BcryptSHA256, "cost", 16)},
		{"bcrypt costliest", "bcrypt$$2b$31$" + salt22 + hash31, limit(Bcrypt, "cost", 16)},

		{"scrypt alone", "scrypt", malformed(Scrypt, "not six fields")},
		{"scrypt seven", "scrypt$1024$salt$8$1$AAAA$", malformed(Scrypt, "not six fields")},
		{"scrypt N", "scrypt$1000$salt$8$1$AAAA", malformed(Scrypt, "N is not a power of two")},
		{"scrypt N 1", "scrypt$1$salt$8$1$AAAA", malformed(Scrypt, "N is not a power of two")},
		{"scrypt r", "scrypt$1024$salt$0$1$AAAA", malformed(Scrypt, "r is not a number")},
		{"scrypt p", "scrypt$1024$salt$8$one$AAAA", malformed(Scrypt, "p is not a number")},
		{"scrypt no salt", "scrypt$1024$$8$1$AAAA", malformed(Scrypt, "no salt")},
		{"scrypt work", "scrypt$1048576$salt$8$2$AAAA", limit(Scrypt, "work (N·r·p)", 8388608)},
		{"scrypt N beyond", "scrypt$9223372036854775808$salt$8$2$AAAA", limit(Scrypt, "work (N·r·p)", 8388608)},
		{"scrypt r beyond", "scrypt$2$salt$18446744073709551615$1$AAAA", limit(Scrypt, "work (N·r·p)", 8388608)},
		{"scrypt p beyond", "scrypt$2$salt$1$99999999999999999999$AAAA", limit(Scrypt, "work (N·r·p)", 8388608)},
		{"scrypt memory", "scrypt$524288$salt$8$1$AAAA", limit(Scrypt, "memory in bytes", 536870912)},

		{"md5 alone", "md5", malformed(MD5, "fewer than three fields")},
		{"md5 no salt", "md5$$short", malformed(MD5, "no salt")},
		{"sha1 no salt", "sha1$$short", malformed(SHA1, "no salt")},
		{"sha1 two fields", "sha1$salt", malformed(SHA1, "fewer than three fields")},
	} {
		t.Run(test.name, func(t *testing.T) {
			ok, err := Verify(test.encoded, "correct horse")
			if ok {
				t.Error("verified")
			}
			if errors.Is(test.want, ErrUnusable) {
				if !errors.Is(err, ErrUnusable) {
					t.Errorf("got %v, want ErrUnusable", err)
				}
			} else if diff := cmp.Diff(test.want, err); diff != "" {
				t.Errorf("error (-want +got):\n%s", diff)
			}
			if _, again := CostOf(test.encoded); again == nil || again.Error() != err.Error() {
				t.Errorf("CostOf says %v, Verify %v", again, err)
			}
		})
	}
}

// TestNeverEqual has rows that decode and compute, but differ from what Django would
// write in their place: Django 3.2 answers false.
func TestNeverEqual(t *testing.T) {
	t.Parallel()
	const password = "correct horse"
	for _, test := range []struct{ name, right, wrong string }{
		{
			"pbkdf2 leading zero",
			"pbkdf2_sha1$1000$seasalt2$z8uI+Wl4zj9ngVTOBcFxL2SxGng=",
			"pbkdf2_sha1$01000$seasalt2$z8uI+Wl4zj9ngVTOBcFxL2SxGng=",
		},
		{
			"pbkdf2 stray bits",
			"pbkdf2_sha1$1000$seasalt2$z8uI+Wl4zj9ngVTOBcFxL2SxGng=",
			"pbkdf2_sha1$1000$seasalt2$z8uI+Wl4zj9ngVTOBcFxL2SxGnh=",
		},
		{
			"pbkdf2 another field",
			"pbkdf2_sha1$1000$seasalt2$z8uI+Wl4zj9ngVTOBcFxL2SxGng=",
			"pbkdf2_sha1$1000$seasalt2$z8uI+Wl4zj9ngVTOBcFxL2SxGng=$",
		},
		{
			"wrapped sha1 leading zero",
			"pbkdf2_wrapped_sha1$1000$a1b2c$q/+yf5n/rbnFUn58eaxOHWCOn2+SeZ/LVfWgk/miw6w=",
			"pbkdf2_wrapped_sha1$01000$a1b2c$q/+yf5n/rbnFUn58eaxOHWCOn2+SeZ/LVfWgk/miw6w=",
		},
		{
			"wrapped sha1 as unsalted",
			"pbkdf2_wrapped_sha1$1000$a1b2c$q/+yf5n/rbnFUn58eaxOHWCOn2+SeZ/LVfWgk/miw6w=",
			"pbkdf2_wrapped_unsalted_sha1$1000$a1b2c$q/+yf5n/rbnFUn58eaxOHWCOn2+SeZ/LVfWgk/miw6w=",
		},
		{
			"wrapped md5 as sha1",
			"pbkdf2_wrapped_md5$1000$a1b2c$+hd3CbjU9Ut6jjuiDV+oIDPm6A/n8kqCV1yqX0k2gbg=",
			"pbkdf2_wrapped_sha1$1000$a1b2c$+hd3CbjU9Ut6jjuiDV+oIDPm6A/n8kqCV1yqX0k2gbg=",
		},
		{
			"bcrypt salt with stray bits",
			"bcrypt$$2b$04$abcdefghijklmnopqrstuujydOTSfIH/d5oUHpsygqV5X9xJLQc6e",
			"bcrypt$$2b$04$abcdefghijklmnopqrstuvjydOTSfIH/d5oUHpsygqV5X9xJLQc6e",
		},
		{
			"bcrypt with something behind",
			"bcrypt$$2b$04$abcdefghijklmnopqrstuujydOTSfIH/d5oUHpsygqV5X9xJLQc6e",
			"bcrypt$$2b$04$abcdefghijklmnopqrstuujydOTSfIH/d5oUHpsygqV5X9xJLQc6e.",
		},
		{
			"bcrypt without its last character",
			"bcrypt$$2b$04$abcdefghijklmnopqrstuujydOTSfIH/d5oUHpsygqV5X9xJLQc6e",
			"bcrypt$$2b$04$abcdefghijklmnopqrstuujydOTSfIH/d5oUHpsygqV5X9xJLQc6",
		},
		{
			"sha1 in upper case",
			"sha1$a1b2c$e0980e3c00f304f6c36c2ded0c6ade83c41704e3",
			"sha1$a1b2c$E0980E3C00F304F6C36C2DED0C6ADE83C41704E3",
		},
		{
			"unsalted md5 in upper case",
			"3cb4e732631f47e6eb961f34554b7cde",
			"3CB4E732631F47E6EB961F34554B7CDE",
		},
		{
			"unsalted sha1 under its class's name",
			"sha1$$2f9e53523b62abc141a2b4d6019d23cba835dbd0",
			"unsalted_sha1$$2f9e53523b62abc141a2b4d6019d23cba835dbd0",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			if ok, err := Verify(test.right, password); !ok || err != nil {
				t.Errorf("right: %v, %v", ok, err)
			}
			if ok, err := Verify(test.wrong, password); ok || err != nil {
				t.Errorf("wrong: %v, %v; want false and no error", ok, err)
			}
		})
	}
}

func TestBcryptPasswordWithNUL(t *testing.T) {
	t.Parallel()
	// bcrypt ends the key with a NUL and repeats it: without a rule, the second password
	// would be equivalent to the first.
	const encoded = "bcrypt$$2b$04$abcdefghijklmnopqrstuuPp7HPfoAs8I2dCQCQ/fW7zEJv8I8C8e"
	for password, want := range map[string]bool{"x": true, "x\x00x": false} {
		if ok, err := Verify(encoded, password); ok != want || err != nil {
			t.Errorf("%q: got %v, %v; want %v", password, ok, err, want)
		}
	}
	long := strings.Repeat("a", 71) + "B"
	const encodedLong = "bcrypt$$2b$04$abcdefghijklmnopqrstuucSPpZD7n8YaHI2ZVaueNWte6mld4cPy"
	for password, want := range map[string]bool{long: true, long + "b": true, long + "\x00": false} {
		if ok, err := Verify(encodedLong, password); ok != want || err != nil {
			t.Errorf("%d bytes: got %v, %v; want %v", len(password), ok, err, want)
		}
	}
}
