package pyjson

import "testing"

func TestCharsetDecode(t *testing.T) {
	const same = "as Decode"
	tests := []struct {
		name    string
		charset string
		body    string
		want    string // the text, or the error's
		stream  string // the result of DecodeStream
	}{
		{"good", "utf-8", "é\u20ac😀", "é\u20ac😀", same},
		{"start byte", "utf-8", `{"username":"` + "\xff\"}", "'utf-8' codec can't decode byte 0xff in position 13: invalid start byte", same},
		{"continuation alone", "utf-8", "\x80", "'utf-8' codec can't decode byte 0x80 in position 0: invalid start byte", same},
		{"overlong", "utf-8", "\xc0\x80", "'utf-8' codec can't decode byte 0xc0 in position 0: invalid start byte", same},
		{"overlong of three", "utf-8", "\xe0\x80\x80", "'utf-8' codec can't decode byte 0xe0 in position 0: invalid continuation byte", same},
		{"second byte", "utf-8", "a\xe2(\xa1", "'utf-8' codec can't decode byte 0xe2 in position 1: invalid continuation byte", same},
		{"third byte", "utf-8", "abc\xe2\x82(", "'utf-8' codec can't decode bytes in position 3-4: invalid continuation byte", same},
		{"fourth byte", "utf-8", "\xf0\x9f\x98(", "'utf-8' codec can't decode bytes in position 0-2: invalid continuation byte", same},
		{"surrogate", "utf-8", "\xed\xa0\x80", "'utf-8' codec can't decode byte 0xed in position 0: invalid continuation byte", same},
		{"beyond U+10FFFF", "utf-8", "\xf4\x90\x80\x80", "'utf-8' codec can't decode byte 0xf4 in position 0: invalid continuation byte", same},
		{"cut off", "utf-8", "a\xc3", "'utf-8' codec can't decode byte 0xc3 in position 1: unexpected end of data", "a"},
		{"cut off after three", "utf-8", "a\xf0\x9f\x98", "'utf-8' codec can't decode bytes in position 1-3: unexpected end of data", "a"},
		{"cut off surrogate", "utf-8", "a\xed\xa0", "'utf-8' codec can't decode byte 0xed in position 1: invalid continuation byte", "a"},
		{"byte order mark", "utf-8", "\xef\xbb\xbf{}", "\ufeff{}", same},
		{"byte order mark taken", "utf-8-sig", "\xef\xbb\xbf\xff", "'utf-8' codec can't decode byte 0xff in position 0: invalid start byte", same},
		{"ASCII", "us-ascii", "abc\u00e9", "'ascii' codec can't decode byte 0xc3 in position 3: ordinal not in range(128)", same},
		{"good ASCII", "ascii", "abc\x7f", "abc\x7f", same},
		{"Latin-1", "latin-1", "\xe9\x80\xff", "é\u0080ÿ", same},
		{"Latin-9", "iso-8859-15", "\xa4\x85", "\u20ac\u0085", same},
		{"Windows-1252", "windows-1252", "\x80uro", "\u20acuro", same},
		{"hole in Windows-1252", "cp1252", "a\x81", "'charmap' codec can't decode byte 0x81 in position 1: character maps to <undefined>", same},
		{"UTF-16", "utf-16", "\xff\xfea\x00=\xd8\x00\xde", "a😀", same},
		{"UTF-16 big end first", "utf-16", "\xfe\xff\x00a", "a", same},
		{"UTF-16 without mark", "utf-16", "a\x00", "a", "UTF-16 stream does not start with BOM"},
		{"UTF-16 cut off", "utf-16-le", "a\x00b", "'utf-16-le' codec can't decode byte 0x62 in position 2: truncated data", "a"},
		{"UTF-16 pair cut off", "utf-16-be", "\xd8=\xde", "'utf-16-be' codec can't decode bytes in position 0-2: unexpected end of data", ""},
		{"UTF-16 pair cut off without mark", "utf-16", "=\xd8", "'utf-16-le' codec can't decode bytes in position 0-1: unexpected end of data", ""},
		{"UTF-16 low surrogate", "utf-16-le", "\x00\xdca\x00", "'utf-16-le' codec can't decode bytes in position 0-1: illegal encoding", same},
		{"UTF-16 high surrogate", "utf-16-le", "\x00\xd8a\x00", "'utf-16-le' codec can't decode bytes in position 0-1: illegal UTF-16 surrogate", same},
		{"UTF-32", "utf-32-be", "\x00\x01\xf6\x00", "😀", same},
		{"UTF-32 beyond", "utf-32-be", "\x00\x11\x00\x00", "'utf-32-be' codec can't decode bytes in position 0-3: code point not in range(0x110000)", same},
		{"UTF-32 surrogate", "utf-32-le", "\x00\xd8\x00\x00",
			"'utf-32-le' codec can't decode bytes in position 0-3: code point in surrogate code point range(0xd800, 0xe000)", same},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, ok := LookupCharset(tt.charset)
			if !ok {
				t.Fatalf("%s is unknown", tt.charset)
			}
			if got := textOrError(c.Decode([]byte(tt.body), Python311)); got != tt.want {
				t.Errorf("Decode:\n got %q\nwant %q", got, tt.want)
			}
			want := tt.stream
			if want == same {
				want = tt.want
			}
			if got := textOrError(c.DecodeStream([]byte(tt.body), Python311)); got != want {
				t.Errorf("DecodeStream:\n got %q\nwant %q", got, want)
			}
		})
	}
}

