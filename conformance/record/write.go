package record

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"os"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/authcompat/authcompat/conformance"
	"github.com/authcompat/authcompat/conformance/internal/fields"
)

// ErrSecretLeft is the error of a file that would have a secret.
var ErrSecretLeft = errors.New("a secret of the recording is left in what was to be written")

// Bytes returns the exchange file. The error is ErrNothingLeft, wraps ErrSecretLeft, or says what keeps the recording from
// being an exchange file; it has no secrets.
func (d *Draft) Bytes() ([]byte, Summary, error) {
	data, summary, err := d.encode(nil)
	if err != nil {
		return nil, summary, err
	}
	if summary.Exchanges == 0 {
		return nil, summary, ErrNothingLeft
	}
	if err := d.scanner().scan(data); err != nil {
		return nil, summary, err
	}
	if _, err := conformance.Load("the recording", data); err != nil {
		return nil, summary, fmt.Errorf("the recording makes no exchange file: %w", err)
	}
	return data, summary, nil
}

// Write writes the exchange file, for its owner alone (mode 0600). Nothing reaches the disk before the
// whole is known to have no secrets. The error is that of Bytes, or wraps fs.ErrExist if there is a
// file already.
func (d *Draft) Write(path string) (Summary, error) {
	data, summary, err := d.Bytes()
	if err != nil {
		return summary, err
	}
	return summary, WriteNew(path, data)
}

// WriteNew writes a file that is not there yet, with mode 0600. If that fails, it is not there.
func WriteNew(path string, data []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		err = errors.Join(err, os.Remove(path))
	}
	return err
}

// A scanner looks for the secrets in what is to be written.
type scanner struct {
	table *table
	own   map[string]bool // texts that the package itself writes, in which words may be somebody's password
}

// scanner returns a scanner for what the draft comes to.
func (d *Draft) scanner() *scanner {
	s := &scanner{table: newTable(), own: map[string]bool{variableReason: true, d.options.Source: true, d.options.Profile: true}}
	for _, sequence := range d.sequences {
		s.own[sequence.unfit] = true
	}
	for _, secret := range d.vault.secrets {
		if !d.vault.found(secret) {
			continue
		}
		bounded := len(secret.value) < minInside
		s.table.addForms(secret.value, entry{secret: secret}, bounded)
		for _, form := range insideBase64(secret.value) {
			s.table.add(entry{form: form, secret: secret, bounded: bounded})
		}
	}
	return s
}

// scan looks into all texts of a file: as they are written, as they are meant, and without the escapes
// of JSON, forms and HTML. The error wraps ErrSecretLeft and says in which line.
func (s *scanner) scan(data []byte) error {
	var root yaml.Node
	if err := yaml.Unmarshal(data, &root); err != nil {
		return fmt.Errorf("the recording makes no exchange file: %w", err)
	}
	if n := s.find(&root); n != nil {
		return fmt.Errorf("%w (line %d)", ErrSecretLeft, n.Line)
	}
	return nil
}

// formatKeys are the keys of exchange files that the package writes.
func formatKeys() []string {
	return []string{"profile", "usernames", "max", "defaults", "response", "headers", "exchanges", "name", "source", "not_replayable", "variables", "users", "username",
		"password", "email", "new", "dedicated", "steps", "request", "method", "path", "body", "json", "form", "status", "empty", "html"}
}

// find returns the first text with a secret; nil if there is none.
func (s *scanner) find(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.ScalarNode && s.has(n.Value) {
		return n
	}
	for i, inner := range n.Content {
		if n.Kind == yaml.MappingNode && i%2 == 0 && inner.Style == 0 && slices.Contains(formatKeys(), inner.Value) {
			continue
		}
		if found := s.find(inner); found != nil {
			return found
		}
	}
	return nil
}

// has reports whether a text has a secret.
func (s *scanner) has(text string) bool {
	if s.own[text] {
		return false
	}
	text = ownTitle().ReplaceAllString(text, "")
	plain := bytesReference().ReplaceAllStringFunc(text, func(reference string) string {
		raw, err := hex.DecodeString(reference[len("${bytes(") : len(reference)-2])
		if err != nil {
			return reference
		}
		return string(raw)
	})
	plain = strings.NewReplacer("$${", "${", "<<", "<").Replace(plain)
	for _, value := range []string{text, plain, unescapedJSON(plain), fields.Unescaped(plain), html.UnescapeString(plain), html.UnescapeString(unescapedJSON(plain))} {
		if _, ok := s.table.first(value); ok {
			return true
		}
	}
	return false
}

// unescapedJSON replaces the escapes of JSON strings in a text, whatever it is otherwise.
func unescapedJSON(text string) string {
	return jsonEscape().ReplaceAllStringFunc(text, func(escape string) string {
		var plain string
		if json.Unmarshal([]byte(`"`+escape+`"`), &plain) != nil {
			return escape
		}
		return plain
	})
}

// first returns the first entry that a text has.
func (t *table) first(text string) (entry, bool) {
	for i := range len(text) {
		if e, ok := t.at(text, i); ok {
			return e, true
		}
	}
	return entry{}, false
}

// insideBase64 returns what a text looks like within longer text in base64, at the three places where it
// can begin, without the characters that depend on what is around it.
func insideBase64(text string) []string {
	var forms []string
	for before := 1; before < 3; before++ {
		whole := base64.RawStdEncoding.EncodeToString([]byte(strings.Repeat("x", before) + text))
		from := before + 1 // these characters have bits of what is before
		to := len(whole)
		if (before+len(text))%3 != 0 {
			to--
		}
		if to-from > 5 {
			forms = append(forms, whole[from:to])
		}
	}
	if whole := base64.RawStdEncoding.EncodeToString([]byte(text)); len(text)%3 != 0 && len(whole) > 6 {
		forms = append(forms, whole[:len(whole)-1])
	}
	return forms
}
