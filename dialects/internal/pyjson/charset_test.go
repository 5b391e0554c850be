package pyjson

import (
	"bytes"
	"strings"
	"testing"
)

// charsetSpellings lists every name in charset.go except cp65001, which older
// Pythons know on Windows only.
func charsetSpellings() []string {
	return strings.Fields(`
		utf-8 utf8 u8 utf utf8-ucs2 utf8-ucs4 utf-8-sig
		ascii us-ascii us 646 ansi-x3.4-1968 ansi-x3-4-1968 ansi-x3.4-1986 cp367 csascii ibm367 iso646-us iso-646.irv-1991 iso-ir-6
		latin-1 latin1 latin l1 iso8859-1 iso-8859-1 iso-8859-1-1987 iso8859 8859 cp819 csisolatin1 ibm819 iso-ir-100
		utf-16 utf16 u16 utf-16-le utf-16le unicodelittleunmarked utf-16-be utf-16be unicodebigunmarked
		utf-32 utf32 u32 utf-32-le utf-32le utf-32-be utf-32be
		iso8859-2 iso-8859-2 iso-8859-2-1987 csisolatin2 iso-ir-101 l2 latin2
		iso8859-3 iso-8859-3 iso-8859-3-1988 csisolatin3 iso-ir-109 l3 latin3
		iso8859-4 iso-8859-4 iso-8859-4-1988 csisolatin4 iso-ir-110 l4 latin4
		iso8859-5 iso-8859-5 iso-8859-5-1988 csisolatincyrillic cyrillic iso-ir-144
		iso8859-6 iso-8859-6 iso-8859-6-1987 arabic asmo-708 csisolatinarabic ecma-114 iso-ir-127
		iso8859-7 iso-8859-7 iso-8859-7-1987 csisolatingreek ecma-118 elot-928 greek greek8 iso-ir-126
		iso8859-8 iso-8859-8 iso-8859-8-1988 csisolatinhebrew hebrew iso-ir-138
		iso8859-9 iso-8859-9 iso-8859-9-1989 csisolatin5 iso-ir-148 l5 latin5
		iso8859-10 iso-8859-10 iso-8859-10-1992 csisolatin6 iso-ir-157 l6 latin6
		iso8859-13 iso-8859-13 l7 latin7
		iso8859-14 iso-8859-14 iso-8859-14-1998 iso-celtic iso-ir-199 l8 latin8
		iso8859-15 iso-8859-15 l9 latin9
		iso8859-16 iso-8859-16 iso-8859-16-2001 iso-ir-226 l10 latin10
		cp1250 1250 windows-1250 cp1251 1251 windows-1251 cp1252 1252 windows-1252 cp1253 1253 windows-1253
		cp1254 1254 windows-1254 cp1256 1256 windows-1256 cp1257 1257 windows-1257 cp1258 1258 windows-1258 cp874
		cp437 437 cspc8codepage437 ibm437 cp850 850 cspc850multilingual ibm850
		cp852 852 cspcp852 ibm852 cp866 866 csibm866 ibm866
		koi8-r cskoi8r mac-roman macroman macintosh`)
}

func TestLookupCharset(t *testing.T) {
	utf8 := Charset{}
	latin9, _ := LookupCharset("iso-8859-15")
	tests := []struct {
		name  string
		want  Charset
		known bool
	}{
		{"utf-8", utf8, true},
		{"UTF8", utf8, true},
		{"Utf 8", utf8, true},
		{"--utf---8--", utf8, true},
		{`"utf-8"`, utf8, true},
		{"ISO_8859-15", latin9, true},
		{"latin9", latin9, true},
		{"iso_8859_15", latin9, true},
		{"", utf8, false},
		{" ", utf8, false},
		{"utf-9", utf8, false},
		{"utf.8", utf8, false},
		{"utf8-sig", utf8, false},
		{"iso-8859-12", utf8, false},
		{"unicode", utf8, false},
		{"x-user-defined", utf8, false},
	}
	for _, tt := range tests {
		if got, ok := LookupCharset(tt.name); got != tt.want || ok != tt.known {
			t.Errorf("LookupCharset(%q) = %v, %v; want %v, %v", tt.name, got, ok, tt.want, tt.known)
		}
	}
}

// TestCharsetsAgainstCPython decodes every single byte in every charset.
func TestCharsetsAgainstCPython(t *testing.T) {
	o := startOracle(t)
	if o.python == Python27 {
		t.Skip("2.7 has other names for some codecs and other texts for UTF-16")
	}
	for _, name := range charsetSpellings() {
		var comparisons []comparison
		var questions []question
		for b := range 256 {
			c := compareCharset("D", name, bytes.Repeat([]byte{byte(b)}, 4), o)
			comparisons = append(comparisons, c)
			questions = append(questions, c.question)
		}
		for i, want := range o.ask(t, questions) {
			if diff := want.diff(comparisons[i].ours()); diff != "" {
				t.Errorf("%s %02x:\n%s", name, i, diff)
			}
		}
	}
}
