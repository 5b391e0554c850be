package pyjson

import (
	"bytes"
	"fmt"
	"unicode/utf8"
)

// handling says what is done with bytes that can't be decoded.
type handling uint8

const (
	strict        handling = iota // an error, as bytes.decode gives it
	stream                        // the same, but a character cut off by the end is dropped
	surrogatePass                 // lone surrogates pass, anything else is an error
	replace                       // each broken character becomes U+FFFD
)

// DecodeStream is codecs.getreader(charset)(body).read(), as DRF from 3.6.4 on
// reads a body (rest_framework/parsers.py, JSONParser): a character that the
// end of the body cuts off is dropped without an error, and UTF-16 needs its
// byte order mark. A byte order mark of UTF-8 stays, for [Decode] to refuse.
// The error is a *[ValueError] with UnicodeDecodeError's text.
func (c Charset) DecodeStream(body []byte, p Python) (string, error) {
	return c.decode(body, stream, p)
}

// Decode is body.decode(charset), as DRF before 3.6.4 and many plain views
// read a body. The error is a *[ValueError] with UnicodeDecodeError's text.
func (c Charset) Decode(body []byte, p Python) (string, error) {
	return c.decode(body, strict, p)
}

// DecodeReplacing is body.decode(charset, "replace"), as forms read
// percent-encoded bytes and the parts of a multipart body: each stretch of bytes
// that [Decode] would report becomes one U+FFFD. (Go's own functions replace single
// bytes, or whole runs.)
func (c Charset) DecodeReplacing(body []byte) string {
	// Errors are replaced, so that there are none.
	text, _ := c.decode(body, replace, Python311)
	return text
}

// DecodeBytes is json.loads(body) of CPython 3.6 and later for bytes: UTF-8,
// UTF-16 or UTF-32 as the first bytes tell, with or without a byte order mark,
// lone surrogates let through (Lib/json/__init__.py, detect_encoding). Errors
// are those of [Charset.Decode] and [Decode].
func DecodeBytes(body []byte, o Options) (any, error) {
	text, err := Charset{codec: detectEncoding(body)}.decode(body, surrogatePass, o.Python)
	if err != nil {
		return nil, err
	}
	return decodeText(text, o)
}

func detectEncoding(b []byte) codec {
	switch {
	case bytes.HasPrefix(b, []byte("\x00\x00\xfe\xff")), bytes.HasPrefix(b, []byte("\xff\xfe\x00\x00")):
		return utf32Codec
	case bytes.HasPrefix(b, []byte("\xfe\xff")), bytes.HasPrefix(b, []byte("\xff\xfe")):
		return utf16Codec
	case bytes.HasPrefix(b, []byte("\xef\xbb\xbf")):
		return utf8SigCodec
	case len(b) == 2 && b[0] == 0:
		return utf16BECodec
	case len(b) == 2 && b[1] == 0:
		return utf16LECodec
	case len(b) < 4:
		return utf8Codec
	case b[0] == 0 && b[1] == 0:
		return utf32BECodec
	case b[0] == 0:
		return utf16BECodec
	case b[1] == 0 && b[2] == 0 && b[3] == 0:
		return utf32LECodec
	case b[1] == 0:
		return utf16LECodec
	}
	return utf8Codec
}

func (c Charset) decode(b []byte, h handling, p Python) (string, error) {
	switch c.codec {
	case utf8Codec:
		return decodeUTF8(b, h, p)
	case utf8SigCodec:
		return decodeUTF8(bytes.TrimPrefix(b, []byte("\xef\xbb\xbf")), h, p)
	case asciiCodec:
		return decodeASCII(b, h)
	case latin1Codec:
		return decodeLatin1(b), nil
	case singleByte:
		return c.decodeTable(b, h)
	}
	return decodeWide(b, c.codec, h, p)
}

// decodeError is str(UnicodeDecodeError) for the bytes from start to end
// (Objects/exceptions.c).
func decodeError(encoding string, b []byte, start, end int, reason string) *ValueError {
	if end == start+1 {
		return &ValueError{fmt.Sprintf("'%s' codec can't decode byte 0x%02x in position %d: %s",
			encoding, b[start], start, reason)}
	}
	return &ValueError{fmt.Sprintf("'%s' codec can't decode bytes in position %d-%d: %s",
		encoding, start, end-1, reason)}
}

func decodeASCII(b []byte, h handling) (string, error) {
	text := make([]byte, 0, len(b))
	for i, c := range b {
		r := rune(c)
		if c >= utf8.RuneSelf {
			if h != replace {
				return "", decodeError("ascii", b, i, i+1, "ordinal not in range(128)")
			}
			r = utf8.RuneError
		}
		text = utf8.AppendRune(text, r)
	}
	return string(text), nil
}

func decodeLatin1(b []byte) string {
	text := make([]byte, 0, len(b)+len(b)/8)
	for _, c := range b {
		text = utf8.AppendRune(text, rune(c))
	}
	return string(text)
}

func (c Charset) decodeTable(b []byte, h handling) (string, error) {
	text := make([]byte, 0, len(b)+len(b)/8)
	for i, x := range b {
		r := rune(x)
		if x >= 0xA0 || !c.c1 {
			r = c.table.DecodeByte(x)
		}
		if r == utf8.RuneError && h != replace {
			return "", decodeError("charmap", b, i, i+1, "character maps to <undefined>")
		}
		text = utf8.AppendRune(text, r)
	}
	return string(text), nil
}