func textOrError(text string, err error) string {
	if err != nil {
		return err.Error()
	}
	return text
}

func TestCharsetDecodeByPython(t *testing.T) {
	tests := []struct {
		name   string
		python Python
		body   string
		want   string
	}{
		{"2.7 start byte", Python27, "\xff", "'utf8' codec can't decode byte 0xff in position 0: invalid start byte"},
		{"2.7 cut off", Python27, "a\xc3", "'utf8' codec can't decode byte 0xc3 in position 1: unexpected end of data"},
		{"2.7 too short for its start", Python27, "\xf0(", "'utf8' codec can't decode byte 0xf0 in position 0: unexpected end of data"},
		{"2.7 beyond U+10FFFF", Python27, "\xf4\x90\x80\x80", "'utf8' codec can't decode bytes in position 0-2: invalid continuation byte"},
		{"2.7 surrogate", Python27, "\xed\xa0\x80", "\xed\xa0\x80"},
		{"3.6 surrogate cut off", Python36, "\xed\xa0", "'utf-8' codec can't decode byte 0xed in position 0: invalid continuation byte"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := textOrError(Charset{}.Decode([]byte(tt.body), tt.python)); got != tt.want {
				t.Errorf("\n got %q\nwant %q", got, tt.want)
			}
		})
	}
}

func TestDecodeBytes(t *testing.T) {
	tests := []struct {
		name, body string
		want       string // Python's repr, or the text of the error
	}{
		{"UTF-8", `{"a":"é"}`, "{'a': 'é'}"},
		{"UTF-8 with a mark", "\xef\xbb\xbf[1]", "[1]"},
		{"UTF-8 with two marks", "\xef\xbb\xbf\xef\xbb\xbf[1]", "Expecting value: line 1 column 1 (char 0)"},
		{"surrogate", "\"\xed\xa0\x80\"", `'\ud800'`},
		{"cut off", "\"\xc3", "'utf-8' codec can't decode byte 0xc3 in position 1: unexpected end of data"},
		{"UTF-16 with a mark", "\xff\xfe[\x00]\x00", "[]"},
		{"UTF-16 little end first", "[\x00]\x00", "[]"},
		{"UTF-16 big end first", "\x00[\x00]", "[]"},
		{"UTF-16 of one character", "7\x00", "7"},
		{"UTF-16 of one character, big end first", "\x007", "7"},
		{"UTF-16 surrogate", "\"\x00\x00\xd8\"\x00", `'\ud800'`},
		{"UTF-32 with a mark", "\x00\x00\xfe\xff\x00\x00\x007", "7"},
		{"UTF-32 little end first", "7\x00\x00\x008\x00\x00\x00", "78"},
		{"UTF-32 big end first", "\x00\x00\x007", "7"},
		{"constants", "[NaN]", "[nan]"},
		{"nothing", "", "Expecting value: line 1 column 1 (char 0)"},
		{"three bytes", "[1]", "[1]"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			value, err := DecodeBytes([]byte(tt.body), Options{})
			got := textOrError(string(AppendRepr(nil, value)), err)
			if got != tt.want {
				t.Errorf("\n got %s\nwant %s", got, tt.want)
			}
		})
	}
}
