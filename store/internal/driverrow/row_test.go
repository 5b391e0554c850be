package driverrow_test

import (
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"testing"

	"github.com/authcompat/authcompat/store/internal/driverrow"
)

// rows are those of a driver.
type rows struct {
	columns []string
	values  [][]driver.Value
	failed  error // behind the values
	unended error // by Close
	closed  int
}

func (r *rows) Columns() []string { return r.columns }

func (r *rows) Close() error { r.closed++; return r.unended }

func (r *rows) Next(into []driver.Value) error {
	if len(r.values) == 0 {
		return r.failed
	}
	copy(into, r.values[0])
	r.values = r.values[1:]
	return nil
}

func row(values ...driver.Value) *rows {
	return &rows{columns: make([]string, len(values)), values: [][]driver.Value{values}, failed: io.EOF}
}

func TestRead(t *testing.T) {
	var r driverrow.Row
	for range 2 {
		read := row(int64(7), nil, "one", nil, "two", []byte("three"), nil, []byte{4}, nil, true, int64(0))
		found, err := r.Read(read, func(r *driverrow.Row) error {
			if n := r.Integer(); n != 7 {
				t.Errorf("integer: %d", n)
			}
			if n := r.NullInteger(); n != (sql.NullInt64{}) {
				t.Errorf("no integer: %v", n)
			}
			if text := r.Text(); text != "one" {
				t.Errorf("text: %q", text)
			}
			if text := r.NullText(); text != (sql.NullString{}) {
				t.Errorf("no text: %v", text)
			}
			if text := r.NullText(); text != (sql.NullString{String: "two", Valid: true}) {
				t.Errorf("text that may be NULL: %v", text)
			}
			if text := r.Text(); text != "three" {
				t.Errorf("text of a type that the driver does not know: %q", text)
			}
			if b := r.Blob(); b != nil {
				t.Errorf("no blob: %v", b)
			}
			if b := r.Blob(); string(b) != "\x04" {
				t.Errorf("blob: %v", b)
			}
			if n := r.NullInteger(); n.Valid {
				t.Errorf("no integer: %v", n)
			}
			if yes, no := r.Bool(), r.Bool(); !yes || no {
				t.Errorf("booleans: %v, %v", yes, no)
			}
			return r.Err()
		})
		if !found || err != nil || read.closed != 1 {
			t.Errorf("%v, %v, closed %d times", found, err, read.closed)
		}
	}
}

// TestReadFromABuffer has a driver that hands out its buffer, and reads the next message into it when the rows are closed.
func TestReadFromABuffer(t *testing.T) {
	var r driverrow.Row
	buffer := []byte("mine")
	read := &overwritten{row(buffer, buffer), buffer}
	var text string
	var blob []byte
	found, err := r.Read(read, func(r *driverrow.Row) error {
		text, blob = r.Text(), r.Blob()
		return r.Err()
	})
	copy(buffer, "next")
	if !found || err != nil || text != "mine" || string(blob) != "mine" {
		t.Errorf("%v, %v, text %q, blob %q", found, err, text, blob)
	}
}

// overwritten are rows in a buffer.
type overwritten struct {
	*rows
	buffer []byte
}

func (r *overwritten) Close() error {
	copy(r.buffer, "over")
	return r.rows.Close()
}

func TestReadNothing(t *testing.T) {
	var r driverrow.Row
	lost, unended := errors.New("lost"), errors.New("not ended")
	for name, tt := range map[string]struct {
		rows *rows
		want error
	}{
		"no row":               {&rows{failed: io.EOF}, nil},
		"one that is lost":     {&rows{failed: lost}, lost},
		"one that is not over": {&rows{columns: make([]string, 1), values: [][]driver.Value{{"x"}}, unended: unended}, unended},
		"lost, and not over":   {&rows{failed: lost, unended: unended}, lost},
	} {
		found, err := r.Read(tt.rows, func(*driverrow.Row) error { t.Errorf("%s: it is there", name); return nil })
		if found || !errors.Is(err, tt.want) || tt.rows.closed != 1 {
			t.Errorf("%s: %v, %v, closed %d times", name, found, err, tt.rows.closed)
		}
	}
}

// TestWrongValues takes values as what they are not: that is an error, which does not show them.
func TestWrongValues(t *testing.T) {
	var r driverrow.Row
	for name, tt := range map[string]struct {
		row  *rows
		take func(*driverrow.Row)
		want string
	}{
		"a text that is a number":   {row(int64(1), "x"), func(r *driverrow.Row) { r.Text(); r.Text() }, "column 1 has no value of its type"},
		"a number that is a text":   {row(int64(1), "x"), func(r *driverrow.Row) { r.Integer(); r.NullInteger() }, "column 2 has no value of its type"},
		"a blob that is a text":     {row(int64(1), "x"), func(r *driverrow.Row) { r.Integer(); r.Blob() }, "column 2 has no value of its type"},
		"NULL where there is none":  {row(int64(1), nil), func(r *driverrow.Row) { r.Integer(); r.Text() }, "column 2 has no value of its type"},
		"NULL that is no number":    {row(nil, "x"), func(r *driverrow.Row) { r.Integer(); r.Text() }, "column 1 has no value of its type"},
		"NULL that is no boolean":   {row(nil), func(r *driverrow.Row) { r.Bool() }, "column 1 has no value of its type"},
		"a number beyond true":      {row(int64(2), nil), func(r *driverrow.Row) { r.Bool(); r.NullText() }, "column 1 has no value of its type"},
		"too few":                   {row(int64(1), "x"), func(r *driverrow.Row) { r.Integer() }, "1 of 2 columns were taken"},
		"too many":                  {row(int64(1), "x"), func(r *driverrow.Row) { r.Integer(); r.Text(); r.Blob() }, "column 3 has no value of its type"},
		"too many texts":            {row("x"), func(r *driverrow.Row) { r.Text(); r.Text() }, "column 2 has no value of its type"},
		"too many booleans":         {row(true), func(r *driverrow.Row) { r.Bool(); r.Bool() }, "column 2 has no value of its type"},
		"right, and after an error": {row(int64(1), "x"), func(r *driverrow.Row) { r.Integer(); r.Text() }, ""},
	} {
		_, err := r.Read(tt.row, func(r *driverrow.Row) error { tt.take(r); return r.Err() })
		if (tt.want == "") != (err == nil) || err != nil && err.Error() != tt.want {
			t.Errorf("%s: %v, want %q", name, err, tt.want)
		}
	}
}
