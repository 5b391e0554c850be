// Package jsontree reads JSON documents into trees that keep what maps lose: the order of keys,
// duplicate keys, numbers as they were written, and the white space between.
package jsontree

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// A Kind is one of JSON's six kinds of value.
type Kind int

// The kinds. The zero Kind is no value.
const (
	Null Kind = iota + 1
	Bool
	Number
	String
	Array
	Object
)

// A Value is a JSON value. Text is a string's text, a number as written, or true or false. Items
// are an array's.
type Value struct {
	Kind    Kind
	Text    string
	Items   []Value
	Members []Member
	Source  Source // if it was parsed
}

// A Member is one key of an object with its value.
type Member struct {
	Key    string
	Value  Value
	Source Source // of the key
}

// A Source is how a value or a key is written.
type Source struct {
	Gap string // the white space, comma and colon before it
	Raw string // a scalar or a key, with its quotes
	End string // the gap before the bracket that closes an array or an object
}

// A Document is a JSON text of which nothing is lost.
type Document struct {
	Root  Value
	After string // the white space behind it
}

// maxDepth bounds the recursion; no API's response is nested that deep.
const maxDepth = 200

// Parse reads one JSON document, followed by nothing but white space. Invalid UTF-8 in strings becomes
// U+FFFD.
func Parse(data []byte) (Value, error) {
	d, err := ParseDocument(data)
	return d.Root, err
}

// ParseDocument is Parse with what is behind the value.
func ParseDocument(data []byte) (Document, error) {
	p := &parser{text: string(data), d: json.NewDecoder(bytes.NewReader(data))}
	p.d.UseNumber()
	token, source, err := p.next()
	if err != nil {
		return Document{}, err
	}
	root, err := p.value(token, source, 0)
	if err != nil {
		return Document{}, err
	}
	if _, err := p.d.Token(); !errors.Is(err, io.EOF) {
		return Document{}, errors.New("there is more after the JSON value")
	}
	return Document{root, p.text[p.at:]}, nil
}

// A parser goes through the tokens of a text, of which the decoder knows where they end.
type parser struct {
	text string
	d    *json.Decoder
	at   int64
}

// next returns the next token, and how it is written.
func (p *parser) next() (json.Token, Source, error) {
	token, err := p.d.Token()
	if err != nil {
		return nil, Source{}, notJSON(err)
	}
	end := p.d.InputOffset()
	text := p.text[p.at:end]
	raw := strings.TrimLeft(text, " \t\r\n,:")
	p.at = end
	return token, Source{Gap: text[:len(text)-len(raw)], Raw: raw}, nil
}

// value reads the value that begins with a token.
func (p *parser) value(token json.Token, source Source, depth int) (Value, error) {
	v := Value{Kind: Null, Source: source}
	switch t := token.(type) {
	case bool:
		v.Kind, v.Text = Bool, source.Raw
	case json.Number:
		v.Kind, v.Text = Number, source.Raw
	case string:
		v.Kind, v.Text = String, t
	case json.Delim:
		if depth == maxDepth {
			return Value{}, fmt.Errorf("nested more than %d deep", maxDepth)
		}
		v.Source.Raw = ""
		if v.Kind = Array; t == '{' {
			v.Kind = Object
		}
		return v, p.below(&v, depth+1)
	}
	return v, nil
}

// below reads what is in an array or an object.
func (p *parser) below(v *Value, depth int) error {
	for {
		token, source, err := p.next()
		if err != nil {
			return err
		}
		if d, ok := token.(json.Delim); ok && (d == '}' || d == ']') {
			v.Source.End = source.Gap
			return nil
		}
		key, keySource := token, source
		if v.Kind == Object {
			if token, source, err = p.next(); err != nil {
				return err
			}
		}
		value, err := p.value(token, source, depth)
		if err != nil {
			return err
		}
		if v.Kind == Object {
			v.Members = append(v.Members, Member{Key: fmt.Sprint(key), Value: value, Source: keySource})
		} else {
			v.Items = append(v.Items, value)
		}
	}
}

func notJSON(err error) error {
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return fmt.Errorf("not JSON: %w", err)
}
