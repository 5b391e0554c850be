package pyjson

import (
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestObject(t *testing.T) {
	o := new(Object).Set("b", 1).Set("a", nil).Set("b", "again")
	if got, want := string(Append(nil, o, Compact())), `{"b":"again","a":null}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if v, ok := o.Get("a"); v != nil || !ok {
		t.Errorf("a = %v, %v", v, ok)
	}
	if v, ok := o.Get("c"); v != nil || ok {
		t.Errorf("c = %v, %v", v, ok)
	}
	if o.Len() != 2 {
		t.Errorf("Len = %d", o.Len())
	}
	for key := range o.All() {
		if key != "b" {
			t.Errorf("first key is %s", key)
		}
		break
	}
}

// TestObjectLarge sets more keys than a linear search handles.
func TestObjectLarge(t *testing.T) {
	o := new(Object)
	var want, got []string
	for round := range 2 {
		for i := range 4 * indexFrom {
			o.Set(strconv.Itoa(i), round)
		}
	}
	for i := range 4 * indexFrom {
		want = append(want, strconv.Itoa(i))
		if v, ok := o.Get(strconv.Itoa(i)); v != 1 || !ok {
			t.Errorf("%d = %v, %v", i, v, ok)
		}
	}
	for key := range o.All() {
		got = append(got, key)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if _, ok := o.Get("absent"); ok {
		t.Error("absent key found")
	}
}

func TestFirstSurrogate(t *testing.T) {
	tests := []struct {
		s    string
		want rune
		ok   bool
	}{
		{"", 0, false},
		{"é\u20ac😀", 0, false},
		{"\ud7ff\ue000퟿", 0, false},
		{"ab\xed\xa0\x80", 0xD800, true},
		{"\xed\xbf\xbf\xed\xa0\x80", 0xDFFF, true},
		{"퟿\xed\xb0\x81", 0xDC01, true},
		{"\xed", 0, false},
		{"\xed\xa0", 0, false},
	}
	for _, tt := range tests {
		if got, ok := FirstSurrogate(tt.s); got != tt.want || ok != tt.ok {
			t.Errorf("FirstSurrogate(%q) = %U, %v; want %U, %v", tt.s, got, ok, tt.want, tt.ok)
		}
	}
}
