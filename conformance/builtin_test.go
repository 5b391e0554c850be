package conformance_test

import (
	"errors"
	"testing"

	"github.com/authcompat/authcompat/conformance"
)

func TestBuiltinFilesLoad(t *testing.T) {
	names := conformance.Profiles()
	if len(names) != 10 {
		t.Errorf("profiles: %v", names)
	}
	for _, name := range names {
		f, err := conformance.Builtin(name)
		if err != nil {
			t.Error(err)
			continue
		}
		if f.Profile != name {
			t.Errorf("%s: the file's profile is %s", name, f.Profile)
		}
		t.Logf("%s: %d exchanges", name, len(f.Exchanges))
	}
}

func TestBuiltinUnknown(t *testing.T) {
	if _, err := conformance.Builtin("nowhere"); !errors.Is(err, conformance.ErrNoExchanges) {
		t.Errorf("got %v", err)
	}
}
