package pyjson

// Python names an interpreter by the first release that has its error texts.
// What is accepted, and as which value, is the same for all of Python 3; only
// texts differ, and the size of integers. The zero value is [Python311].
type Python uint8

const (
	// Python311 is CPython 3.11 and 3.12.
	Python311 Python = iota
	// Python27 is CPython 2.7 given unicode text: no positions in "No JSON
	// object could be decoded", "Expecting object" for an unclosed container,
	// no byte order mark text, no limit on integers.
	Python27
	// Python36 is CPython 3.6, and any 3.7 to 3.10 from before the security
	// releases of September 2022: no limit on integers.
	Python36
	// Python37 is CPython 3.7 to 3.10 with the limit on integers, which is
	// worded a little differently there.
	Python37
	// Python313 is CPython 3.13 and later, with "Illegal trailing comma".
	Python313
)

// maxIntDigits is CPython's default for sys.set_int_max_str_digits.
const maxIntDigits = 4300

// intLimitFormat is the text for an integer of more than maxIntDigits digits
// (Objects/longobject.c), or empty where there is no limit.
func (p Python) intLimitFormat() string {
	const tail = " for integer string conversion: value has %d digits;" +
		" use sys.set_int_max_str_digits() to increase the limit"
	switch p {
	case Python27, Python36:
		return ""
	case Python37:
		return "Exceeds the limit (%d)" + tail
	}
	return "Exceeds the limit (%d digits)" + tail
}
