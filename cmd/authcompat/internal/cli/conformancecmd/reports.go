package conformancecmd

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/report"
	"github.com/authcompat/authcompat/conformance"
	formats "github.com/authcompat/authcompat/conformance/report"
)

// A reportFile is what --report names.
type reportFile struct {
	format formats.Format
	file   *report.File
}

// formatNames returns the names of the formats of --report.
func formatNames() string {
	var names []string
	for _, f := range formats.Formats() {
		names = append(names, f.Name)
	}
	return strings.Join(names, ", ")
}

// splitReport reads FORMAT=FILE.
func splitReport(value string) (formats.Format, string, error) {
	name, path, found := strings.Cut(value, "=")
	format, err := formats.FindFormat(name)
	switch {
	case !found && err == nil:
		return format, "", fmt.Errorf("--report %s: into which file? Give %[1]s=FILE", value)
	case !found:
		return format, "", fmt.Errorf("--report %s: want FORMAT=FILE, with one of the formats %s", value, formatNames())
	case err != nil:
		return format, "", fmt.Errorf("--report %s: %w", value, err)
	case path == "" || path == "-":
		return format, "", fmt.Errorf("--report %s: it goes into a file: give %s=FILE", value, name)
	}
	return format, path, nil
}

// openReports opens the files of --report, before there is anything to report.
func (f *runFlags) openReports() (all []reportFile, err error) {
	there := map[string]string{}
	for _, value := range f.reports {
		format, path, err := splitReport(value)
		if err != nil {
			discard(all)
			return nil, err
		}
		at := location(path)
		if other, twice := there[at]; twice {
			discard(all)
			return nil, fmt.Errorf("--report %s: --report %s has the same file: give each its own", value, other)
		}
		there[at] = value
		file, err := report.OpenFormat(value, path, format.IsReport)
		if err != nil {
			discard(all)
			return nil, err
		}
		all = append(all, reportFile{format, file})
	}
	return all, nil
}

// location returns the same text for all paths to a file in a directory.
func location(path string) string {
	directory, err := filepath.EvalSymlinks(filepath.Dir(path))
	if err != nil {
		directory = filepath.Dir(path)
	}
	whole, err := filepath.Abs(filepath.Join(directory, filepath.Base(path)))
	if err != nil {
		return path
	}
	return whole
}

// discard removes the files into which nothing was written.
func discard(reports []reportFile) {
	for _, r := range reports {
		r.file.Discard()
	}
}

// wantsTranscripts reports whether a report shows what was sent and answered.
func (f *runFlags) wantsTranscripts() bool {
	return f.format.Value == "json" || slices.ContainsFunc(f.reports, func(value string) bool {
		return strings.HasPrefix(value, "html=") || strings.HasPrefix(value, "json=")
	})
}

// report writes the files of --report, each of them even if another one can't be written, and the
// annotations of GitHub.
func (f *runFlags) report(annotations io.Writer, reports []reportFile, found *conformance.Report) error {
	var failed []error
	for _, r := range reports {
		var text bytes.Buffer
		err := r.format.Write(&text, found)
		if err == nil {
			err = r.file.WriteText(text.Bytes())
		}
		failed = append(failed, err)
	}
	if os.Getenv("GITHUB_ACTIONS") == "true" {
		own := func(file string) bool { return slices.Contains(f.exchanges, file) }
		failed = append(failed, formats.WriteAnnotations(annotations, found, own))
	}
	return errors.Join(failed...)
}

// reportUnfit reports that nothing was replayed, since the look at the targets failed with the error.
func (f *runFlags) reportUnfit(annotations io.Writer, reports []reportFile, target conformance.Target, chosen []subject, err error) error {
	var which unfit
	if !errors.As(err, &which) {
		return nil
	}
	found := &conformance.Report{Started: time.Now()}
	for _, s := range chosen {
		found.Profiles = append(found.Profiles, conformance.NotRun(s.some, target[s.name], which.why[s.name]))
	}
	return f.report(annotations, reports, found)
}
