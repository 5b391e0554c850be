package record

import (
	"encoding/base64"
	"encoding/hex"
	"errors"
	"net/url"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

// TestScanRefuses puts a secret into a file in every form that the scan knows.
func TestScanRefuses(t *testing.T) {
	const secret = `k3y&"wörd/1`
	d := &Draft{vault: newVault()}
	d.vault.add(secret)
	d.vault.add("before") // a word that the package itself writes
	for name, test := range map[string]struct {
		value string
		left  bool
	}{
		"nothing":                    {"POST /login", false},
		"its own text":               {variableReason, false},
		"as it is":                   {"x" + secret + "x", true},
		"in JSON":                    {`{"a": "k3y&\"wörd/1"}`, true},
		"in Python's JSON":           {`{"a": "k3y&\"w\u00f6rd/1"}`, true},
		"in Python's JSON, capitals": {`{"a": "k3y&\"w\u00F6rd/1"}`, true},
		"in JSON, every letter":      {`{"a": "\u006b\u0033y\u0026\u0022wörd\/1"}`, true},
		"in a form":                  {"a=" + url.QueryEscape(secret), true},
		"in a form, every letter":    {"a=%6b%33%79%26%22w%c3%b6rd%2f1", true},
		"in HTML":                    {"k3y&amp;&quot;wörd/1", true},
		"in HTML, by numbers":        {"k3y&#38;&#x22;w&ouml;rd/1", true},
		"in base64":                  {base64.StdEncoding.EncodeToString([]byte(secret)), true},
		"in Basic, 1":                {base64.StdEncoding.EncodeToString([]byte("a:" + secret)), true},
		"in Basic, 2":                {base64.StdEncoding.EncodeToString([]byte("ab:" + secret)), true},
		"in Basic, 3":                {base64.StdEncoding.EncodeToString([]byte("abc:" + secret)), true},
		"in hexadecimal":             {"a" + hex.EncodeToString([]byte(secret)), true},
		"in hexadecimal, capitals":   {strings.ToUpper(hex.EncodeToString([]byte(secret))), true},
		"as bytes":                   {"k3y&\"w${bytes(c3b6)}rd/1", true},
		"another word":               {"k3y&\"word/1", false},
	} {
		data, err := encodeText(test.value)
		if err != nil {
			t.Fatal(err)
		}
		if err := d.scanner().scan(data); errors.Is(err, ErrSecretLeft) != test.left {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestShadowHasTheSameForm(t *testing.T) {
	for _, value := range []string{"abc", "Pass word-1é", "0123456789abcdef0123456789abcdef", "!!!!", "中文"} {
		got := shadow(value)
		if got == value || len([]rune(got)) != len([]rune(value)) {
			t.Errorf("%q stands for %q", got, value)
		}
	}
	if got := shadow("0123456789abcdef"); secretPlaceholder(got) != "hex16" {
		t.Errorf("%q is no hex", got)
	}
}

func encodeText(value string) ([]byte, error) {
	return yaml.Marshal(mapping(false, key("path"), text(value)))
}
