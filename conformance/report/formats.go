package report

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"github.com/authcompat/authcompat/conformance"
)

// A Format is one in which a report can be written into a file.
type Format struct {
	Name  string
	Write func(io.Writer, *conformance.Report) error

	begins string // what each report begins with
}

// Formats returns all formats: html, junit, tap, json and badge.
func Formats() []Format {
	return []Format{
		{"html", WriteHTML, htmlBegins},
		{"junit", WriteJUnit, junitBegins},
		{"tap", WriteTAP, tapBegins},
		{"json", WriteJSON, jsonBegins},
		{"badge", WriteBadge, badgeBegins},
	}
}

// FindFormat returns the format with the name. The error has the names of all.
func FindFormat(name string) (Format, error) {
	var names []string
	for _, f := range Formats() {
		if f.Name == name {
			return f, nil
		}
		names = append(names, f.Name)
	}
	last := len(names) - 1
	return Format{}, fmt.Errorf("unknown format %q: want %s or %s", name, strings.Join(names[:last], ", "), names[last])
}

// IsReport reports whether a file begins as reports of the format do, or is empty. An error of the
// reader counts as the end of the file.
func (f Format) IsReport(file io.Reader) bool {
	begins, _ := io.ReadAll(io.LimitReader(file, int64(len(f.begins))))
	return len(begins) == 0 || bytes.Equal(begins, []byte(f.begins))
}
