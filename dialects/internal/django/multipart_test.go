package django

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/authcompat/authcompat/dialects/internal/pyjson"
)

const formData = "multipart/form-data; boundary=xyz"

type multipartTest struct {
	name, body string
	want       Multipart
}

// multipartTests has the results of django.http.multipartparser.MultiPartParser of Django
// 3.2.25.
func multipartTests() []multipartTest {
	const end = "--xyz--\r\n"
	field := func(header, value string) string { return "--xyz\r\n" + header + "\r\n\r\n" + value + "\r\n" }
	named := func(name, value string) string {
		return field(`Content-Disposition: form-data; name="`+name+`"`, value)
	}
	file := field(`Content-Disposition: form-data; name="f"; filename="a.txt"`, "x")
	return []multipartTest{
		{"fields", named("a", "1") + named("b", "\u00e9") + end, Multipart{Values{"a": "1", "b": "\u00e9"}, nil}},
		{"the last counts", named("a", "1") + named("a", "2") + end, Multipart{Values{"a": "2"}, nil}},
		{"no end", named("a", "1"), Multipart{Values{"a": "1\r\n"}, nil}},
		{"no end line", named("a", "1") + "--xyz", Multipart{Values{"a": "1"}, nil}},
		{"text around", "before\r\n" + named("a", "1") + end + "behind", Multipart{Values{"a": "1"}, nil}},
		{"line feeds alone", strings.ReplaceAll(named("a", "1")+end, "\r\n", "\n"), Multipart{Values{}, nil}},
		{"another boundary", strings.ReplaceAll(named("a", "1")+end, "xyz", "abc"), Multipart{Values{"a": "1\r\n--abc--\r\n"}, nil}},
		{"no quotes, capitals", field("CONTENT-DISPOSITION: x; NAME=a", "1") + end, Multipart{Values{"a": "1"}, nil}},
		{"a blank before the colon", field(`Content-Disposition : form-data; name="a"`, "1") + end, Multipart{Values{}, nil}},
		{"no name", field("Content-Disposition: form-data", "1") + end, Multipart{Values{}, nil}},
		{"an empty name", named("", "1") + end, Multipart{Values{"": "1"}, nil}},
		{"a name in blanks", named(" a ", "1") + end, Multipart{Values{"a": "1"}, nil}},
		{"RFC 2231", field("Content-Disposition: form-data; name*=UTF-8''%C3%A9", "1") + end, Multipart{Values{"\u00e9": "1"}, nil}},
		{"a broken header line", field("\u00e9\r\nContent-Disposition: form-data; name=a", "1") + end, Multipart{Values{"a": "1"}, nil}},
		{"a header that is too long", field("X: "+strings.Repeat("y", 1024)+"\r\nContent-Disposition: form-data; name=a", "1") + end, Multipart{Values{}, nil}},
		{"base64", field("Content-Disposition: form-data; name=a\r\nContent-Transfer-Encoding: BASE64", "am9obg==") + end, Multipart{Values{"a": "john"}, nil}},
		{"broken base64", field("Content-Disposition: form-data; name=a\r\nContent-Transfer-Encoding: base64", "am9ob") + end, Multipart{Values{"a": "am9ob"}, nil}},
		{"a file", file + end, Multipart{Values{}, map[string]string{"f": "a.txt"}}},
		{"a file that does not end", file, Multipart{Values{}, nil}},
		{"a file without a name", strings.Replace(file, "a.txt", "", 1) + end, Multipart{Values{"f": "x"}, nil}},
		{"a file that is a folder", strings.Replace(file, "a.txt", "../", 1) + end, Multipart{Values{}, nil}},
		{"a file's path", strings.Replace(file, "a.txt", "c:/x/&quot;b", 1) + end, Multipart{Values{}, map[string]string{"f": `"b`}}},
	}
}

func TestParseMultipart(t *testing.T) {
	for _, tt := range multipartTests() {
		t.Run(tt.name, func(t *testing.T) {
			got, err := ParseMultipart([]byte(tt.body), formData, pyjson.Charset{})
			if err != nil {
				t.Fatal(err)
			}
			if tt.want.Files == nil {
				tt.want.Files = map[string]string{}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestMultipartRefused(t *testing.T) {
	field := "--xyz\r\nContent-Disposition: form-data; name=a\r\n\r\nb\r\n"
	for _, tt := range []struct{ contentType, body, want string }{
		{"multipart/form-data", "", "Invalid boundary in multipart: None"},
		{"multipart/form-data; boundary=", "", "Invalid boundary in multipart: "},
		{"multipart/form-data; boundary=a\tb", "", "Invalid boundary in multipart: a\tb"},
		{"multipart/form-data; boundary=" + strings.Repeat("b", 202), "", "Invalid boundary in multipart: " + strings.Repeat("b", 202)},
		{"Multipart/form-data; boundary=xyz", "", "Invalid Content-Type: Multipart/form-data; boundary=xyz"},
		{"multipart/form-data; boundary=\xe9", "", "Invalid non-ASCII Content-Type in multipart: multipart/form-data; boundary=\u00e9"},
		{formData, strings.Replace(field, "name=a", "name=a; filename=b\r\nContent-Transfer-Encoding: base64", 1) + "--xyz--", "Could not decode base64 data."},
	} {
		_, err := ParseMultipart([]byte(tt.body), tt.contentType, pyjson.Charset{})
		var broken *MultipartError
		if !errors.As(err, &broken) || broken.Text != tt.want {
			t.Errorf("%s: %v, want %s", tt.contentType, err, tt.want)
		}
	}
	for _, tt := range []struct {
		name, body string
		want       error
	}{
		// Text before the first boundary counts as a field too, and so does text after the last.
		{"1000 fields", strings.Repeat(field, 1000) + "--xyz--", nil},
		{"1001 fields", strings.Repeat(field, 1001) + "--xyz--", ErrTooManyFields},
		{"101 files", strings.Repeat(strings.Replace(field, "name=a", "name=a; filename=b", 1), 101) + "--xyz--", ErrTooManyFields},
	} {
		if _, err := ParseMultipart([]byte(tt.body), formData, pyjson.Charset{}); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
		}
	}
}

func FuzzParseMultipart(f *testing.F) {
	for _, tt := range multipartTests() {
		f.Add([]byte(tt.body), formData)
	}
	for _, contentType := range []string{
		"", formData, "multipart/form-data", "multipart/mixed; boundary=\"x y\"; charset=utf-16", "multipart/form-data; boundary*=a'b'c",
	} {
		f.Add([]byte("--xyz--xyz\r\n\r\n"), contentType)
	}
	f.Fuzz(func(t *testing.T, body []byte, contentType string) {
		m, err := ParseMultipart(body, contentType, pyjson.Charset{})
		var broken *MultipartError
		if err != nil && !errors.As(err, &broken) && !errors.Is(err, ErrTooManyFields) {
			t.Errorf("%q: %v", contentType, err)
		}
		if len(m.Values) > MaxFields || len(m.Files) > maxFiles {
			t.Errorf("%d fields and %d files", len(m.Values), len(m.Files))
		}
	})
}
