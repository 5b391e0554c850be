package core_test

import (
	"testing"
	"time"

	"github.com/authcompat/authcompat/core"
)

// TestDefaultLimits pins the limits that docs/security.md promises.
func TestDefaultLimits(t *testing.T) {
	for _, test := range []struct{ got, want core.Limit }{
		{core.DefaultUserLimit(), core.Limit{Burst: 10, Window: 15 * time.Minute}},
		{core.DefaultAddressLimit(), core.Limit{Burst: 100, Window: 15 * time.Minute}},
		{core.DefaultRegistrationLimit(), core.Limit{Burst: 1000, Window: 15 * time.Minute}},
	} {
		if test.got != test.want {
			t.Errorf("%+v, want %+v", test.got, test.want)
		}
	}
}
