package version

import (
	"runtime/debug"
	"testing"
)

func TestOf(t *testing.T) {
	noted := func(modified string) *debug.BuildInfo {
		b := &debug.BuildInfo{GoVersion: "go1.26.8", Settings: []debug.BuildSetting{{Key: "vcs.revision", Value: "0123abcd"}, {Key: "vcs.modified", Value: modified}}}
		b.Main.Version = "v1.2.3"
		return b
	}
	for name, test := range map[string]struct {
		build           *debug.BuildInfo
		version, commit string
		want            Info
	}{
		"noted by Go":            {noted("false"), "", "", Info{"v1.2.3", "0123abcd", "go1.26.8"}},
		"with changes":           {noted("true"), "", "", Info{"v1.2.3", "0123abcd+dirty", "go1.26.8"}},
		"a release":              {noted("true"), "v2.0.0", "ffff", Info{"v2.0.0", "ffff", "go1.26.8"}},
		"built outside of Git":   {&debug.BuildInfo{GoVersion: "go1.26.8"}, "", "", Info{Unknown, Unknown, "go1.26.8"}},
		"a release, without Git": {&debug.BuildInfo{GoVersion: "go1.26.8"}, "v2.0.0", "ffff", Info{"v2.0.0", "ffff", "go1.26.8"}},
	} {
		if got := of(test.build, test.version, test.commit); got != test.want {
			t.Errorf("%s: %+v, want %+v", name, got, test.want)
		}
	}
	if got := Get(); got.Version == "" || got.Commit == "" || got.Go == "" {
		t.Errorf("this build: %+v", got)
	}
}
