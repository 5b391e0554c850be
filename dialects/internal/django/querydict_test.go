package django

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/authcompat/authcompat/dialects/internal/pyjson"
)

type queryTest struct {
	query, charset string
	want           Values
}

// queryTests has the results of django.http.QueryDict of Django 3.2.25.
func queryTests() []queryTest {
	return []queryTest{
		{"", "", Values{}},
		{"a=1&b=2&a=3", "", Values{"a": "3", "b": "2"}},
		{"a=1;b=2", "", Values{"a": "1;b=2"}},
		{"&&a&=b&", "", Values{"a": "", "": "b"}},
		{"a+b=c%20d+e", "", Values{"a b": "c d e"}},
		{"a=%e&b=%zz&c=%", "", Values{"a": "%e", "b": "%zz", "c": "%"}},
		{"a=%C3%A9&b=\u00e9%C3%A9", "", Values{"a": "\u00e9", "b": "\u00e9\u00e9"}},
		{"a=%ff%F0%9F%98", "", Values{"a": "\ufffd\ufffd"}},
		{"a=\xff", "", Values{"a": "\u00ff"}}, // not UTF-8: everything is decoded as Latin-1
		{"a=%e9", "latin-1", Values{"a": "\u00e9"}},
		{"a=%00", "", Values{"a": "\x00"}},
	}
}

func TestParseQuery(t *testing.T) {
	for _, tt := range queryTests() {
		charset, _ := pyjson.LookupCharset(tt.charset)
		got, err := ParseQuery([]byte(tt.query), charset)
		if err != nil {
			t.Errorf("%q: %v", tt.query, err)
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%q: %s", tt.query, diff)
		}
	}
}

func TestTooManyFields(t *testing.T) {
	most, more := strings.Repeat("a=b&", 999)+"a=b", strings.Repeat("a=b&", 1000)+"a=b"
	if _, err := ParseQuery([]byte(most), pyjson.Charset{}); err != nil {
		t.Errorf("1000 fields: %v", err)
	}
	if _, err := ParseQuery([]byte(more), pyjson.Charset{}); !errors.Is(err, ErrTooManyFields) {
		t.Errorf("1001 fields: %v", err)
	}
	for contentType, want := range map[string]error{
		"application/json":                  nil,
		"application/json; charset=unknown": nil,
		"application/json; charset=utf-8":   ErrTooManyFields,
	} {
		if err := CheckQuery(more, contentType); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", contentType, err, want)
		}
	}
}

func FuzzParseQuery(f *testing.F) {
	for _, tt := range queryTests() {
		f.Add([]byte(tt.query), tt.charset)
	}
	for _, charset := range []string{"utf-16", "utf-32-be", "cp1252", "unknown"} {
		f.Add([]byte("a=%ff\u00e9+%&=\x00%00&\xff%ff"), charset)
	}
	f.Fuzz(func(t *testing.T, query []byte, name string) {
		charset, _ := pyjson.LookupCharset(name)
		if values, err := ParseQuery(query, charset); err == nil && len(values) > MaxFields {
			t.Errorf("%d fields", len(values))
		}
	})
}
