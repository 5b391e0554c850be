// Package jsontree reads JSON documents into trees that keep what maps lose: the order of keys,
// duplicate keys, and numbers as they were written.
package jsontree

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
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
}

// A Member is one key of an object with its value.
type Member struct {
	Key   string
	Value Value
}

// maxDepth bounds the recursion; no API's response is nested that deep.
const maxDepth = 200

// Parse reads one JSON document, followed by nothing but white space. Invalid UTF-8 in strings becomes
// U+FFFD.
func Parse(data []byte) (Value, error) {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	v, err := parse(d, 0)
	if err != nil {
		return Value{}, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return Value{}, errors.New("there is more after the JSON value")
	}
	return v, nil
}

func parse(d *json.Decoder, depth int) (Value, error) {
	token, err := d.Token()
	if err != nil {
		return Value{}, notJSON(err)
	}
	switch t := token.(type) {
	case bool:
		return Value{Kind: Bool, Text: fmt.Sprint(t)}, nil
	case json.Number:
		return Value{Kind: Number, Text: t.String()}, nil
	case string:
		return Value{Kind: String, Text: t}, nil
	case json.Delim:
		if depth == maxDepth {
			return Value{}, fmt.Errorf("nested more than %d deep", maxDepth)
		}
		if t == '[' {
			return parseArray(d, depth+1)
		}
		return parseObject(d, depth+1)
	}
	return Value{Kind: Null}, nil
}

func parseArray(d *json.Decoder, depth int) (Value, error) {
	v := Value{Kind: Array}
	for d.More() {
		item, err := parse(d, depth)
		if err != nil {
			return Value{}, err
		}
		v.Items = append(v.Items, item)
	}
	return v, closing(d)
}

func parseObject(d *json.Decoder, depth int) (Value, error) {
	v := Value{Kind: Object}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return Value{}, notJSON(err)
		}
		value, err := parse(d, depth)
		if err != nil {
			return Value{}, err
		}
		v.Members = append(v.Members, Member{Key: fmt.Sprint(key), Value: value})
	}
	return v, closing(d)
}

func closing(d *json.Decoder) error {
	if _, err := d.Token(); err != nil {
		return notJSON(err)
	}
	return nil
}

func notJSON(err error) error {
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return fmt.Errorf("not JSON: %w", err)
}
