package djangocmd

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/djangosettings"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/djangosettings/python"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/term"
	"github.com/authcompat/authcompat/profiles/smallfile"
	"github.com/authcompat/authcompat/store/newfile"
)

// readSettings inspects settings files. The report is nil if there are none.
func readSettings(ctx context.Context, paths []string) (*djangosettings.Report, error) {
	if len(paths) == 0 {
		return nil, nil
	}
	var files []python.File
	for _, path := range paths {
		text, err := smallfile.Read(ctx, path)
		if err != nil {
			var inPath *fs.PathError
			if errors.As(err, &inPath) {
				err = inPath.Err
			}
			return nil, fmt.Errorf("--settings %s: %w", path, err)
		}
		files = append(files, python.File{Name: path, Text: text})
	}
	found, err := djangosettings.Inspect(files...)
	if err != nil {
		return nil, fmt.Errorf("--settings: %w", err)
	}
	return found, nil
}

// writeProfile writes the profile into a new file.
func writeProfile(path string, r *djangosettings.Report) error {
	if r.Profile == "" {
		return fmt.Errorf("--profile-out %s: %s", path, noBase)
	}
	file, err := newfile.Create(path)
	if err == nil {
		defer file.Discard()
		if _, err = file.WriteString(r.Profile); err == nil {
			err = file.Place(false)
		}
	}
	switch {
	case errors.Is(err, newfile.ErrExists):
		return fmt.Errorf("--profile-out %s: %w: a profile goes into a new file: name another, or remove it", path, err)
	case err != nil:
		return fmt.Errorf("--profile-out %s: %w", path, err)
	}
	return nil
}

const noBase = "the settings point to no package whose API is known: djoser, dj-rest-auth, django-rest-knox or Django REST framework's authtoken"

// maxCell is how many bytes of a value a table shows.
const maxCell = 44

// writeSettings says what was found in settings. written is the file that has the profile, or "".
func writeSettings(out *strings.Builder, r *djangosettings.Report, written string) {
	term.Printf(out, "%s, read as text: nothing of it was run\n\n", strings.Join(r.Files, ", "))
	if r.Base == "" {
		term.Printf(out, "API: not known. %s\n", strings.ToUpper(noBase[:1])+noBase[1:])
	} else {
		term.Printf(out, "API: that of %s (%s)\n", r.Base, r.Why)
	}
	if len(r.Settings) > 0 {
		term.Printf(out, "\n")
		w := term.NewColumns(out)
		term.Printf(w, "SETTING\tVALUE\tPROFILE\n")
		for _, f := range r.Settings {
			term.Printf(w, "%s\t%s\t%s\n", f.Setting, cell(f), outcome(f))
		}
		_ = w.Flush() // into a strings.Builder
	}
	var unknown []djangosettings.Note
	for _, f := range r.Settings {
		if f.Result == djangosettings.NotKnown {
			unknown = append(unknown, djangosettings.Note{Position: f.Position, Text: f.Setting + " " + f.Why})
		}
	}
	if unknown = append(unknown, r.Notes...); len(unknown) > 0 {
		term.Printf(out, "\nWhat is not known\n")
		for _, n := range unknown {
			term.Printf(out, "  %s: %s\n", n.Position, n.Text)
		}
	}
	switch {
	case written != "":
		term.Printf(out, "\nThe profile is in %s.\n", written)
	case r.Profile != "":
		term.Printf(out, "\nA profile to start from\n")
		for line := range strings.Lines(r.Profile) {
			term.Printf(out, "  %s\n", strings.TrimRight(line, "\n"))
		}
	}
}

// cell is a value in a table.
func cell(f djangosettings.Found) string {
	value := f.Value
	if value == "" {
		return "?"
	}
	if len(value) > maxCell {
		value = strings.ToValidUTF8(value[:maxCell], "") + "…"
	}
	return value
}

// outcome says in a table what became of a setting.
func outcome(f djangosettings.Found) string {
	because := ""
	if f.Why != "" {
		because = ": " + f.Why
	}
	switch f.Result {
	case djangosettings.Filled:
		return f.Key
	case djangosettings.Default:
		return "the default"
	case djangosettings.NotKnown:
		return "not known"
	case djangosettings.Refused:
		return "not supported" + because
	}
	if f.Use == djangosettings.NoEffect {
		return "no effect" + because
	}
	return string(f.Use) + ": " + f.Key + because
}
