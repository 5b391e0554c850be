// Package password verifies and writes Django's encoded password strings, the
// contents of the column auth_user.password.
//
// # Formats
//
// The layouts and the rules by which a string is told to be of a format are
// those of django/contrib/auth/hashers.py: Django 3.2 for all but scrypt, which
// is Django 4.2's.
//
//	pbkdf2_sha256$ITERATIONS$SALT$BASE64          verified, and written
//	pbkdf2_sha1$ITERATIONS$SALT$BASE64            verified
//	argon2$argon2id$v=19$m=M,t=T,p=P$SALT$HASH    verified (argon2i too)
//	bcrypt_sha256$$2b$COST$SALTHASH               verified ($2a$ and $2y$ too)
//	bcrypt$$2b$COST$SALTHASH                      verified ($2a$ and $2y$ too)
//	scrypt$N$SALT$R$P$BASE64                      verified
//	sha1$SALT$HEX, md5$SALT$HEX                   verified
//	sha1$$HEX, md5$$HEX, HEX (32 characters)      verified, unsalted
//	pbkdf2_wrapped_DIGEST$ITERATIONS$SALT$BASE64  verified
//	!ANYTHING                                     unusable: [ErrUnusable]
//	crypt$…, argon2$argon2d$…, argon2 version 16  refused: [UnsupportedError]
//	anything else                                 refused: [UnsupportedError]
//
// argon2 version 16 is also what a string without a v= field means.
//
// The wrapped formats are pbkdf2_sha256 over the hexadecimal digits of a plain
// digest of the password. DIGEST is sha1, md5, unsalted_sha1 or unsalted_md5. A
// site's own hashers wrote them by the recipe in Django's documentation
// ("Password upgrading without requiring a login", topics/auth/passwords).
//
// # Equality
//
// As in Django, the password's string is encoded anew with the salt and the
// parameters of the stored one, and the two whole strings are compared in
// constant time. So an iteration count with leading zeros, upper-case
// hexadecimal digits or base64 with stray bits never verify.
//
// A password is the bytes of a Go string and is hashed as it is: nothing is
// trimmed or normalised, and NUL, invalid UTF-8 and encoded surrogates are
// bytes like others. What the algorithms themselves make equal stays equal:
//   - bcrypt sees the first 72 bytes only;
//   - PBKDF2 and scrypt pad with NUL up to 64 bytes, so that a short password
//     and the same with NULs behind it are one; a longer one equals its digest.
//
// A password with a NUL never verifies against a bcrypt row, as the bcrypt
// library of Django 3.2's time (3.2.2) refuses it; bcrypt_sha256 has no such
// rule.
//
// # Work
//
// A refusal comes before any hashing. Whenever [Verify] answers without an
// error it has done the work that [CostOf] describes, whatever the answer, so
// that a caller who spends [Cost.HashDummy] on each error answers both in the same
// time. argon2 spreads its work over [Cost.Threads] goroutines. The parameters
// of a row are held to the limits in this package, since a row may
// come from an import: at those limits one check takes up to five seconds of one
// core, and hardly more than [MaxMemory] bytes.
package password
