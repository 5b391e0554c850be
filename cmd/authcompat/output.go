package main

import (
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"
	"time"
)

// table writes rows for people or, one JSON object a line, for programs.
type table struct {
	json    bool
	encoder *json.Encoder
	columns *tabwriter.Writer
}

// newTable begins a table with its head, which JSON does not have.
func newTable(w io.Writer, asJSON bool, head string) *table {
	t := &table{json: asJSON}
	if asJSON {
		t.encoder = json.NewEncoder(w)
		t.encoder.SetEscapeHTML(false)
		return t
	}
	t.columns = tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t.columns, head)
	return t
}

// row adds a row: record as JSON, or the cells.
func (t *table) row(record any, format string, cells ...any) error {
	if t.json {
		return t.encoder.Encode(record)
	}
	_, err := fmt.Fprintf(t.columns, format+"\n", cells...)
	return err
}

// end writes what is left.
func (t *table) end() error {
	if t.json {
		return nil
	}
	return t.columns.Flush()
}

// report says what was done: record as JSON, or a sentence.
func report(w io.Writer, asJSON bool, record any, format string, args ...any) error {
	if asJSON {
		return json.NewEncoder(w).Encode(record)
	}
	_, err := fmt.Fprintf(w, format+"\n", args...)
	return err
}

// when writes a time for people; the zero one is never.
func when(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return t.UTC().Format("2006-01-02 15:04:05Z")
}

// stamp is a time in JSON; the zero one is null.
func stamp(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// orDash shows an empty cell.
func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}
