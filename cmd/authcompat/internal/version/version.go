// Package version says which build of the program this is.
package version

import (
	"cmp"
	"runtime"
	"runtime/debug"
)

// A release sets these with the linker, because it is built without the repository beside it:
//
//	go build -ldflags "-X github.com/authcompat/authcompat/cmd/authcompat/internal/version.version=v1.2.3
//	  -X github.com/authcompat/authcompat/cmd/authcompat/internal/version.commit=0123…" ./cmd/authcompat
//
// What is empty is taken from what the Go tool has noted in the program.
var version, commit string

// Unknown stands for what neither the linker nor the Go tool has said.
const Unknown = "unknown"

// Info is what tells one build from another.
type Info struct {
	Version string `json:"version"` // such as v1.2.3; (devel) of a build that is no version
	Commit  string `json:"commit"`  // of Git, all digits; with +dirty if files had changed since
	Go      string `json:"go"`      // version of Go, such as go1.26.8
}

// Get returns what is known of this build. No field is empty.
func Get() Info {
	build, ok := debug.ReadBuildInfo()
	if !ok {
		build = &debug.BuildInfo{}
	}
	return of(build, version, commit)
}

// of returns what a program says of itself: what the linker has set goes before what the Go tool noted.
func of(build *debug.BuildInfo, version, commit string) Info {
	settings := make(map[string]string)
	for _, s := range build.Settings {
		settings[s.Key] = s.Value
	}
	noted := settings["vcs.revision"]
	if noted != "" && settings["vcs.modified"] == "true" {
		noted += "+dirty"
	}
	return Info{
		Version: cmp.Or(version, build.Main.Version, Unknown),
		Commit:  cmp.Or(commit, noted, Unknown),
		Go:      cmp.Or(build.GoVersion, runtime.Version()),
	}
}

// String returns a line for people.
func (i Info) String() string { return i.Version + " (commit " + i.Commit + ", " + i.Go + ")" }
