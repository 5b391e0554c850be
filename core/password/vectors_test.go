package password

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// vector is a password string that genuine Django created or verified.
type vector struct {
	Password string `json:"password"`
	Encoded  string `json:"encoded"`
	Hasher   string `json:"hasher"`
	Case     string `json:"case"`
	Django   string `json:"django"`
	Verifies bool   `json:"verifies"`
}

func vectors(tb testing.TB) []vector {
	tb.Helper()
	data, err := os.ReadFile("testdata/password_vectors.json")
	if err != nil {
		tb.Fatal(err)
	}
	var all []vector
	if err := json.Unmarshal(data, &all); err != nil {
		tb.Fatal(err)
	}
	return all
}

// refusal is the name of the format for which a vector is refused, or "".
func (v vector) refusal() Format {
	switch {
	case v.Hasher == "crypt":
		return Crypt
	case strings.HasPrefix(v.Encoded, "argon2$argon2d$"):
		return Argon2D
	case v.Hasher == "argon2" && !strings.Contains(v.Encoded, "$v=19$"):
		return Argon2Version16
	default:
		return ""
	}
}

func TestVectors(t *testing.T) {
	t.Parallel()
	outcomes := map[string]int{}
	for i, v := range vectors(t) {
		ok, err := Verify(v.Encoded, v.Password)
		outcome := "error"
		var unsupported *UnsupportedError
		switch {
		case errors.As(err, &unsupported):
			outcome = string(unsupported.Format)
			if unsupported.Format != v.refusal() {
				t.Errorf("vector %d (%s, %s): refused as %q", i, v.Hasher, v.Case, unsupported.Format)
			}
		case errors.Is(err, ErrUnusable):
			outcome = "unusable"
			if v.Hasher != "unusable" {
				t.Errorf("vector %d (%s, %s): unusable", i, v.Hasher, v.Case)
			}
		case err == nil:
			outcome = fmt.Sprint(ok)
			if ok != v.Verifies || v.refusal() != "" {
				t.Errorf("vector %d (%s, %s): got %v, Django %s says %v", i, v.Hasher, v.Case, ok, v.Django, v.Verifies)
			}
		default:
			t.Errorf("vector %d (%s, %s): %v", i, v.Hasher, v.Case, err)
		}
		outcomes[outcome]++
	}
	want := map[string]int{
		"true": 219, "unusable": 2, "crypt": 10, "argon2d": 3, "argon2 version 16": 4,
	}
	if diff := cmp.Diff(want, outcomes); diff != "" {
		t.Errorf("outcomes (-want +got):\n%s", diff)
	}
}
