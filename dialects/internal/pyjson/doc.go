// Package pyjson reads and writes JSON exactly as CPython's json module does:
// the same inputs accepted and refused, the same values, the same error texts
// with the same positions, the same bytes written.
//
// A request body takes two steps, as in the genuine stacks. A charset turns
// bytes into text ([LookupCharset], [Charset.DecodeStream], [Charset.Decode]);
// then [Decode] reads the text. [DecodeBytes] does both for views that hand
// raw bytes to json.loads.
//
// # Values
//
// A decoded value is one of
//
//	nil        null, Python's None
//	bool       true, false
//	Int        an integer of any size, as canonical decimal text
//	float64    any other number, NaN, Infinity and -Infinity
//	string     a string
//	[]any      an array
//	*Object    an object with its keys in order
//
// [Append], [AppendRepr], [Str] and [TypeName] take the same values and, for
// replies built in Go, int and int64. They panic on any other type, which is a
// mistake of the calling code and cannot come from a client.
//
// # Strings
//
// A Python string can hold surrogate code points on their own ("\ud800"). Such
// a code point is kept here in the three bytes that UTF-8 would use for it if
// that were allowed (WTF-8). All other text is UTF-8. [FirstSurrogate] finds
// the first one.
package pyjson
