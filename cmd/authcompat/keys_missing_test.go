package main

import (
	"os"
	"strings"
	"testing"
)

// TestResealWithoutAKey seals anew with a file that has lost the key of two tokens, and says
// so.
func TestResealWithoutAKey(t *testing.T) {
	t.Parallel()
	dsn := database(t)
	sealSome(t, dsn, 2)
	path := keyFileOf(t, dsn)
	first, _, _ := strings.Cut(command(t, "", "secret", "show", "--store", dsn, "--json"), `","`)
	first = strings.TrimPrefix(first, `{"key":"`)
	if err := os.WriteFile(path, []byte("ICEgIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8=\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	want := "2 tokens are sealed with the key " + first + ", which is not in " + path + ": add it there, below the others, and reseal\n"
	for _, name := range []string{"reseal", "rotate"} {
		out, said, code := runCommand(t, "secret", name, "--store", dsn, "--json")
		if code != 0 || said != want || !strings.Contains(out, `"missing":2,"resealed":0`) {
			t.Errorf("%s: exit code %d\n%s%s", name, code, out, said)
		}
	}
}
