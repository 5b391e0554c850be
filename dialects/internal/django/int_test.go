package django

import (
	"strings"
	"testing"
)

// TestParseInt reads what Python's int reads, and what it does not.
func TestParseInt(t *testing.T) {
	for text, want := range map[string]int64{
		"0": 0, "17": 17, "-1": -1, "+1": 1, "007": 7, " 1\n": 1, "\u30001\x1f": 1, "1_0": 10, "-0_1": -1, "9223372036854775807": 9223372036854775807,
		"\u0661": 1, "\u0669\u06f9": 99, "\U0001d7d9": 1, "\U0001d7ff": 9, "\uff11": 1,
	} {
		if got, ok := ParseInt(text); !ok || got != want {
			t.Errorf("%q: %d, %t", text, got, ok)
		}
	}
	for _, text := range []string{"", " ", "x", "1x", "1.0", "1e0", "0x1", "_1", "1_", "1__0", "+-1", "- 1", "1 0", "\u00b2", "\u2160", "\x001", "\xff", "9223372036854775808", strings.Repeat("9", 5000)} {
		if got, ok := ParseInt(text); ok {
			t.Errorf("%q: %d", text, got)
		}
	}
}

// TestDecodeUID reads the uids that Django reads.
func TestDecodeUID(t *testing.T) {
	for uid, want := range map[string]int64{
		"MQ": 1, "MQ==": 1, "MQ=": 1, "MTA0": 104, " MQ": 1, "M\u00e9Q=": 1, "M Q": 1, "MV8w": 10, "2aE": 1, "LTE": -1, "NDY2NTY": 46656,
	} {
		if got, ok := DecodeUID(uid); !ok || got != want {
			t.Errorf("%q: %d, %t", uid, got, ok)
		}
	}
	for _, uid := range []string{"", "M", "x", "!", "_-8", "M=Q=", "MQ\xff", "MQ\xed\xa0\x80", strings.Repeat("MQ", 30)} {
		if got, ok := DecodeUID(uid); ok {
			t.Errorf("%q: %d", uid, got)
		}
	}
}
