package pinned

import (
	"database/sql"
	"database/sql/driver"
	"fmt"
)

// Row has the values of a row, which are taken from the first column to the last, each as what the table says it is.
type Row struct {
	values []driver.Value
	next   int
	err    error
}

// Err returns the first error: a value of another type, NULL where that is none, or more values than there are columns, or
// fewer. The error does not show any value.
func (r *Row) Err() error {
	if r.err == nil && r.next != len(r.values) {
		return fmt.Errorf("%d of %d columns were taken", r.next, len(r.values))
	}
	return r.err
}

// take returns the next value, which may be NULL.
func take[T any](r *Row) (value T, valid bool) {
	column := r.next
	r.next++
	switch {
	case column >= len(r.values):
		r.fail(column)
		return value, false
	case r.values[column] == nil:
		return value, false
	}
	value, valid = r.values[column].(T)
	if !valid {
		r.fail(column)
	}
	return value, valid
}

// must returns the next value, which may not be NULL.
func must[T any](r *Row) T {
	value, valid := take[T](r)
	if !valid {
		r.fail(r.next - 1)
	}
	return value
}

func (r *Row) fail(column int) {
	if r.err == nil {
		r.err = fmt.Errorf("column %d has no value of its type", column+1)
	}
}

// Integer returns the next value.
func (r *Row) Integer() int64 { return must[int64](r) }

// Bool returns the next value, which is 0 or 1.
func (r *Row) Bool() bool {
	n := must[int64](r)
	if n != 0 && n != 1 {
		r.fail(r.next - 1)
	}
	return n == 1
}

// Text returns the next value.
func (r *Row) Text() string { return must[string](r) }

// NullInteger returns the next value.
func (r *Row) NullInteger() sql.NullInt64 {
	n, valid := take[int64](r)
	return sql.NullInt64{Int64: n, Valid: valid}
}

// NullText returns the next value.
func (r *Row) NullText() sql.NullString {
	text, valid := take[string](r)
	return sql.NullString{String: text, Valid: valid}
}

// Blob returns the next value, nil for NULL and for one without bytes, which the driver does not distinguish.
func (r *Row) Blob() []byte {
	b, _ := take[[]byte](r)
	return b
}
