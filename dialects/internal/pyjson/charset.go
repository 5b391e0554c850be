package pyjson

import "golang.org/x/text/encoding/charmap"

// Charset turns the bytes of a body into text as the Python codec of that name
// does. The zero value is UTF-8, Django's DEFAULT_CHARSET, which holds for
// requests that name no charset or one that Python does not know. For
// [Python27] the texts of UTF-16 and UTF-32 are those of Python 3.
type Charset struct {
	codec codec
	table *charmap.Charmap // of codec singleByte
	c1    bool             // bytes 0x80 to 0x9F are control characters, whatever the table says
}

type codec uint8

const (
	utf8Codec codec = iota
	utf8SigCodec
	asciiCodec
	latin1Codec
	utf16Codec
	utf16LECodec
	utf16BECodec
	utf32Codec
	utf32LECodec
	utf32BECodec
	singleByte
)

// LookupCharset finds the charset that codecs.lookup finds under a name, such
// as the charset parameter of a Content-Type; case and punctuation hardly
// matter. It knows Unicode's encodings, ASCII, ISO 8859, and the common
// Windows, DOS, KOI8 and Macintosh tables. Python knows more: it would also
// decode UTF-7 and the East Asian encodings, which are reported as unknown
// here. Django ignores a charset that is unknown (django/core/handlers/wsgi.py).
func LookupCharset(name string) (c Charset, ok bool) {
	name = normalCharsetName(name)
	if c, ok = unicodeCharset(name); ok {
		return c, true
	}
	if t := isoTable(name); t != nil {
		return Charset{codec: singleByte, table: t, c1: true}, true
	}
	if t := vendorTable(name); t != nil {
		return Charset{codec: singleByte, table: t}, true
	}
	return Charset{}, false
}

// normalCharsetName puts a name in lower case, and turns each run of characters that
// are not letters, digits or full stops into one underscore (Python/codecs.c,
// _Py_normalize_encoding; Lib/encodings/__init__.py, normalize_encoding).
func normalCharsetName(name string) string {
	buf := make([]byte, 0, len(name))
	gap := false
	for _, c := range []byte(name) {
		switch {
		case 'A' <= c && c <= 'Z':
			c += 'a' - 'A'
		case 'a' <= c && c <= 'z', '0' <= c && c <= '9', c == '.':
		default:
			gap = true
			continue
		}
		if gap && len(buf) > 0 {
			buf = append(buf, '_')
		}
		gap = false
		buf = append(buf, c)
	}
	return string(buf)
}

// The names below are Python's codecs with their aliases
// (Lib/encodings/aliases.py), spelled as normalCharsetName gives them.

func unicodeCharset(name string) (Charset, bool) {
	switch name {
	case "utf_8", "utf8", "u8", "utf", "cp65001", "utf8_ucs2", "utf8_ucs4":
		return Charset{codec: utf8Codec}, true
	case "utf_8_sig":
		return Charset{codec: utf8SigCodec}, true
	case "ascii", "us_ascii", "us", "646", "ansi_x3.4_1968", "ansi_x3_4_1968", "ansi_x3.4_1986",
		"cp367", "csascii", "ibm367", "iso646_us", "iso_646.irv_1991", "iso_ir_6":
		return Charset{codec: asciiCodec}, true
	case "latin_1", "latin1", "latin", "l1", "iso8859_1", "iso_8859_1", "iso_8859_1_1987", "iso8859",
		"8859", "cp819", "csisolatin1", "ibm819", "iso_ir_100":
		return Charset{codec: latin1Codec}, true
	case "utf_16", "utf16", "u16":
		return Charset{codec: utf16Codec}, true
	case "utf_16_le", "utf_16le", "unicodelittleunmarked":
		return Charset{codec: utf16LECodec}, true
	case "utf_16_be", "utf_16be", "unicodebigunmarked":
		return Charset{codec: utf16BECodec}, true
	case "utf_32", "utf32", "u32":
		return Charset{codec: utf32Codec}, true
	case "utf_32_le", "utf_32le":
		return Charset{codec: utf32LECodec}, true
	case "utf_32_be", "utf_32be":
		return Charset{codec: utf32BECodec}, true
	}
	return Charset{}, false
}

