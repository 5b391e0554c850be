package pyjson

import (
	"strings"
	"testing"
)

func BenchmarkDecodeLogin(b *testing.B) {
	body := []byte(`{"username": "alice", "password": "correct horse battery staple"}`)
	b.ReportAllocs()
	for b.Loop() {
		text, err := Charset{}.DecodeStream(body, Python311)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := Decode(text, Options{RejectConstants: true}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDecodeManyKeys(b *testing.B) {
	var body strings.Builder
	body.WriteString("{")
	for i := range 1000 {
		body.WriteString(`"` + Str(i) + `": [1, 2.5, "\u00e9"], `)
	}
	body.WriteString(`"end": null}`)
	b.SetBytes(int64(body.Len()))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Decode(body.String(), Options{}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkAppendLogin(b *testing.B) {
	reply := new(Object).Set("expiry", nil).Set("token", strings.Repeat("0a", 20))
	buf := make([]byte, 0, 256)
	b.ReportAllocs()
	for b.Loop() {
		buf = Append(buf[:0], reply, Compact())
	}
}
