package keyring

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestKeysInPlaceOfTheirFile gives keys where the name of their file is meant: no error and
// no log shows them, and no command takes the file for a missing one.
func TestKeysInPlaceOfTheirFile(t *testing.T) {
	t.Chdir(t.TempDir())
	key := sha256.Sum256([]byte("sealing"))
	standard := base64.StdEncoding.EncodeToString(key[:])
	withSlash := "/a" + standard[2:]
	for name, given := range map[string]string{
		"a key":            standard,
		"unpadded":         strings.TrimRight(standard, "="),
		"two":              standard + "," + withSlash,
		"many":             strings.Repeat(standard+",", 200),
		"with a slash":     standard[:20] + "/" + standard[21:],
		"after a slash":    withSlash,
		"for URLs":         base64.RawURLEncoding.EncodeToString(key[:]),
		"in hexadecimal":   hex.EncodeToString(key[:]),
		"cut off":          standard[:30],
		"with white space": standard + "\n",
		"quoted":           `'` + standard + `'`,
		"with its form":    "base64:" + standard,
		"as a setting":     "key=" + strings.TrimRight(standard, "="),
		"as a path":        "./" + strings.TrimRight(standard, "="),
		"as a number":      "0x" + hex.EncodeToString(key[:]),
		"in braces":        "{" + standard + "}",
		"in parentheses":   "(" + standard + ")",
		"in brackets":      "[" + strings.TrimRight(standard, "=") + "]",
		"in angles":        "<" + standard + ">",
		"as a placeholder": "${" + standard + "}",
		"with colons":      strings.ToUpper(spaced(hex.EncodeToString(key[:]), ":")),
		"quoted, hyphens":  `"` + spaced(hex.EncodeToString(key[:]), "-") + `"`,
	} {
		t.Run(name, func(t *testing.T) {
			location := Location{File: given, DSN: "sqlite:users.db"}
			var log strings.Builder
			_, load := location.LoadOrWarn(t.Context(), func(err error) { log.WriteString(err.Error()) })
			_, create := location.LoadOrCreate(t.Context(), nil)
			_, write := location.WritableFile()
			_, start := NewReloader(slog.New(slog.NewTextHandler(&log, nil)), location.DSN).Start(t.Context(), given, nil)
			for _, err := range []error{load, create, write, start, location.Check(t.Context())} {
				if !errors.Is(err, errMisplaced) || errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), EnvVar) {
					t.Errorf("error %v", err)
				}
				log.WriteString(errors.Join(err, errMisplaced).Error())
			}
			if strings.Contains(log.String(), given) {
				t.Errorf("it is shown: %s", log.String())
			}
			for _, part := range strings.FieldsFunc(given, func(c rune) bool { return strings.ContainsRune(",/ \n:='.{}()[]<>$\"", c) }) {
				if len(part) > len("base64") && strings.Contains(log.String(), part) {
					t.Errorf("it is shown: %s", log.String())
				}
			}
		})
	}
}

// spaced puts a text between each two digits.
func spaced(digits, between string) string {
	var pairs []string
	for i := 0; i < len(digits); i += 2 {
		pairs = append(pairs, digits[i:i+2])
	}
	return strings.Join(pairs, between)
}

// TestNamesOfKeyFilesAreShown checks that a file that is missing is still named.
func TestNamesOfKeyFilesAreShown(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, name := range []string{"keys", "/run/secrets/authcompat/sealing/keys", "/var/lib/authcompat/keys/production/sealing", "Authcompat-Sealing-Keys-2026", "AuthcompatKeys2026.txt", "users.db.key", "550e8400-e29b-41d4-a716-446655440000"} {
		if err := (Location{File: name}).Check(t.Context()); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
	// A file may have any name, if it is there.
	name := strings.Repeat("aB3", 15)[:43]
	key, err := newKey()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(".", name), []byte(key), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := (Location{File: name}).Check(t.Context()); err != nil {
		t.Errorf("a file with the name of a key: %v", err)
	}
}

// TestPathThatReadsAsAKey checks that a path in a folder that is there is shown, even if it is as
// long as a key, and has nothing in it that a key has not.
func TestPathThatReadsAsAKey(t *testing.T) {
	t.Chdir(t.TempDir())
	folder := "Keys" + strings.Repeat("1", 43-len("Keys/file"))
	path := filepath.Join(folder, "file")
	if !Misplaced(path) {
		t.Errorf("%s is not taken for a key without its folder", path)
	}
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	if Misplaced(path) {
		t.Errorf("%s is taken for a key", path)
	}
}