func isoTable(name string) *charmap.Charmap {
	switch name {
	case "iso8859_2", "iso_8859_2", "iso_8859_2_1987", "csisolatin2", "iso_ir_101", "l2", "latin2":
		return charmap.ISO8859_2
	case "iso8859_3", "iso_8859_3", "iso_8859_3_1988", "csisolatin3", "iso_ir_109", "l3", "latin3":
		return charmap.ISO8859_3
	case "iso8859_4", "iso_8859_4", "iso_8859_4_1988", "csisolatin4", "iso_ir_110", "l4", "latin4":
		return charmap.ISO8859_4
	case "iso8859_5", "iso_8859_5", "iso_8859_5_1988", "csisolatincyrillic", "cyrillic", "iso_ir_144":
		return charmap.ISO8859_5
	case "iso8859_6", "iso_8859_6", "iso_8859_6_1987", "arabic", "asmo_708", "csisolatinarabic", "ecma_114", "iso_ir_127":
		return charmap.ISO8859_6
	case "iso8859_7", "iso_8859_7", "iso_8859_7_1987", "csisolatingreek", "ecma_118", "elot_928", "greek", "greek8", "iso_ir_126":
		return charmap.ISO8859_7
	case "iso8859_8", "iso_8859_8", "iso_8859_8_1988", "csisolatinhebrew", "hebrew", "iso_ir_138":
		return charmap.ISO8859_8
	case "iso8859_9", "iso_8859_9", "iso_8859_9_1989", "csisolatin5", "iso_ir_148", "l5", "latin5":
		return charmap.ISO8859_9
	case "iso8859_10", "iso_8859_10", "iso_8859_10_1992", "csisolatin6", "iso_ir_157", "l6", "latin6":
		return charmap.ISO8859_10
	case "iso8859_13", "iso_8859_13", "l7", "latin7":
		return charmap.ISO8859_13
	case "iso8859_14", "iso_8859_14", "iso_8859_14_1998", "iso_celtic", "iso_ir_199", "l8", "latin8":
		return charmap.ISO8859_14
	case "iso8859_15", "iso_8859_15", "l9", "latin9":
		return charmap.ISO8859_15
	case "iso8859_16", "iso_8859_16", "iso_8859_16_2001", "iso_ir_226", "l10", "latin10":
		return charmap.ISO8859_16
	}
	return nil
}

// vendorTable leaves out cp1255 and KOI8-U, where x/text follows another table
// than Python.
func vendorTable(name string) *charmap.Charmap {
	switch name {
	case "cp1250", "1250", "windows_1250":
		return charmap.Windows1250
	case "cp1251", "1251", "windows_1251":
		return charmap.Windows1251
	case "cp1252", "1252", "windows_1252":
		return charmap.Windows1252
	case "cp1253", "1253", "windows_1253":
		return charmap.Windows1253
	case "cp1254", "1254", "windows_1254":
		return charmap.Windows1254
	case "cp1256", "1256", "windows_1256":
		return charmap.Windows1256
	case "cp1257", "1257", "windows_1257":
		return charmap.Windows1257
	case "cp1258", "1258", "windows_1258":
		return charmap.Windows1258
	case "cp874":
		return charmap.Windows874
	case "cp437", "437", "cspc8codepage437", "ibm437":
		return charmap.CodePage437
	case "cp850", "850", "cspc850multilingual", "ibm850":
		return charmap.CodePage850
	case "cp852", "852", "cspcp852", "ibm852":
		return charmap.CodePage852
	case "cp866", "866", "csibm866", "ibm866":
		return charmap.CodePage866
	case "koi8_r", "cskoi8r":
		return charmap.KOI8R
	case "mac_roman", "macroman", "macintosh":
		return charmap.Macintosh
	}
	return nil
}
